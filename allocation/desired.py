"""What shall be on a cluster, worked out from the rows alone. reservations.reconcile compares it with what is."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Sum

from allocation import ledger
from allocation.clusters import names
from allocation.clusters.base import DesiredAccount, DesiredReservation, DesiredState
from allocation.logins import awards_on, new_login
from allocation.models import Account, Award, Cluster, Reservation, UsageRecord
from grants.models import Membership

ON_THE_CLUSTER = ("planned", "placed", "running")


def desired_state(cluster: Cluster, now: datetime) -> DesiredState:
    """Accounts of awards that may run, and their slots that are not over.

    An award that ended or was revoked is not named: its account is then left without hours and people.
    """
    awards = list(awards_on(cluster))
    people = _people(cluster, awards)
    limits = _limits(cluster, awards)
    accounts = tuple(
        DesiredAccount(
            name=award.account_name,
            users=frozenset(people[award.application.group_id]),
            limit_gpu_seconds=limits[award.pk],
            is_held=award.paused_at is not None,
        )
        for award in awards
    )
    return DesiredState(accounts=accounts, reservations=tuple(_slots(cluster, awards, now)))


def _people(cluster: Cluster, awards: Iterable[Award]) -> dict[int, set[str]]:
    """The logins of each group's members."""
    stored = dict(cluster.logins.values_list("user_id", "name"))
    people: dict[int, set[str]] = defaultdict(set)
    groups = {award.application.group_id for award in awards}
    members = Membership.objects.filter(group__in=groups, user__is_active=True)
    for group, user in members.values_list("group_id", "user_id"):
        people[group].add(stored.get(user) or new_login(cluster, user))
    return people


def _limits(cluster: Cluster, awards: list[Award]) -> dict[int, int]:
    """What is ready, on top of what was used there: a cluster counts from the first job on."""
    standing = ledger.balances_of(awards)
    rows = UsageRecord.objects.filter(cluster=cluster, award__in=awards).order_by().values("award")
    used = dict(rows.annotate(sum=Sum("gpu_seconds")).values_list("award", "sum"))
    return {award.pk: standing[award.pk][Account.READY] + used.get(award.pk, 0) for award in awards}


def _slots(cluster: Cluster, awards: list[Award], now: datetime) -> Iterable[DesiredReservation]:
    rows = Reservation.objects.filter(gpu__cluster=cluster, award__in=awards, state__in=ON_THE_CLUSTER)
    for slot in grouped(rows.filter(ends_at__gt=now)):
        first = slot[0]
        yield DesiredReservation(
            name=name_there(slot),
            account=first.award.account_name,
            node=first.gpu.node,
            gpu_indexes=tuple(sorted(row.gpu.index for row in slot)),
            gpu_type=first.gpu.gpu_type.key,
            starts_at=first.starts_at,
            ends_at=first.ends_at,
        )


def grouped(rows: Iterable[Reservation]) -> list[list[Reservation]]:
    """The rows of each slot, slots by their beginning; with what a slot needs to be told."""
    slots: dict[str, list[Reservation]] = defaultdict(list)
    for row in rows.select_related("award", "gpu__gpu_type").order_by("starts_at", "pk"):  # type: ignore[attr-defined]
        slots[row.slot_name].append(row)
    return list(slots.values())


def name_there(slot: list[Reservation]) -> str:
    """The slot's name on the cluster: its account and the number of its first row, which never changes."""
    return names.slot_name(slot[0].award.account_name, min(row.pk for row in slot))
