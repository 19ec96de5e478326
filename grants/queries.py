"""Questions about groups, calls, applications and reviews; each returns a queryset."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from portal.access import VisibleQuerySet

if TYPE_CHECKING:
    from grants.models import Call


def chaired(user: Any, path: str) -> Q | None:
    """Rows whose call (by its path) the person chairs."""
    return Q(**{f"{path}__in": user.chaired_calls.values("pk")}) if user.is_chair else None


def seated(user: Any, path: str) -> Q:
    """Rows whose funder (by its path) the person reads for."""
    return Q(**{f"{path}__in": user.funder_seats.values("funder")})


def member(user: Any, path: str, role: str) -> Q:
    """Rows whose group (by its path) the person belongs to in a role."""
    return Q(**{f"{path}__in": user.memberships.filter(role=role).values("group")})


class GroupQuerySet(VisibleQuerySet[Any]):
    kinds = {"group": Q()}
    relations = {
        "owner": lambda user: member(user, "pk", "owner"),
        "co-applicant": lambda user: member(user, "pk", "co-applicant"),
    }


class FunderQuerySet(VisibleQuerySet[Any]):
    kinds = {"funder": Q()}
    relations = {
        "funder": lambda user: seated(user, "pk"),
        "chair": lambda user: Q() if user.is_chair else None,
        "operator": lambda user: Q() if user.is_operator else None,
    }


class CallQuerySet(VisibleQuerySet[Any]):
    kinds = {"unpublished call": Q(published_at__isnull=True), "call": Q(published_at__isnull=False)}
    relations = {"chair": lambda user: chaired(user, "pk")}

    def open_at(self, now: datetime) -> CallQuerySet:
        return self.filter(published_at__lte=now, opens_at__lte=now, closes_at__gt=now)

    def announced_at(self, now: datetime) -> CallQuerySet:
        return self.filter(published_at__lte=now, opens_at__gt=now)

    def closed_at(self, now: datetime) -> CallQuerySet:
        return self.filter(published_at__lte=now, closes_at__lte=now)


class PoolQuerySet(VisibleQuerySet[Any]):
    kinds = {"pool": Q()}
    relations = {
        "funder": lambda user: seated(user, "funder"),
        "chair": lambda user: chaired(user, "call"),
    }


class ApplicationQuerySet(VisibleQuerySet[Any]):
    kinds = {"draft": Q(state="draft"), "application": ~Q(state="draft")}
    relations = {
        "owner": lambda user: member(user, "group", "owner"),
        "co-applicant": lambda user: member(user, "group", "co-applicant"),
        "assigned reviewer": lambda user: (
            Q(pk__in=user.assignments.filter(declared_at__isnull=False).values("application"))
            & ~Q(pk__in=user.recusals.values("application"))
        ),
        "chair": lambda user: chaired_without_conflict(user, "call", "pk"),
    }

    def in_call(self, call: Call) -> ApplicationQuerySet:
        return self.filter(call=call)

    def submitted(self) -> ApplicationQuerySet:
        return self.filter(state="submitted")


def chaired_without_conflict(user: Any, call_path: str, application_path: str) -> Q | None:
    """A chair sees their calls' rows, but not of applications that they stood back from or of own groups."""
    chairs = chaired(user, call_path)
    if chairs is None:
        return None
    # NOT IN finds nothing at all once its list holds a NULL, as it would for a group without applications.
    own = user.memberships.filter(group__applications__isnull=False).values("group__applications")
    stood_back = user.recusals.values("application")
    return chairs & ~Q(**{f"{application_path}__in": stood_back}) & ~Q(**{f"{application_path}__in": own})


class ReceiptQuerySet(VisibleQuerySet[Any]):
    kinds = {"application": Q()}
    relations = {
        "owner": lambda user: member(user, "application__group", "owner"),
        "co-applicant": lambda user: member(user, "application__group", "co-applicant"),
        "assigned reviewer": lambda user: None,
        "chair": lambda user: chaired_without_conflict(user, "call", "application"),
    }

    def newest_first(self) -> ReceiptQuerySet:
        return self.order_by("-sequence")


class AssignmentQuerySet(VisibleQuerySet[Any]):
    kinds = {"assignment": Q()}
    relations = {
        "self": lambda user: Q(reviewer=user.pk) & ~Q(application__in=user.recusals.values("application")),
        "chair": lambda user: chaired_without_conflict(user, "application__call", "application"),
    }

    def standing(self) -> AssignmentQuerySet:
        """Assignments of applications that are still in the call."""
        return self.filter(application__state="submitted")


class ReviewQuerySet(VisibleQuerySet[Any]):
    kinds = {"review": Q()}
    relations = {
        "self": lambda user: (
            Q(assignment__reviewer=user.pk)
            & ~Q(assignment__application__in=user.recusals.values("application"))
        ),
        "chair": lambda user: chaired_without_conflict(
            user, "assignment__application__call", "assignment__application"
        ),
    }

    def submitted(self) -> ReviewQuerySet:
        return self.filter(submitted_at__isnull=False)


class RecusalQuerySet(VisibleQuerySet[Any]):
    kinds = {"recusal": Q()}
    relations = {
        "self": lambda user: Q(reviewer=user.pk),
        "chair": lambda user: chaired_without_conflict(user, "application__call", "application"),
    }
