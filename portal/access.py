"""Who may do what: one table, and the only two ways by which rows are fetched for a person.

`MATRIX` says which relation to a row gives which rights. Each queryset knows how to find the rows to which
a person stands in a relation (`relations`); `visible_to` joins the two, so that the table is what runs.
`PAGES` names every URL with the kind of row that it shows; tests crawl both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Q
from django.http import Http404

READ, WRITE = "read", "write"
R, RW = frozenset({READ}), frozenset({READ, WRITE})
EVERY_ROW = Q(pk__isnull=False)

# kind of row -> relation of the person to the row -> rights. What is not named here answers 404.
MATRIX: Mapping[str, Mapping[str, frozenset[str]]] = {
    "person": {"self": RW, "operator": RW},
    "reviewer": {"chair": R},
    "audit entry": {"operator": R},
    "mail": {"operator": R},
    "group": {"owner": RW, "co-applicant": R},
    "funder": {"funder": R, "chair": R, "operator": RW},
    "unpublished call": {"chair": RW},
    "call": {"visitor": R, "chair": RW},
    "draft": {"owner": RW, "co-applicant": RW},
    "application": {"owner": RW, "co-applicant": R, "assigned reviewer": R, "chair": R},
    "assignment": {"self": RW, "chair": RW},
    "review": {"self": RW, "chair": R},
    "recusal": {"self": R, "chair": R},
    "pool": {"funder": R, "chair": RW},
    "ranking": {"chair": R},
    "open run": {"chair": RW},
    "released run": {"visitor": R, "chair": RW},
    "decision": {"owner": R, "co-applicant": R, "chair": RW},
    "award": {"owner": RW, "co-applicant": R, "chair": RW, "funder": R},
    "movement": {"owner": R, "co-applicant": R, "chair": R, "funder": R},
    "reservation": {"owner": R, "co-applicant": R, "chair": R, "operator": RW},
    "usage record": {"owner": R, "co-applicant": R, "chair": R, "operator": R},
    "cluster": {"operator": RW},
    "report": {"chair": RW, "funder": R},
}

Person = Any  # User | AnonymousUser: the models import this module
Relation = Callable[[Person], Q | None]
Row = TypeVar("Row", bound=models.Model)


class VisibleQuerySet(models.QuerySet[Row]):
    """A queryset whose rows a person sees only by a right in MATRIX.

    `kinds` splits the rows of a model (a draft is not yet an application); each has its line in the table.
    `relations` maps a relation's name to the rows to which the person stands in it, or None for no row.
    """

    kinds: ClassVar[Mapping[str, Q]] = {}
    relations: ClassVar[Mapping[str, Relation]] = {}

    def visible_to(self, user: Person, right: str = READ, *, as_: Collection[str] | None = None) -> Self:
        """The rows that the person may read (or write); `as_` counts only these relations to them."""
        seen = Q(pk__in=[])
        for kind, rows in self.kinds.items():
            for relation, rights in MATRIX[kind].items():
                if right not in rights or (as_ is not None and relation not in as_):
                    continue
                related = self._related(user, relation)
                if related is not None:
                    # An empty Q means every row, but `|` would drop it and leave none.
                    seen |= (rows & related) or EVERY_ROW
        return self.filter(seen)

    def _related(self, user: Person, relation: str) -> Q | None:
        if relation == "visitor":
            return Q()
        if isinstance(user, AnonymousUser) or not user.is_active:
            return None
        return self.relations[relation](user)


def get_visible(model: type[Row], user: Person, right: str = READ, **lookup: Any) -> Row:
    """The one row that the lookup names and the person may see; else Http404, as if it were not there."""
    return get_visible_from(model._default_manager.all(), user, right, **lookup)  # type: ignore[arg-type]


def get_visible_from(
    rows: VisibleQuerySet[Row],
    user: Person,
    right: str = READ,
    *,
    as_: Collection[str] | None = None,
    **lookup: Any,
) -> Row:
    """As `get_visible`, from a queryset that already says what comes with a row."""
    try:
        return rows.visible_to(user, right, as_=as_).get(**lookup)
    except (ObjectDoesNotExist, ValueError, OverflowError) as missing:
        raise Http404 from missing


# What each page is to the person who opens it; tests crawl every URL of the site and of the workroom.
PUBLIC, SIGNED_IN = "public", "signed in"


class Rows(NamedTuple):
    """A page about one row: for those to whom MATRIX gives the right, by one of these relations if named.

    `post` is the right that sending its form needs, where that is another one.
    """

    kinds: tuple[str, ...]
    right: str = READ
    as_: tuple[str, ...] | None = None
    post: str = ""


class Desk(NamedTuple):
    """A page for all who can stand in one of these relations; the rows on it come from `visible_to`."""

    as_: tuple[str, ...]


CALL, APPLICATION = ("unpublished call", "call"), ("draft", "application")
ASSIGNMENT, FUNDER, AWARD, REPORT = ("assignment",), ("funder",), ("award",), ("report",)
RANKING, RUN, RELEASED_RUN = ("ranking",), ("open run", "released run"), ("released run",)
RESERVATION, CLUSTER = ("reservation",), ("cluster",)
PERSON, POOL, DECISION = ("person",), ("pool",), ("decision",)
GROUP, CHAIR, OPERATOR = ("owner", "co-applicant"), ("chair",), ("operator",)
STAFF = ("chair", "self", "operator")

PAGES: Mapping[str, str | Rows | Desk] = {
    "home": PUBLIC,
    "help": PUBLIC,
    "help_topic": PUBLIC,
    "healthz": PUBLIC,
    "enter": PUBLIC,
    "demo_mail": PUBLIC,
    "calls": PUBLIC,
    "estimate": PUBLIC,
    "register": PUBLIC,
    "register_csv": PUBLIC,
    "register_json": PUBLIC,
    "my": SIGNED_IN,
    "call": Rows(CALL),
    "call_questions": Rows(CALL),
    "apply": Rows(CALL),
    "application": Rows(APPLICATION, as_=GROUP),
    "question": Rows(APPLICATION, WRITE, GROUP),
    "check": Rows(APPLICATION, READ, GROUP, post=WRITE),
    "receipt": Rows(APPLICATION, as_=GROUP),
    "receipt_content": Rows(APPLICATION, as_=GROUP),
    "withdraw": Rows(APPLICATION, WRITE, GROUP),
    "decision": Rows(DECISION),
    "award": Rows(AWARD),
    "accept_award": Rows(AWARD, WRITE),
    "progress_note": Rows(AWARD, WRITE),
    "give_back": Rows(AWARD, WRITE),
    "run": Rows(RELEASED_RUN),
    "run_bundle": Rows(RELEASED_RUN),
    "funder": Desk(("funder",)),
    "ask_for_report": Rows(POOL, as_=("funder",)),
    "ask_for_award_report": Rows(AWARD, as_=("funder",)),
    "report_pdf": Rows(REPORT),
    "report_html": Rows(REPORT),
    "report_csv": Rows(REPORT),
    "admin:login": Desk(STAFF),
    "admin:logout": Desk(STAFF),
    "admin:index": Desk(STAFF),
    "admin:app_list": Desk(STAFF),
    "admin:jsi18n": Desk(STAFF),
    "admin:portal_user_changelist": Desk(OPERATOR),
    "admin:portal_user_change": Rows(PERSON, READ, OPERATOR),
    "admin:portal_user_role": Rows(PERSON, WRITE, OPERATOR),
    "admin:portal_auditentry_changelist": Desk(OPERATOR),
    "admin:portal_mail_changelist": Desk(OPERATOR),
    "admin:grants_call_changelist": Desk(CHAIR),
    "admin:grants_call_add": Desk(CHAIR),
    "admin:grants_call_change": Rows(CALL, READ, CHAIR),
    "admin:grants_call_edit": Rows(CALL, WRITE, CHAIR),
    "admin:grants_call_rubric": Rows(CALL, WRITE, CHAIR),
    "admin:grants_call_add_pool": Rows(CALL, WRITE, CHAIR),
    "admin:grants_call_add_earmark": Rows(CALL, WRITE, CHAIR),
    "admin:grants_call_publish": Rows(CALL, WRITE, CHAIR),
    "admin:grants_application_changelist": Desk(CHAIR),
    "admin:grants_application_assign": Rows(APPLICATION, READ, CHAIR),
    "admin:grants_application_change": Rows(APPLICATION, READ, CHAIR),
    "admin:grants_application_identity": Rows(APPLICATION, READ, CHAIR),
    "admin:grants_application_ineligible": Rows(APPLICATION, READ, CHAIR),
    "admin:grants_application_restore": Rows(APPLICATION, READ, CHAIR),
    "admin:grants_assignment_changelist": Desk(("self",)),
    "admin:grants_assignment_change": Rows(ASSIGNMENT, WRITE, ("self",)),
    "admin:grants_funder_changelist": Desk(("chair", "operator")),
    "admin:grants_funder_add": Desk(OPERATOR),
    "admin:grants_funder_change": Rows(FUNDER, READ, ("chair", "operator")),
    "admin:grants_funder_seat": Rows(FUNDER, WRITE, OPERATOR),
    "admin:allocation_ranking_changelist": Desk(CHAIR),
    "admin:allocation_ranking_add": Desk(CHAIR),
    "admin:allocation_ranking_change": Rows(RANKING, READ, CHAIR),
    "admin:allocation_ranking_propose": Rows(RANKING, READ, CHAIR),
    "admin:allocation_allocationrun_changelist": Desk(CHAIR),
    "admin:allocation_allocationrun_change": Rows(RUN, READ, CHAIR),
    "admin:allocation_allocationrun_approve": Rows(RUN, WRITE, CHAIR),
    "admin:allocation_allocationrun_release": Rows(RUN, WRITE, CHAIR),
    "admin:allocation_allocationrun_discard": Rows(RUN, WRITE, CHAIR),
    "admin:allocation_award_changelist": Desk(CHAIR),
    "admin:allocation_award_change": Rows(AWARD, READ, CHAIR),
    "admin:allocation_award_pause": Rows(AWARD, WRITE, CHAIR),
    "admin:allocation_award_resume": Rows(AWARD, WRITE, CHAIR),
    "admin:allocation_award_revoke": Rows(AWARD, WRITE, CHAIR),
    "admin:allocation_report_changelist": Desk(CHAIR),
    "admin:allocation_report_add": Desk(CHAIR),
    "admin:allocation_report_change": Rows(REPORT, READ, CHAIR),
    "admin:allocation_report_again": Rows(REPORT, WRITE, CHAIR),
    "admin:allocation_cluster_changelist": Desk(OPERATOR),
    "admin:allocation_cluster_change": Rows(CLUSTER, READ, OPERATOR),
    "admin:allocation_cluster_close": Rows(CLUSTER, WRITE, OPERATOR),
    "admin:allocation_cluster_login": Rows(CLUSTER, WRITE, OPERATOR),
    "admin:allocation_reservation_changelist": Desk(OPERATOR),
    "admin:allocation_reservation_change": Rows(RESERVATION, READ, OPERATOR),
    "admin:allocation_reservation_cancel": Rows(RESERVATION, WRITE, OPERATOR),
}
