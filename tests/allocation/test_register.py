"""The public register: every accepted award, nobody's private word, constant queries."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from allocation.models import Award
from grants.models import Application
from tests import factories
from tests.bench.pages import add_copies

pytestmark = pytest.mark.django_db


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
        told = Client().get(path).content.decode()
        assert "Jane Doe" not in told
        assert "Individual recipient" in told


def test_the_files_hold_what_the_page_shows() -> None:
    award = factories.an_award()
    rows = list(csv.DictReader(io.StringIO(Client().get("/register.csv").content.decode())))
    assert [row["award"] for row in rows] == [award.account_name]
    assert rows[0]["hours_granted"] == "150"
    told = Client().get("/register.json").json()["awards"]
    assert told[0]["granted_gpu_seconds"] == award.gpu_seconds


def test_filters_that_name_nothing_show_an_empty_page() -> None:
    factories.an_award()
    for query in ("?call=nothing", "?sdg=17", "?sdg=x", "?sdg=९", "?page=999", "?call=%00"):
        assert Client().get("/register/" + query).status_code == 200


def test_the_register_costs_the_same_for_1_and_for_30(django_assert_num_queries: Any) -> None:
    award = factories.an_award()
    world = {"award": award}
    counts = []
    for more in (0, 29):
        add_copies(world, more)
        with django_assert_num_queries(8, exact=False) as queries:
            assert Client().get("/register/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Award.objects.count() >= 30
