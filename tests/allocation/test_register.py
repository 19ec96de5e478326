"""The public register: every accepted award, nobody's private word, constant queries."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from allocation import register
from allocation.models import Award
from grants.models import Application
from tests import factories
from tests.bench.pages import add_copies

pytestmark = pytest.mark.django_db


def told_at(path: str) -> str:
    return Client().get(path).getvalue().decode()


def test_an_award_stands_in_the_register_once_it_is_accepted() -> None:
    offered = factories.an_award(accepted=False)
    assert offered.account_name not in Client().get("/register/").content.decode()
    accepted = factories.an_award()
    page = Client().get("/register/").content.decode()
    assert accepted.account_name in page
    assert accepted.application.group_name in page
    assert accepted.application.owner.email not in page


def test_a_person_who_applied_alone_is_not_named() -> None:
    award = factories.an_award()
    Application.objects.filter(pk=award.application_id).update(group_kind="person", group_name="Jane Doe")
    for path in ("/register/", "/register.csv", "/register.json"):
        told = told_at(path)
        assert "Jane Doe" not in told
        assert "Individual recipient" in told


def test_the_files_hold_what_the_page_shows() -> None:
    award = factories.an_award()
    rows = list(csv.DictReader(io.StringIO(told_at("/register.csv"))))
    assert [row["award"] for row in rows] == [award.account_name]
    assert rows[0]["hours_granted"] == "150"
    told = json.loads(told_at("/register.json"))["awards"]
    assert told[0]["granted_gpu_seconds"] == award.gpu_seconds


def test_filters_that_name_nothing_show_an_empty_page() -> None:
    factories.an_award()
    for query in ("?call=nothing", "?sdg=17", "?sdg=x", "?sdg=९", "?page=999", "?call=%00"):
        assert Client().get("/register/" + query).status_code == 200


def test_the_register_costs_the_same_for_1_and_for_30(django_assert_num_queries: Any) -> None:
    award = factories.an_award()
    world = {"award": award}
    counts = []
    register.totals()  # they are kept for a minute
    for more in (0, 29):
        add_copies(world, more)
        with django_assert_num_queries(8, exact=False) as queries:
            assert Client().get("/register/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Award.objects.count() >= 30


def test_the_files_hold_every_award_and_are_read_in_parts(monkeypatch: Any) -> None:
    monkeypatch.setattr(register, "PART", 3)
    add_copies({"award": factories.an_award()}, 7)
    accepted = set(
        Award.objects.filter(state__in=register.PUBLIC_STATES).values_list("account_name", flat=True)
    )
    rows = list(csv.DictReader(io.StringIO(told_at("/register.csv"))))
    told = json.loads(told_at("/register.json"))["awards"]
    assert len(rows) == len(told) == len(accepted) > 7
    assert {row["award"] for row in rows} == {row["award"] for row in told} == accepted


def test_an_empty_register_is_still_a_table_and_json() -> None:
    assert told_at("/register.csv").startswith('"award"')
    assert json.loads(told_at("/register.json")) == {"awards": []}
    assert "No award stands here yet" in told_at("/register/")


def test_a_title_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    award = factories.an_award()
    Application.objects.filter(pk=award.application_id).update(title="=HYPERLINK(0)")
    assert '"\'=HYPERLINK(0)"' in told_at("/register.csv")


PRIVATE = {
    "problem": "CANARY problem",
    "outcome_text": "CANARY outcome",
    "ask_reason": "CANARY reason",
    "done_so_far": "CANARY done",
    "shares_why": "CANARY shares",
    "contact_phone": "CANARY phone",
    "contact_email": "canary@example.org",
    "known_reviewers": "CANARY known",
    "state_reason": "CANARY state",
}


def test_no_private_answer_reaches_the_register() -> None:
    award = factories.an_award()
    Application.objects.filter(pk=award.application_id).update(**PRIVATE)
    for path in ("/register/", "/register.csv", "/register.json"):
        told = told_at(path)
        assert award.account_name in told
        assert "canary" not in told.lower()
        assert award.application.owner.email not in told
