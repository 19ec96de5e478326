"""The ranking: who stands where, why somebody cannot be funded, and that it is frozen."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allocation import ranking
from allocation.models import Ranking
from grants import applications, reviews
from portal.models import AuditEntry
from portal.refused import Refused
from tests.factories import (
    a_review,
    a_scored_call,
    after_the_close,
    an_application,
    an_assignment,
    an_open_call,
)

pytestmark = pytest.mark.django_db
CRITERIA = ("sdg", "people", "feasibility", "ownership", "frugality", "additionality")


def frozen(call, **fields):
    return ranking.freeze(call=call, by=call.chairs.get(), now=after_the_close(call, days=8), **fields)


def places(made: Ranking) -> list[tuple[int, int]]:
    return list(made.rows.values_list("place", "mean_thousandths"))


def test_applications_stand_in_the_order_of_their_means():
    call = a_scored_call(points=(3, 5, 4))
    assert places(frozen(call)) == [(1, 5000), (2, 4000), (3, 3000)]


def test_the_mean_is_weighted_and_exact():
    call = an_open_call()
    application = an_application(call=call)
    a_review(application, points=dict(zip(CRITERIA, (5, 4, 3, 4, 2, 5), strict=True)))
    a_review(application, points=dict(zip(CRITERIA, (4, 4, 4, 3, 3, 5), strict=True)))
    row = frozen(call).rows.get()
    # (4.5·25 + 4·20 + 3.5·20 + 3.5·15 + 2.5·10 + 5·10) / 100
    assert row.mean_thousandths == 3900
    assert row.criteria_thousandths["sdg"] == 4500 and row.tie_thousandths == 4500
    assert row.reviews == 2 and row.is_fundable and row.reasons == []


def test_equal_means_are_parted_by_the_criterion_that_breaks_ties():
    call = an_open_call()
    low, high = an_application(call=call), an_application(call=call)
    for application, points in ((low, (3, 5, 3, 3, 3, 4)), (high, (5, 3, 3, 3, 3, 3))):
        for _ in range(2):
            a_review(application, points=dict(zip(CRITERIA, points, strict=True)))
    rows = list(frozen(call).rows.all())
    assert rows[0].mean_thousandths == rows[1].mean_thousandths
    assert [row.application for row in rows] == [high, low]


def test_the_smaller_ask_goes_first_among_equals():
    call = an_open_call()
    large = an_application(call=call, ask_gpu_seconds=200 * 3600)
    small = an_application(call=call, ask_gpu_seconds=100 * 3600)
    for application in (large, small):
        a_review(application), a_review(application)
    assert [row.application for row in frozen(call).rows.all()] == [small, large]


def test_each_floor_that_was_missed_is_named():
    call = an_open_call()
    application = an_application(call=call)
    for _ in range(2):
        a_review(application, points=dict(zip(CRITERIA, (1, 3, 2, 3, 3, 3), strict=True)))
    row = frozen(call).rows.get()
    assert not row.is_fundable
    assert row.reasons == [
        {"kind": "below_mean", "had": 2300, "needed": 3000},
        {"kind": "below_floor", "criterion": "sdg", "had": 1000, "needed": 2000},
    ]


def test_one_reviewer_who_sees_harm_stops_it():
    call = an_open_call()
    application = an_application(call=call)
    a_review(application, points=5)
    a_review(application, points=5, harm="stop", harm_note="It names informants.")
    row = frozen(call).rows.get()
    assert not row.is_fundable and row.reasons == [{"kind": "harm_stop", "criterion": "harm"}]


def test_it_is_refused_before_the_close():
    call = a_scored_call(points=(4,))
    with pytest.raises(Refused, match="The call is open until"):
        ranking.freeze(call=call, by=None, now=call.opens_at)


def test_it_is_refused_while_a_review_is_missing_and_says_which():
    call = a_scored_call(points=(4,))
    waiting = an_application(call=call)
    a_review(waiting)
    with pytest.raises(Refused, match=waiting.public_id):
        frozen(call)
    assert frozen(call, without_missing=True).rows.count() == 2


def test_a_third_reviewer_who_was_asked_is_waited_for():
    call = a_scored_call(points=(4,))
    an_assignment(call.applications.get())
    assert list(ranking.missing_reviews(call).values()) == [1]


def test_what_nobody_reviewed_is_not_fundable():
    call = a_scored_call(points=(4,))
    an_application(call=call)
    last = frozen(call, without_missing=True).rows.last()
    assert (last.mean_thousandths, last.reviews, last.is_fundable) == (0, 0, False)
    assert last.reasons == [{"kind": "no_review"}]


def test_nobody_waits_for_a_reviewer_who_stood_back():
    call = a_scored_call(points=(4,))
    third = an_assignment(call.applications.get(), declared=False)
    reviews.recuse(assignment=third, kind="family", by=third.reviewer, now=after_the_close(call))
    assert ranking.missing_reviews(call) == {}
    assert frozen(call).rows.get().reviews == 2


def test_applications_that_left_the_call_are_not_ranked():
    call = a_scored_call(points=(5, 4))
    gone = call.applications.order_by("pk").first()
    applications.withdraw(application=gone, by=gone.owner, now=call.opens_at)
    assert [row.application_id for row in frozen(call).rows.all()] != [gone.pk]
    assert frozen(call).rows.count() == 1


def test_the_same_scores_give_the_ranking_that_is_there():
    call = a_scored_call()
    assert frozen(call) == frozen(call)
    assert Ranking.objects.count() == 1
    assert AuditEntry.objects.filter(did="ranking.frozen").count() == 1


def test_a_new_review_makes_the_ranking_old():
    call = a_scored_call(points=(4,))
    made = frozen(call)
    assert ranking.is_current(made)
    a_review(call.applications.get(), points=1)
    assert not ranking.is_current(made)
    assert frozen(call) != made


def test_reading_the_scores_of_many_costs_as_many_queries_as_of_one():
    counts = []
    for size in (1, 12):
        call = a_scored_call(points=(4,) * size)
        with CaptureQueriesContext(connection) as asked:
            ranking.scored_applications(call)
            ranking.missing_reviews(call)
        counts.append(len(asked))
    assert counts[0] == counts[1]
