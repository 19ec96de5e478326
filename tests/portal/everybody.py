"""One small world with everybody in it, and who stands how to each row. Called by the tests of rights and of leaks.

The relations are written by hand here, so that a wrong query in a queryset does not also move what is expected.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models, transaction
from django.test import Client

from allocation import awards, reports, reservations, usage
from allocation.models import AllocationRun, Award
from grants import calls, reviews
from grants.models import Application, Recusal, Review
from portal import people
from portal.access import MATRIX
from portal.models import AuditEntry, Mail, User
from tests import factories as make
from tests.allocation.awarded import a_decided_call, a_simulated_cluster, just_now

ROLES = [
    "visitor",
    "owner",
    "co_applicant",
    "assigned",
    "undeclared",
    "recused",
    "other_reviewer",
    "chair",
    "other_chair",
    "chair_applicant",
    "funder",
    "other_funder",
    "operator",
    "superuser",
]
CHAIRS = ("chair", "other_chair", "chair_applicant")
REVIEWERS = ("assigned", "undeclared", "recused", "other_reviewer")
OPERATORS = ("operator", "superuser")
# Which roles can stand in a relation, for pages that are not about one row.
CAN_BE = {
    "chair": CHAIRS,
    "self": REVIEWERS,
    "operator": OPERATORS,
    "funder": ("funder", "other_funder"),
}


@dataclass(frozen=True)
class Thing:
    """A row, its kinds in MATRIX, and by which relations each role stands to it."""

    row: models.Model
    kinds: tuple[str, ...]
    relations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    has_pages: bool = True

    def is_given(
        self, role: str, right: str, as_: tuple[str, ...] | None = None, kinds: tuple[str, ...] | None = None
    ) -> bool:
        """What the table says, from the relations written here."""
        stands_in = {*self.relations.get(role, ()), "visitor"}
        return any(
            right in rights and relation in stands_in and (as_ is None or relation in as_)
            for kind in self.kinds
            if kinds is None or kind in kinds
            for relation, rights in MATRIX[kind].items()
        )


@dataclass(frozen=True)
class World:
    users: Mapping[str, Any]
    things: Mapping[str, Thing]

    def __getitem__(self, name: str) -> Any:
        return self.things[name].row

    def of_kinds(self, kinds: tuple[str, ...]) -> dict[str, Thing]:
        """Rows of the models that have these kinds, whichever of them the row is."""
        shown = {name: thing for name, thing in self.things.items() if thing.has_pages}
        types = {type(thing.row) for thing in shown.values() if set(thing.kinds) & set(kinds)}
        return {name: thing for name, thing in shown.items() if type(thing.row) in types}

    def client(self, role: str) -> Client:
        client = Client(raise_request_exception=False)
        if role != "visitor":
            client.force_login(self.users[role])
        return client


def relations(**named: str) -> dict[str, tuple[str, ...]]:
    return {role: tuple(relation.split("+")) for role, relation in named.items()}


def chaired_by(*roles: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(roles, ("chair",))


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def a_world() -> World:
    decided = a_decided_call(asks=[100, 50])
    award, own_award = Award.objects.filter(pool__call=decided).order_by("application")
    for each in (award, own_award):
        awards.accept(award=each, by=each.application.owner, now=just_now() - timedelta(days=3))
    users = people_of(decided, award, own_award)
    things = {
        **of_the_open_call(users),
        **of_the_decided_call(users, award, own_award),
        **of_the_foreign_call(users),
        **of_the_cluster(award),
        **of_the_site(users, award),
    }
    return World(users, things)


def people_of(decided: Any, award: Award, own_award: Award) -> dict[str, Any]:
    now = just_now()
    chair_applicant = own_award.application.owner
    people.give_role(user=chair_applicant, role="chair", by=None, now=now)
    chair_applicant.refresh_from_db()
    calls.add_chair(call=decided, chair=chair_applicant, by=None, now=now)
    return {
        "visitor": AnonymousUser(),
        "owner": award.application.owner,
        "co_applicant": make.a_co_applicant(award.application),
        "assigned": award.application.assignments.first().reviewer,
        "undeclared": make.a_reviewer(),
        "recused": make.a_reviewer(),
        "other_reviewer": make.a_reviewer(),
        "chair": decided.chairs.exclude(pk=chair_applicant.pk).get(),
        "other_chair": make.a_chair(),
        "chair_applicant": chair_applicant,
        "funder": make.a_funder(award.pool.funder),
        "other_funder": make.a_funder(),
        "operator": make.an_operator(),
        "superuser": User.objects.create_superuser("root@example.org"),
    }


def of_the_open_call(users: Mapping[str, Any]) -> dict[str, Thing]:
    """The call in which everybody is busy: drafts, an application under review, a chair's own one."""
    now = just_now()
    call = make.an_open_call(chair=users["chair"])
    calls.add_chair(call=call, chair=users["chair_applicant"], by=None, now=now)
    application = make.an_application(call=call, owner=users["owner"])
    own = make.an_application(call=call, owner=users["chair_applicant"])
    draft = make.a_draft(call=make.an_open_call(chair=users["chair"]), owner=users["owner"])
    hidden = calls.create_from_preset(
        preset="standard",
        slug="hidden",
        title="Not yet",
        summary="A call that nobody sees.",
        zone="UTC",
        dates=make.some_dates(opens=now + timedelta(days=9), closes=now + timedelta(days=20)),
        largest_ask_gpu_seconds=make.HOUR,
        chair=users["chair"],
        now=now,
    )
    group = relations(owner="owner", co_applicant="co-applicant")
    both = chaired_by("chair", "chair_applicant")
    mine = {"chair_applicant": ("owner",), "chair": ("chair",)}
    return {
        "call": Thing(call, ("call",), both),
        "hidden call": Thing(hidden, ("unpublished call",), chaired_by("chair")),
        "draft": Thing(draft, ("draft",), group | chaired_by("chair")),
        "application": Thing(
            application, ("application",), group | both | relations(assigned="assigned reviewer")
        ),
        "own application": Thing(own, ("application",), mine),
        "group": Thing(application.group, ("group",), group),
        "receipt": Thing(application.receipts.get(), ("application",), group | both, has_pages=False),
        **of_the_review(users, application, both),
    }


def of_the_review(users: Mapping[str, Any], application: Application, both: Any) -> dict[str, Thing]:
    now = just_now()
    assigned = make.an_assignment(application, reviewer=users["assigned"])
    undeclared = make.an_assignment(application, reviewer=users["undeclared"], declared=False)
    recused = make.an_assignment(application, reviewer=users["recused"])
    reviews.recuse(assignment=recused, kind="family", by=users["recused"], now=now)
    words = {"strength": "Clear.", "fix": "Shorter.", "harm": "none", "harm_note": ""}
    points = dict.fromkeys(application.call.criteria.values_list("key", flat=True), 3)
    reviews.save_review(assignment=assigned, by=users["assigned"], scores=points, now=now, **words)
    return {
        "assignment": Thing(assigned, ("assignment",), both | relations(assigned="self")),
        "undeclared assignment": Thing(undeclared, ("assignment",), both | relations(undeclared="self")),
        "recused assignment": Thing(recused, ("assignment",), both),
        "review": Thing(
            Review.objects.get(assignment=assigned), ("review",), both | relations(assigned="self")
        ),
        "recusal": Thing(Recusal.objects.get(), ("recusal",), both | relations(recused="self")),
    }


def of_the_decided_call(users: Mapping[str, Any], award: Award, own_award: Award) -> dict[str, Thing]:
    now = just_now()
    group = relations(owner="owner", co_applicant="co-applicant")
    both = chaired_by("chair", "chair_applicant")
    mine = {"chair_applicant": ("owner",), "chair": ("chair",)}
    call, pool = award.pool.call, award.pool
    funds = relations(funder="funder")
    run = AllocationRun.objects.get(call=call)
    open_run = make.a_proposed_run(make.a_scored_call(points=(4,)))
    calls.add_chair(call=open_run.call, chair=users["chair"], by=None, now=now)
    report = reports.request(kind="call", subject=call, by=None, language="en", now=now)
    reviewed = relations(assigned="assigned reviewer")
    return {
        "decided call": Thing(call, ("call",), both),
        "decided application": Thing(award.application, ("application",), group | both | reviewed),
        "pool": Thing(pool, ("pool",), both | funds),
        "ranking": Thing(run.ranking, ("ranking",), both),
        "open run": Thing(open_run, ("open run",), chaired_by("chair")),
        "released run": Thing(run, ("released run",), both),
        "decision": Thing(award.decision, ("decision",), group | both),
        "own decision": Thing(own_award.decision, ("decision",), mine),
        "award": Thing(award, ("award",), group | both | funds),
        "own award": Thing(own_award, ("award",), mine | funds),
        "movement": Thing(award.movements.first(), ("movement",), group | both | funds),
        "report": Thing(report, ("report",), both | funds),
    }


def of_the_foreign_call(users: Mapping[str, Any]) -> dict[str, Thing]:
    """Somebody else's call, to which most have no relation at all."""
    call = make.an_open_call(chair=users["other_chair"])
    calls_pool, now = call.pools.get(), just_now()
    calls.seat(funder=calls_pool.funder, user=users["other_funder"], by=None, now=now)
    application = make.an_application(call=call)
    assignment = make.an_assignment(application, reviewer=users["other_reviewer"])
    report = reports.request(kind="call", subject=call, by=None, language="en", now=now)
    theirs, funds = chaired_by("other_chair"), relations(other_funder="funder")
    return {
        "foreign call": Thing(call, ("call",), theirs),
        "foreign draft": Thing(make.a_draft(call=call), ("draft",), theirs),
        "foreign application": Thing(
            application, ("application",), theirs | relations(other_reviewer="assigned reviewer")
        ),
        "foreign assignment": Thing(assignment, ("assignment",), theirs | relations(other_reviewer="self")),
        "foreign group": Thing(application.group, ("group",)),
        "foreign pool": Thing(calls_pool, ("pool",), theirs | funds),
        "foreign report": Thing(report, ("report",), theirs | funds),
    }


def of_the_cluster(award: Award) -> dict[str, Thing]:
    now = just_now()
    cluster = a_simulated_cluster()
    for _round in range(2):
        reservations.plan(cluster=cluster, now=now)
        reservations.reconcile(cluster=cluster, now=now)
    usage.meter(cluster=cluster, now=now + timedelta(hours=5))
    both = chaired_by("chair", "chair_applicant")
    used = relations(owner="owner", co_applicant="co-applicant", operator="operator", superuser="operator")
    things = {
        "reservation": Thing(award.reservations.first(), ("reservation",), both | used),
        "usage record": Thing(award.usage_records.first(), ("usage record",), both | used),
        "cluster": Thing(cluster, ("cluster",), dict.fromkeys(OPERATORS, ("operator",))),
        "gpu": Thing(cluster.gpus.first(), ("cluster",), dict.fromkeys(OPERATORS, ("operator",)), False),
    }
    assert all(thing.row is not None for thing in things.values())
    return things


def of_the_site(users: Mapping[str, Any], award: Award) -> dict[str, Thing]:
    operators = dict.fromkeys(OPERATORS, ("operator",))
    chairs = chaired_by(*CHAIRS)
    return {
        "person": Thing(users["owner"], ("person",), operators | relations(owner="self")),
        "reviewer": Thing(
            users["assigned"], ("person", "reviewer"), operators | chairs | relations(assigned="self")
        ),
        "audit entry": Thing(AuditEntry.objects.first(), ("audit entry",), operators),
        "mail": Thing(Mail.objects.first(), ("mail",), operators),
        "funding body": Thing(
            award.pool.funder, ("funder",), operators | chairs | relations(funder="funder")
        ),
    }
