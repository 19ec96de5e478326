"""Who may do what: one table, and the only two ways by which rows are fetched for a person.

`MATRIX` says which relation to a row gives which rights. Each queryset knows how to find the rows to which
a person stands in a relation (`relations`); `visible_to` joins the two, so that the table is what runs.
`PAGES` names every URL with the kind of row that it shows; tests crawl both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Q
from django.http import Http404

READ, WRITE = "read", "write"
R, RW = frozenset({READ}), frozenset({READ, WRITE})
NOTHING: frozenset[str] = frozenset()
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
