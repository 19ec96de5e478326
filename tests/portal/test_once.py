"""A form sent twice does its work once; the same key with other words is refused."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import RequestFactory

from portal.models import Heartbeat
from portal.once import once

pytestmark = pytest.mark.django_db


@once
def view(request: HttpRequest, is_valid: bool = True) -> HttpResponse:
    if not is_valid:
        return HttpResponse("mend this")
    Heartbeat.objects.create(name=f"made-{Heartbeat.objects.count()}", beat_at="2027-01-01T00:00Z")
    return HttpResponseRedirect(f"/made/{Heartbeat.objects.count()}/")


def post(key: object, **fields: str) -> Any:
    request = RequestFactory().post("/x/", {"once": str(key), **fields})
    request.user = AnonymousUser()
    return request


def test_a_double_click_makes_one_row_and_leads_to_the_same_place() -> None:
    key = uuid.uuid4()
    answers = [view(post(key, title="a")).headers["Location"] for _ in range(3)]
    assert answers == ["/made/1/"] * 3
    assert Heartbeat.objects.count() == 1


def test_the_same_key_with_other_words_is_told_apart() -> None:
    key = uuid.uuid4()
    view(post(key, title="a"))
    assert view(post(key, title="b")).status_code == 409
    assert Heartbeat.objects.count() == 1


def test_a_form_that_failed_may_be_sent_again_with_its_key() -> None:
    key = uuid.uuid4()
    assert view(post(key, title="a"), is_valid=False).status_code == 200
    assert view(post(key, title="better")).status_code == 302


def test_without_the_guard_a_double_click_makes_two_rows() -> None:
    """The twin: what `once` is for."""
    unguarded = view.__wrapped__  # type: ignore[attr-defined]
    key = uuid.uuid4()
    for _ in range(2):
        unguarded(post(key, title="a"))
    assert Heartbeat.objects.count() == 2
