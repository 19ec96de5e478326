"""Questions about rankings, runs, awards, hours, clusters and reports; each returns a queryset."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from grants.queries import chaired, chaired_without_conflict, member, seated
from portal.access import VisibleQuerySet

if TYPE_CHECKING:
    from grants.models import Call


def _funded_calls(user: Any) -> Any:
    return user.funder_seats.values("funder__pools__call").exclude(funder__pools__call=None)


class RankingQuerySet(VisibleQuerySet[Any]):
    kinds = {"ranking": Q()}
    relations = {"chair": lambda user: chaired(user, "call")}


class RunQuerySet(VisibleQuerySet[Any]):
    kinds = {"open run": ~Q(state="released"), "released run": Q(state="released")}
    relations = {"chair": lambda user: chaired(user, "call")}

    def released(self) -> RunQuerySet:
        return self.filter(state="released")


class DecisionQuerySet(VisibleQuerySet[Any]):
    kinds = {"decision": Q()}
    relations = {
        "owner": lambda user: Q(run__state="released") & member(user, "application__group", "owner"),
        "co-applicant": lambda user: (
            Q(run__state="released") & member(user, "application__group", "co-applicant")
        ),
        "chair": lambda user: chaired_without_conflict(user, "run__call", "application"),
    }


class AwardQuerySet(VisibleQuerySet[Any]):
    kinds = {"award": Q()}
    relations = {
        "owner": lambda user: member(user, "application__group", "owner"),
        "co-applicant": lambda user: member(user, "application__group", "co-applicant"),
        "chair": lambda user: chaired_without_conflict(user, "pool__call", "application"),
        "funder": lambda user: seated(user, "pool__funder"),
    }

    def in_call(self, call: Call) -> AwardQuerySet:
        return self.filter(pool__call=call)

    def that_may_run(self) -> AwardQuerySet:
        """Accepted or active: they have an account on a cluster."""
        return self.filter(state__in=["accepted", "active"])


class LedgerEntryQuerySet(VisibleQuerySet[Any]):
    kinds = {"movement": Q()}
    relations = {
        "owner": lambda user: member(user, "award__application__group", "owner"),
        "co-applicant": lambda user: member(user, "award__application__group", "co-applicant"),
        "chair": lambda user: chaired_without_conflict(user, "pool__call", "award__application"),
        "funder": lambda user: seated(user, "pool__funder"),
    }


class ClusterQuerySet(VisibleQuerySet[Any]):
    kinds = {"cluster": Q()}
    relations = {"operator": lambda user: Q() if user.is_operator else None}


class GpuQuerySet(ClusterQuerySet):
    pass


class MaintenanceQuerySet(ClusterQuerySet):
    pass


class ReservationQuerySet(VisibleQuerySet[Any]):
    kinds = {"reservation": Q()}
    relations = {
        "owner": lambda user: member(user, "award__application__group", "owner"),
        "co-applicant": lambda user: member(user, "award__application__group", "co-applicant"),
        "chair": lambda user: chaired_without_conflict(user, "award__pool__call", "award__application"),
        "operator": lambda user: Q() if user.is_operator else None,
    }

    def live(self) -> ReservationQuerySet:
        return self.filter(state__in=["planned", "placed", "running", "ended"])

    def to_come(self, now: datetime) -> ReservationQuerySet:
        return self.filter(state__in=["planned", "placed", "running"], ends_at__gt=now)


class UsageRecordQuerySet(VisibleQuerySet[Any]):
    kinds = {"usage record": Q()}
    relations = {
        "owner": lambda user: member(user, "award__application__group", "owner"),
        "co-applicant": lambda user: member(user, "award__application__group", "co-applicant"),
        "chair": lambda user: chaired_without_conflict(user, "award__pool__call", "award__application"),
        "operator": lambda user: Q() if user.is_operator else None,
    }


class ReportQuerySet(VisibleQuerySet[Any]):
    kinds = {"report": Q()}
    relations = {
        "chair": lambda user: chaired(user, "call"),
        # One of several funders of a call reads the call's report, and of awards only those from own hours.
        "funder": lambda user: (
            Q(award=None, call__in=_funded_calls(user)) | seated(user, "award__pool__funder")
        ),
    }
