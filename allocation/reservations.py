"""Reservations: planned from hours that are ready, made on the cluster, given up again.

Called by the worker (allocation.tasks), the commands plan and reconcile, the demo and the operator's admin.
"""

import shlex
from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from allocation import awards, ledger, planning
from allocation.attaching import attach
from allocation.clusters import comparison, words
from allocation.clusters.base import Change, ClusterAway, ClusterState, DesiredState, Driver, Kind
from allocation.desired import desired_state, grouped, name_there
from allocation.drivers import clock_from, driver_of, note_away
from allocation.logins import store_logins
from allocation.models import (
    Account,
    Award,
    AwardState,
    Cluster,
    Gpu,
    Maintenance,
    Reservation,
    ReservationState,
)
from allocation.slots import move_slot, pass_time
from portal import audit, mail
from portal.lib.names import new_slot_name
from portal.models import User
from portal.queue import defer
from portal.refused import Refused

__all__ = ["attach", "cancel_slot", "close_time", "desired_state", "plan", "reconcile"]

PLANNED, PLACED, CANCELLED = ReservationState.PLANNED, ReservationState.PLACED, ReservationState.CANCELLED


def plan(*, cluster: Cluster, now: datetime, dry_run: bool = False) -> list[str]:
    """Reserves GPUs for the ready hours of awards, the earliest fit first; one line for each difference.

    Two planners at once wait for each other at the GPUs' rows. Whoever books past these locks meets the
    database's own wall: then the plan is made once more from what is now there, and after that refused.
    """
    if dry_run:
        slots, untold = planning.propose(cluster, now)
        return [*map(str, slots), *untold]
    try:
        return _plan_once(cluster, now)
    except IntegrityError:
        pass
    try:
        return _plan_once(cluster, now)
    except IntegrityError as clash:
        raise Refused(_("Somebody books these GPUs at the same time. Plan again in a minute.")) from clash


def _plan_once(cluster: Cluster, now: datetime) -> list[str]:
    with transaction.atomic():
        hold_gpus(cluster)
        given_up = _give_up(cluster, now)
        slots, untold = planning.propose(cluster, now)
        store(slots, now)
    return [*given_up, *map(str, slots), *untold]


def hold_gpus(cluster: Cluster) -> None:
    """Keeps other planners of this cluster waiting until the transaction ends."""
    list(Gpu.objects.select_for_update().filter(cluster=cluster).order_by("pk").values_list("pk"))


def store(slots: Sequence[planning.NewSlot], now: datetime) -> None:
    """Writes new slots. The wall raises IntegrityError where a GPU is taken, and then none is written."""
    with transaction.atomic():
        for slot in slots:
            name = new_slot_name()
            rows = [
                Reservation(
                    award=slot.award,
                    gpu=gpu,
                    slot_name=name,
                    starts_at=slot.starts_at,
                    ends_at=slot.ends_at,
                    state=PLANNED,
                    state_since=now,
                )
                for gpu in slot.gpus
            ]
            first = Reservation.objects.bulk_create(rows)[0]
            audit.record(by=None, did="reservation.planned", subject=first, at=now, slot=name)


def _give_up(cluster: Cluster, now: datetime) -> list[str]:
    """Cancels slots that shall no longer be: of awards that may not run, and beyond the hours left.

    Where too much is reserved, the last slot goes first; the next plan places again what is left of it. A slot
    that has begun is left to the limit of its account, unless its award is over.
    """
    rows = Reservation.objects.filter(gpu__cluster=cluster, ends_at__gt=now)
    slots = grouped(rows.filter(state__in=["planned", "placed", "running"]))
    free = planning.free_gpu_seconds(list({slot[0].award_id: slot[0].award for slot in slots}.values()))
    lines = []
    for slot in reversed(slots):
        award, has_begun = slot[0].award, slot[0].starts_at <= now
        is_over = award.state not in (AwardState.ACCEPTED, AwardState.ACTIVE)
        is_idle = not has_begun and (award.paused_at is not None or free[award.pk] < 0)
        if is_over or is_idle:
            move_slot(slot_name=slot[0].slot_name, to=CANCELLED, by=None, now=now)
            free[award.pk] += sum(int((row.ends_at - row.starts_at).total_seconds()) for row in slot)
            lines.append(_say_given_up(slot))
    return lines


def _say_given_up(slot: list[Reservation]) -> str:
    told = {"account": slot[0].award.account_name, "starts": f"{slot[0].starts_at:%Y-%m-%d %H:%M}"}
    return _("%(account)s: the slot from %(starts)s UTC is given up") % told


def cancel_slot(*, slot_name: str, by: User | None, now: datetime) -> None:
    """Gives up a slot; the next reconcile takes it off the cluster. Its hours stay with the award."""
    if not move_slot(slot_name=slot_name, to=CANCELLED, by=by, now=now):
        raise Refused(_("This slot is over or was given up already."))


def close_time(
    *,
    cluster: Cluster,
    node: str,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    by: User | None,
    now: datetime,
) -> Maintenance:
    """Closes a node, or without a name the whole cluster, for a time.

    Slots in that time are given up, their groups are told, and new ones are planned.
    """
    if ends_at <= max(starts_at, now):
        raise Refused(_("The end must be later than the start and than now."), fields={"ends_at": _("Later")})
    if node and not cluster.gpus.filter(node=node).exists():
        raise Refused(_("There is no node %(node)s.") % {"node": node}, fields={"node": _("Unknown")})
    with transaction.atomic():
        hold_gpus(cluster)
        closed = Maintenance.objects.create(
            cluster=cluster, node=node, starts_at=starts_at, ends_at=ends_at, reason=reason[:200]
        )
        audit.record(by=by, did="cluster.closed", subject=closed, at=now)
        rows = Reservation.objects.filter(gpu__cluster=cluster, starts_at__lt=ends_at, ends_at__gt=starts_at)
        if node:
            rows = rows.filter(gpu__node=node)
        for slot in grouped(rows.filter(ends_at__gt=now)):
            if move_slot(slot_name=slot[0].slot_name, to=CANCELLED, by=by, now=now):
                _tell_closed(slot, closed, now)
        defer("allocation.tasks.tend_cluster", cluster.pk)
    return closed


def _tell_closed(slot: list[Reservation], closed: Maintenance, now: datetime) -> None:
    award = slot[0].award
    mail.queue(
        key=f"closed:{closed.pk}:{slot[0].slot_name}",
        to=award.application.owner,
        template="slot_closed",
        context={"award": award, "closed": closed, "starts_at": slot[0].starts_at, "zone": zone_of(award)},
        now=now,
    )


def zone_of(award: Award) -> str:
    """The zone in which a group reads its times: its owner's, or the call's where they chose none."""
    own = award.application.owner.zone
    return own if own != "UTC" else award.pool.call.zone


def reconcile(*, cluster: Cluster, now: datetime, dry_run: bool = False) -> list[str]:
    """Makes the cluster as the rows say: read, compare, apply, read again. One line for each difference.

    A dry run gives the very commands instead. Raises ClusterAway, with its reason kept for the operator;
    everything stands then, and the next reconcile catches up.
    """
    driver = driver_of(cluster, now)
    if dry_run:
        changes = _differences(driver, desired_state(cluster, now), now)[0]
        told = [words.describe(change) for change in changes if change.kind is Kind.UNKNOWN]
        return [*map(shlex.join, driver.commands_for(changes)), *told]
    store_logins(cluster)
    pass_time(cluster=cluster, now=now)
    try:
        return _apply(cluster, driver, now)
    except ClusterAway as away:
        note_away(cluster, away)
        raise


def _differences(driver: Driver, desired: DesiredState, now: datetime) -> tuple[list[Change], ClusterState]:
    state = driver.read_state()
    return comparison.compare(desired, state, driver.capabilities(), now), state


def _apply(cluster: Cluster, driver: Driver, now: datetime) -> list[str]:
    desired, clock = desired_state(cluster, now), clock_from(now)
    changes, state = _differences(driver, desired, clock())
    failures: dict[Change, str] = {}
    if any(change.kind is not Kind.UNKNOWN for change in changes):
        failures = {done.change: done.failure for done in driver.apply(changes) if not done.ok}
        left, state = _differences(driver, desired, clock())
    else:
        left = changes
    _note_seen(cluster, desired, left, state, now)
    told = "; ".join(f"{words.describe(change)} {why}" for change, why in failures.items())
    capabilities = driver.capabilities()
    Cluster.objects.filter(pk=cluster.pk).update(
        last_seen_at=now, last_error=told[:500], version=capabilities.version, unit=capabilities.unit
    )
    return [
        words.describe(change) + (f" {_('Failed:')} {failures[change]}" if change in failures else "")
        for change in changes
    ]


def _note_seen(
    cluster: Cluster, desired: DesiredState, left: list[Change], state: ClusterState, now: datetime
) -> None:
    """Awards become active and slots placed only by what the last reading showed."""
    wrong = {change.target for change in left}
    ready = [account.name for account in desired.accounts if account.name not in wrong]
    for award in Award.objects.filter(account_name__in=ready, state=AwardState.ACCEPTED).order_by("pk"):
        awards.activate(award=award, now=now)
    for slot in grouped(Reservation.objects.filter(gpu__cluster=cluster, state=PLANNED)):
        name = name_there(slot)
        if name in state.reservations and name not in wrong:
            _place(slot, now)
    pass_time(cluster=cluster, now=now)


def _place(slot: list[Reservation], now: datetime) -> None:
    award = slot[0].award
    with transaction.atomic():
        if move_slot(slot_name=slot[0].slot_name, to=PLACED, by=None, now=now):
            mail.queue(
                key=f"placed:{award.pk}",
                to=award.application.owner,
                template="placed",
                context={
                    "award": award,
                    "slot": slot[0],
                    "gpus": len(slot),
                    "ready_gpu_seconds": ledger.balances(award)[Account.READY],
                    "zone": zone_of(award),
                },
                now=now,
            )
