"""Two people at the same moment: one assignment, and a sent review that nobody changes any more."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from grants import reviews
from grants.models import Assignment, Review, Score
from portal.refused import Refused
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4


def at_once(*steps: Callable[[], Any]) -> list[str]:
    """Runs all steps in threads that start together; says "done" or "refused" for each; anything else flies."""
    start, said = Barrier(len(steps)), ["" for _step in steps]

    def run(number: int, step: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=20)
            step()
            said[number] = "done"
        except Refused:
            said[number] = "refused"
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(steps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return said


def test_two_chairs_who_assign_the_same_reviewer_make_one_assignment() -> None:
    call = make.an_open_call()
    reviewer = make.a_reviewer()
    for _round in range(ROUNDS):
        application = make.an_application(call=call)

        def assign(application: Any = application) -> None:
            reviews.assign(application=application, reviewer=reviewer, by=None, now=timezone.now())

        assert sorted(at_once(assign, assign)) == ["done", "refused"]
        assert Assignment.objects.filter(application=application).count() == 1


def test_a_save_that_meets_the_sending_comes_before_it_or_not_at_all() -> None:
    call = make.an_open_call()
    keys = list(call.criteria.values_list("key", flat=True))
    words = {"strength": "Clear.", "fix": "Say who pays.", "harm": "none", "harm_note": ""}
    for _round in range(ROUNDS):
        assignment = make.an_assignment(make.an_application(call=call))
        who = {"assignment": assignment, "by": assignment.reviewer, "now": timezone.now()}
        reviews.save_review(scores=dict.fromkeys(keys, 4), **words, **who)

        def save(who: Any = who) -> None:
            reviews.save_review(scores=dict.fromkeys(keys, 0), **words, **who)

        def send(who: Any = who) -> None:
            reviews.submit_review(**who)

        saved, sent = at_once(save, send)
        assert sent == "done"
        assert Review.objects.get(assignment=assignment).submitted_at is not None
        points = set(Score.objects.filter(review__assignment=assignment).values_list("points", flat=True))
        assert points == ({0} if saved == "done" else {4})
