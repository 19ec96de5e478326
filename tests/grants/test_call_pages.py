"""The open pages of calls: their order, what a call says, what a closed one refuses."""

import uuid

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from grants.models import Application, Call
from tests.factories import a_user, an_open_call, at
from tests.grants.posting import closed, renamed, signed_in

pytestmark = pytest.mark.django_db


def test_calls_stand_in_order_open_announced_closed() -> None:
    titles = ("Shut", "Later", "Takes applications")
    shut, later, _ = (renamed(an_open_call(), title) for title in titles)
    closed(shut)
    Call.objects.filter(pk=later.pk).update(opens_at=at(days=3))
    html = Client().get("/calls/").content.decode()
    order = [
        html.index(text)
        for text in ("Open now", "Takes applications", "Announced", "Later", "Closed", "Shut")
    ]
    assert order == sorted(order)


def test_without_calls_the_page_says_what_will_stand_there() -> None:
    assert "No call is published yet" in Client().get("/calls/").content.decode()


def test_an_unpublished_call_is_not_there() -> None:
    call = an_open_call()
    Call.objects.filter(pk=call.pk).update(published_at=None)
    for rest in ("", "questions/", "apply/"):
        assert Client().get(f"/calls/{call.slug}/{rest}").status_code == 404
    assert call.title not in Client().get("/calls/").content.decode()


def test_a_call_says_its_dates_with_zone_its_pool_rubric_and_the_hash_of_its_secret() -> None:
    call = an_open_call()
    html = Client().get(f"/calls/{call.slug}/").content.decode()
    assert "Dhaka time (UTC+6)" in html
    assert "A100" in html and "1,000" in html
    assert "SDG change" in html
    assert "People are waiting" in html or "people are waiting" in html
    assert call.lot_secret_sha256 in html
    assert call.lot_secret not in html
    questions = Client().get(f"/calls/{call.slug}/questions/").content.decode()
    assert questions.count("For example") == 12


def test_applying_to_a_closed_call_is_refused_in_words() -> None:
    call = an_open_call()
    closed(call)
    client = signed_in(a_user())
    assert "does not take applications now" in client.get(f"/calls/{call.slug}/apply/").content.decode()
    shown = client.post(f"/calls/{call.slug}/apply/", {"once": uuid.uuid4()}, follow=True)
    assert "The call closed on" in shown.content.decode()
    assert not Application.objects.exists()


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_of_calls_costs_the_same_for_one_and_thirty(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        an_open_call()
    client = Client()
    with django_assert_num_queries(5):
        shown = client.get("/calls/")
    assert shown.content.decode().count("<article") == min(count, 20)
