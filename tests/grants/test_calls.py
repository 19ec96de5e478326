"""Calls: made from a preset, changed until they open, published once."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.utils import timezone

from grants import calls
from grants.models import Call, FunderSeat, Phase
from portal.models import AuditEntry
from portal.refused import Refused
from tests import factories as make

pytestmark = pytest.mark.django_db
HOUR = make.HOUR


def a_new_call(**changed: Any) -> Call:
    now = timezone.now()
    given = {
        "preset": "standard",
        "slug": "new-call",
        "title": "A new call",
        "summary": "Hours for groups.",
        "zone": "Asia/Dhaka",
        "dates": make.some_dates(opens=now + timedelta(days=2), closes=now + timedelta(days=20)),
        "largest_ask_gpu_seconds": 500 * HOUR,
        "chair": changed.pop("chair", None) or make.a_chair(),
        "now": now,
    }
    return calls.create_from_preset(**(given | changed))


def a_pool_in(call: Call, hours: int = 100) -> Any:
    return calls.add_pool(
        call=call,
        funder=make.a_funding_body(),
        gpu_type=make.a_gpu_type(),
        gpu_seconds=hours * HOUR,
        by=call.chairs.get(),
        now=timezone.now(),
    )


def test_a_call_starts_with_the_rubric_of_its_preset() -> None:
    call = a_new_call()
    weights = dict(call.criteria.values_list("key", "weight"))
    assert weights == {
        "sdg": 25,
        "people": 20,
        "feasibility": 20,
        "ownership": 15,
        "frugality": 10,
        "additionality": 10,
    }
    assert list(call.criteria.filter(floor=2).values_list("key", flat=True)) == ["sdg", "feasibility"]
    assert call.criteria.get(breaks_ties=True).key == "sdg"
    assert call.lot_secret_sha256 == sha256(bytes.fromhex(call.lot_secret)).hexdigest()
    assert call.phase(timezone.now()) == Phase.UNPUBLISHED


def test_dates_out_of_order_are_named_one_by_one() -> None:
    now = timezone.now()
    dates = make.some_dates(opens=now + timedelta(days=9), closes=now + timedelta(days=2))
    wrong = replace(dates, decides_at=now, award_ends_at=now)
    with pytest.raises(Refused) as refused:
        a_new_call(dates=wrong, zone="Middle/Earth", largest_ask_gpu_seconds=0)
    named = {"closes_at", "decides_at", "award_ends_at", "zone", "largest_ask"}
    assert set(refused.value.fields) == named
    assert not Call.objects.exists()


def test_a_taken_address_is_refused() -> None:
    a_new_call()
    with pytest.raises(Refused, match="Another call"):
        a_new_call()
    assert Call.objects.count() == 1


def test_who_is_no_chair_makes_no_call() -> None:
    with pytest.raises(Refused):
        a_new_call(chair=make.a_reviewer())
    assert not Call.objects.exists()


def test_the_checklist_ends_when_nothing_is_missing() -> None:
    call = a_new_call()
    assert len(calls.missing(call)) == 1
    with pytest.raises(Refused, match="Add a pool"):
        calls.publish(call=call, by=None, now=timezone.now())
    a_pool_in(call)
    assert calls.missing(call) == []
    calls.change(call=call, changes={"criteria": {"people": {"anchors": {}}}}, by=None, now=timezone.now())
    assert "People" in calls.missing(call)[0]


def test_publishing_twice_is_refused_and_written_down_once() -> None:
    call = a_new_call()
    a_pool_in(call)
    calls.publish(call=call, by=call.chairs.get(), now=timezone.now())
    with pytest.raises(Refused, match="already"):
        calls.publish(call=call, by=call.chairs.get(), now=timezone.now())
    assert AuditEntry.objects.filter(did="call.published").count() == 1


def test_a_call_whose_close_is_past_is_not_published() -> None:
    call = a_new_call()
    a_pool_in(call)
    with pytest.raises(Refused) as refused:
        calls.publish(call=call, by=None, now=call.closes_at)
    assert set(refused.value.fields) == {"closes_at"}


def test_everything_may_change_until_the_call_opens_and_nothing_after() -> None:
    call = a_new_call()
    pool, chair = a_pool_in(call), call.chairs.get()
    calls.publish(call=call, by=chair, now=timezone.now())
    before, opened = call.opens_at - timedelta(seconds=1), call.opens_at
    changes = {"title": "Renamed", "criteria": {"sdg": {"weight": 30}}}
    calls.change(call=call, changes=changes, by=chair, now=before)
    call.refresh_from_db()
    assert call.title == "Renamed"
    assert call.criteria.get(key="sdg").weight == 30
    with pytest.raises(Refused, match="has opened"):
        calls.change(call=call, changes={"title": "Too late"}, by=chair, now=opened)
    with pytest.raises(Refused, match="has opened"):
        calls.add_earmark(pool=pool, gpu_seconds=HOUR, where={"sdg": [4]}, by=chair, now=opened)
    gpu_type = make.a_gpu_type("h100")
    with pytest.raises(Refused, match="has opened"):
        calls.add_pool(
            call=call, funder=pool.funder, gpu_type=gpu_type, gpu_seconds=HOUR, by=chair, now=opened
        )
    call.refresh_from_db()
    assert call.title == "Renamed"


def test_a_floor_above_five_is_refused_and_nothing_changes() -> None:
    call = a_new_call()
    with pytest.raises(Refused) as refused:
        changes = {"title": "X", "criteria": {"sdg": {"floor": 6}}}
        calls.change(call=call, changes=changes, by=None, now=timezone.now())
    assert set(refused.value.fields) == {"floor_sdg"}
    call.refresh_from_db()
    assert call.title == "A new call"


def test_a_column_that_no_chair_changes_is_a_bug() -> None:
    with pytest.raises(ValueError, match="released_at"):
        calls.change(call=a_new_call(), changes={"released_at": timezone.now()}, by=None, now=timezone.now())


def test_earmarks_stay_within_their_pool() -> None:
    pool, now = a_pool_in(a_new_call(), hours=100), timezone.now()
    calls.add_earmark(pool=pool, gpu_seconds=60 * HOUR, where={"sdg": [4]}, by=None, now=now)
    with pytest.raises(Refused, match="more than the pool"):
        calls.add_earmark(pool=pool, gpu_seconds=41 * HOUR, where={"first_timer": True}, by=None, now=now)
    with pytest.raises(Refused, match="for whom"):
        calls.add_earmark(pool=pool, gpu_seconds=HOUR, where={"owner": "me"}, by=None, now=now)
    assert pool.earmarks.count() == 1


def test_one_pool_for_a_funder_and_gpu() -> None:
    call = a_new_call()
    pool = a_pool_in(call)
    with pytest.raises(Refused, match="already"):
        calls.add_pool(
            call=call,
            funder=pool.funder,
            gpu_type=pool.gpu_type,
            gpu_seconds=HOUR,
            by=None,
            now=timezone.now(),
        )
    assert call.pools.count() == 1


def test_a_second_chair_must_be_a_chair() -> None:
    call, second = a_new_call(), make.a_chair()
    calls.add_chair(call=call, chair=second, by=None, now=timezone.now())
    with pytest.raises(Refused):
        calls.add_chair(call=call, chair=make.a_user(), by=None, now=timezone.now())
    assert call.chairs.count() == 2


def test_a_seat_is_given_once() -> None:
    funder = calls.add_funder(name="Ministry", by=None, now=timezone.now())
    person = make.a_user()
    for _twice in range(2):
        calls.seat(funder=funder, user=person, by=None, now=timezone.now())
    with pytest.raises(Refused):
        calls.add_funder(name="MINISTRY", by=None, now=timezone.now())
    assert FunderSeat.objects.filter(user=person).count() == 1
