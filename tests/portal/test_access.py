"""Who may open what: each page of the site and of the workroom, for everybody, against the table in portal.access."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.test import Client

from allocation import reports
from allocation.models import Report
from allocation.queries import AwardQuerySet
from grants.models import Pool
from grants.queries import ApplicationQuerySet
from portal.access import MATRIX, PAGES, READ, WRITE, Rows, VisibleQuerySet
from portal.models import Heartbeat
from tests.portal.crawling import MISSING, NEVER_THERE, address, crawl, hostile_paths, own_urls, visits
from tests.portal.everybody import ROLES, World, a_world, just_now, undone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_one_step")]


@pytest.fixture
def with_one_step(settings: Any) -> None:
    """The second factor has its own test; the demo's page of mails is crawled as well."""
    settings.STAFF_NEEDS_MFA, settings.IS_DEMO = False, True


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once: no test here changes it, and at the end it is gone."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = a_world()
        Heartbeat.objects.create(name="queue", beat_at=just_now())
        Report.objects.update(pdf=b"%PDF-1.7", state="ready")
        yield made
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def clients(world: World) -> dict[str, Client]:
    return {role: world.client(role) for role in ROLES}


def test_every_page_stands_in_the_table() -> None:
    assert set(own_urls()) - {NEVER_THERE} == set(PAGES)


def test_each_page_gives_each_person_what_the_table_says(world: World, clients: dict[str, Client]) -> None:
    faults = crawl(world, clients)
    assert not faults, "\n".join(faults)


def all_querysets() -> dict[type, VisibleQuerySet[Any]]:
    rows = {model: model._default_manager.all() for model in apps.get_models()}
    return {model: found for model, found in rows.items() if isinstance(found, VisibleQuerySet)}


def seen_wrongly(world: World) -> list[str]:
    """Where `visible_to` differs from the table and the relations written in tests.portal.everybody."""
    wrong = []
    for label, thing in world.things.items():
        rows = type(thing.row)._default_manager
        for role, user in world.users.items():
            for right in (READ, WRITE):
                seen = rows.visible_to(user, right).filter(pk=thing.row.pk).exists()
                if seen != thing.is_given(role, right):
                    wrong.append(f"{role} {right} {label}: {seen}")
    return wrong


def test_every_kind_of_row_is_in_the_table_and_in_this_world(world: World) -> None:
    kinds = {kind for rows in all_querysets().values() for kind in rows.kinds}
    assert kinds == set(MATRIX)
    assert kinds == {kind for thing in world.things.values() for kind in thing.kinds}
    assert all(set(page.kinds) <= kinds for page in PAGES.values() if isinstance(page, Rows))


def test_every_relation_of_the_table_is_known_to_its_queryset() -> None:
    for model, rows in all_querysets().items():
        named = {relation for kind in rows.kinds for relation in MATRIX[kind]} - {"visitor"}
        assert named <= set(rows.relations), model


def test_each_person_sees_the_rows_that_the_table_says(world: World) -> None:
    assert seen_wrongly(world) == []


def test_a_person_who_is_no_longer_active_sees_what_visitors_see(world: World) -> None:
    for role in ROLES[1:]:
        user = world.users[role]
        user.is_active = False
        try:
            for thing in world.things.values():
                seen = type(thing.row)._default_manager.visible_to(user).filter(pk=thing.row.pk).exists()
                assert seen == thing.is_given("visitor", READ), (role, thing)
        finally:
            user.is_active = True


def test_one_of_two_funders_reads_no_report_on_an_award_from_the_other_ones_hours(world: World) -> None:
    award, call, user = world["award"], world["decided call"], world.users["other_funder"]
    now = just_now()
    with undone():
        of_award = reports.request(kind="award", subject=award, by=None, language="en", now=now)
        assert Report.objects.visible_to(world.users["funder"]).filter(pk=of_award.pk).exists()
        funder = world["foreign pool"].funder
        Pool.objects.create(call=call, funder=funder, gpu_type=award.pool.gpu_type, gpu_seconds=3600)
        assert Report.objects.visible_to(user).filter(pk=world["report"].pk).exists()
        assert not Report.objects.visible_to(user).filter(pk=of_award.pk).exists()


# The table that was promised, in the words of MATRIX; "r" read, "w" write. Kinds that it did not name stand below it.
PROMISED = {
    "call": {"visitor": "r", "chair": "rw"},
    "draft": {"owner": "rw", "co-applicant": "rw"},
    "application": {"owner": "rw", "co-applicant": "r", "assigned reviewer": "r", "chair": "r"},
    "review": {"self": "rw", "chair": "r"},
    "decision": {"owner": "r", "co-applicant": "r", "chair": "rw"},
    "award": {"owner": "rw", "co-applicant": "r", "chair": "rw", "funder": "r"},
    "movement": {"owner": "r", "co-applicant": "r", "chair": "r", "funder": "r"},
    "usage record": {"owner": "r", "co-applicant": "r", "chair": "r", "operator": "r"},
    "report": {"chair": "rw", "funder": "r"},
    "person": {"self": "rw", "operator": "rw"},
    "audit entry": {"operator": "r"},
    "mail": {"operator": "r"},
    "reviewer": {"chair": "r"},
    "recusal": {"self": "r", "chair": "r"},
    "assignment": {"self": "rw", "chair": "rw"},
    "group": {"owner": "rw", "co-applicant": "r"},
    "funder": {"funder": "r", "chair": "r", "operator": "rw"},
    "unpublished call": {"chair": "rw"},
    "pool": {"funder": "r", "chair": "rw"},
    "ranking": {"chair": "r"},
    "open run": {"chair": "rw"},
    "released run": {"visitor": "r", "chair": "rw"},
    "reservation": {"owner": "r", "co-applicant": "r", "chair": "r", "operator": "rw"},
    "cluster": {"operator": "rw"},
}


def table() -> dict[str, dict[str, str]]:
    letters = {frozenset({READ}): "r", frozenset({READ, WRITE}): "rw"}
    return {
        kind: {relation: letters[rights] for relation, rights in line.items()}
        for kind, line in MATRIX.items()
    }


def test_the_table_is_the_one_that_was_promised() -> None:
    assert table() == PROMISED


class TestABrokenTwin:
    """The crawl must notice each of these; else it shows nothing."""

    def test_a_right_taken_out_is_noticed(
        self, world: World, clients: dict[str, Client], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert crawl(world, clients, ["award"]) == []
        blind = {**AwardQuerySet.relations, "funder": lambda user: None}
        monkeypatch.setattr(AwardQuerySet, "relations", blind)
        assert crawl(world, clients, ["award"]) == [
            "funder get award (award): 404 ",
            "funder get award (own award): 404 ",
        ]
        assert "funder read award: False" in seen_wrongly(world)

    def test_rows_for_everybody_are_noticed(
        self, world: World, clients: dict[str, Client], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            AwardQuerySet, "relations", {**AwardQuerySet.relations, "owner": lambda user: Q()}
        )
        faults = crawl(world, clients, ["award", "accept_award"])
        assert "other_reviewer get award (award): 200 " in faults
        assert any(each.startswith("other_chair post accept_award") for each in faults)

    def test_a_reviewer_who_reads_before_declaring_is_noticed(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        too_early = {"assigned reviewer": lambda user: Q(pk__in=user.assignments.values("application"))}
        monkeypatch.setattr(ApplicationQuerySet, "relations", {**ApplicationQuerySet.relations, **too_early})
        found = seen_wrongly(world)
        assert "undeclared read application: True" in found
        assert "recused read application: True" in found

    def test_a_page_without_its_check_is_noticed(
        self, world: World, clients: dict[str, Client], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As if the view had fetched its row past `visible_to`."""
        monkeypatch.setattr(VisibleQuerySet, "visible_to", lambda rows, *args, **named: rows)
        assert len(crawl(world, clients, ["decision", "admin:allocation_award_change"])) > 20

    def test_a_page_that_the_table_misses_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(PAGES, "award")  # type: ignore[arg-type]
        assert set(own_urls()) - {NEVER_THERE} - set(PAGES) == {"award"}


HOSTILE = ["0", "-1", "9" * 40, "٠", "%00", "1%00", "_00", "1_2F2", "1%27--", "%F0%9F%92%A3", "..%2f1", "%0A"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_an_id_that_cannot_be_answers_404_and_never_500(clients: dict[str, Client], hostile: str) -> None:
    for name, path in hostile_paths(hostile):
        for role in ("chair" if name.startswith("admin:") else "owner", "operator"):
            with undone():
                response = clients[role].get(path)
            assert response.status_code in (302, 404, 405), (path, role, response.status_code)


def test_answers_to_what_is_hidden_and_to_what_is_missing_are_the_same_bytes(
    world: World, clients: dict[str, Client]
) -> None:
    """Else a stranger could learn which ids there are."""
    tried = 0
    for visit in visits(world, {"application", "check", "decision", "award", "report_html", "report_pdf"}):
        if visit.thing is None or visit.is_given("other_reviewer", "get"):
            continue
        missing = address(visit.name, own_urls()[visit.name], MISSING)
        hidden = clients["other_reviewer"].get(visit.path)
        nothing = clients["other_reviewer"].get(missing)
        assert hidden.content.decode().replace(visit.path, missing) == nothing.content.decode()
        assert {**hidden.headers} == {**nothing.headers}
        tried += 1
    assert tried > 10
