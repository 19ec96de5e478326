"""Makes what tests start from, through the stage functions only, so that no impossible state exists.

Every factory takes what matters to the test and fills in the rest. Times are relative to now: pages read the clock.
"""

import itertools
import uuid
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from allocation import awards, ranking
from allocation.models import AllocationRun, Award
from grants import applications, calls, reviews
from grants.models import Application, Assignment, Call, Funder, FunderSeat, GpuType, Membership, Receipt
from portal import people
from portal.models import User

HOUR = 3600
count = itertools.count(1)


def at(**away: float) -> datetime:
    return timezone.now() + timedelta(**away)


def a_user(name: str = "person", **fields: Any) -> User:
    return User.objects.create_user(f"{name}{next(count)}@example.org", **fields)


def a_chair() -> User:
    return _with_role("chair")


def a_reviewer() -> User:
    return _with_role("reviewer")


def an_operator() -> User:
    return _with_role("operator")


def _with_role(role: str) -> User:
    user = a_user(role)
    people.give_role(user=user, role=role, by=None, now=timezone.now())
    user.refresh_from_db()
    return user


def a_funder(funder: Funder | None = None) -> User:
    """A person with a seat for a funder."""
    user = a_user("funder")
    FunderSeat.objects.create(funder=funder or a_funding_body(), user=user)
    return user


def a_funding_body() -> Funder:
    return Funder.objects.create(name=f"Ministry {next(count)}")


def a_gpu_type(key: str = "a100") -> GpuType:
    made, _ = GpuType.objects.get_or_create(
        key=key, defaults={"name": key.upper(), "memory_gb": 40, "watts": 400}
    )
    return made


def some_dates(*, opens: datetime, closes: datetime) -> calls.CallDates:
    return calls.CallDates(
        opens_at=opens,
        closes_at=closes,
        scoring_ends_at=closes + timedelta(days=7),
        decides_at=closes + timedelta(days=14),
        award_starts_at=closes + timedelta(days=15),
        award_ends_at=closes + timedelta(days=105),
    )


def an_open_call(
    *, chair: User | None = None, hours: int = 1000, opened_days_ago: int = 10, **fields: Any
) -> Call:
    """A published call with one A100 pool that closes in two weeks."""
    begun = at(days=-opened_days_ago)
    made = begun - timedelta(days=2)
    chair = chair or a_chair()
    call = calls.create_from_preset(
        preset="standard",
        slug=f"call-{next(count)}",
        title="Small models for local languages",
        summary="Hours for groups that make something useful in a language of their own.",
        zone="Asia/Dhaka",
        dates=some_dates(opens=begun, closes=at(days=14)),
        largest_ask_gpu_seconds=1500 * HOUR,
        chair=chair,
        now=made,
        **fields,
    )
    calls.add_pool(
        call=call,
        funder=a_funding_body(),
        gpu_type=a_gpu_type(),
        gpu_seconds=hours * HOUR,
        by=chair,
        now=made,
    )
    calls.publish(call=call, by=chair, now=made)
    call.refresh_from_db()
    return call


def some_answers(**changed: Any) -> dict[str, Any]:
    """All twelve questions answered."""
    month = (timezone.now() + timedelta(days=60)).date().replace(day=1)
    answers: dict[str, Any] = {
        "title": "A Sylheti speech recogniser for farm helplines",
        "problem": "Farmers in three districts call a helpline that cannot understand Sylheti. They wait two days.",
        "sdg_main": 2,
        "sdg_others": [10],
        "outcome_number": 500,
        "outcome_unit": "calls answered",
        "outcome_month": date(month.year + 1, 6, 1),
        "outcome_text": "",
        "job_kind": "speech",
        "gpu_type": a_gpu_type(),
        "ask_gpu_seconds": 150 * HOUR,
        "minimum_gpu_seconds": 75 * HOUR,
        "ask_reason": "Three languages, one run each.",
        "wants_help": False,
        "done_so_far": "Forty hours of recordings.",
        "data_rights": ["community"],
        "shares": ["model", "lesson"],
        "shares_why": "",
        "start_month": month,
        "weeks": 12,
        "steadiness": "cuts",
        "country": "BD",
        "group_name": f"Surma Voice Circle {next(count)}",
        "group_kind": "community",
        "group_size": 4,
        "contact_phone": "+880 1700 000000",
        "contact_email": "",
        "promises": ["true_answers", "rules", "publish", "no_harm", "conflicts"],
        "known_reviewers": "",
    }
    return answers | changed


def a_draft(*, call: Call | None = None, owner: User | None = None, **answers: Any) -> Application:
    """An application with all answers given and nothing sent."""
    now = timezone.now()
    owner = owner or a_user("applicant")
    draft = applications.begin(call=call or an_open_call(), user=owner, language="en", now=now)
    return applications.save_answers(
        application=draft, by=owner, version=draft.version, answers=some_answers(**answers), now=now
    )


def an_application(*, call: Call | None = None, owner: User | None = None, **answers: Any) -> Application:
    """An application that was sent."""
    draft = a_draft(call=call, owner=owner, **answers)
    a_receipt(draft)
    draft.refresh_from_db()
    return draft


def a_receipt(draft: Application) -> Receipt:
    return applications.submit(application=draft, by=draft.owner, key=uuid.uuid4(), now=timezone.now())


def a_co_applicant(application: Application) -> User:
    user = a_user("co-applicant")
    Membership.objects.create(group=application.group, user=user, role="co-applicant", since=timezone.now())
    return user


def an_assignment(
    application: Application, *, reviewer: User | None = None, declared: bool = True
) -> Assignment:
    reviewer = reviewer or a_reviewer()
    now = timezone.now()
    made = reviews.assign(application=application, reviewer=reviewer, by=None, now=now)
    if declared:
        reviews.declare(assignment=made, by=reviewer, now=now)
        made.refresh_from_db()
    return made


def a_review(application: Application, *, points: int | dict[str, int] = 4, **fields: Any) -> Assignment:
    """A review that was submitted, with the same points on every criterion unless told apart."""
    assignment = an_assignment(application, reviewer=fields.pop("reviewer", None))
    keys = application.call.criteria.values_list("key", flat=True)
    given = points if isinstance(points, dict) else dict.fromkeys(keys, points)
    words = {"strength": "Clear chain.", "fix": "Say who pays the phones.", "harm": "none", "harm_note": ""}
    now = timezone.now()
    reviews.save_review(
        assignment=assignment, by=assignment.reviewer, scores=given, now=now, **(words | fields)
    )
    reviews.submit_review(assignment=assignment, by=assignment.reviewer, now=now)
    return assignment


def after_the_close(call: Call, **away: float) -> datetime:
    return call.closes_at + timedelta(**(away or {"hours": 1}))


def a_scored_call(*, hours: int = 1000, points: tuple[int, ...] = (5, 4, 3), **answers: Any) -> Call:
    """A call whose applications (one for each of `points`) have two reviews each."""
    call = an_open_call(hours=hours)
    for given in points:
        application = an_application(call=call, **answers)
        for _ in range(call.reviewers_per_application):
            a_review(application, points=given)
    return call


def a_proposed_run(call: Call | None = None) -> AllocationRun:
    call = call or a_scored_call()
    now = after_the_close(call, days=8)
    ranking.freeze(call=call, by=call.chairs.get(), now=now)
    return awards.propose(call=call, by=call.chairs.get(), now=now)


def a_released_run(call: Call | None = None) -> AllocationRun:
    run = a_proposed_run(call)
    chair, now = run.call.chairs.get(), after_the_close(run.call, days=9)
    awards.approve(run=run, by=chair, now=now)
    run.refresh_from_db()
    awards.release(run=run, by=chair, now=now)
    run.refresh_from_db()
    return run


def an_award(*, accepted: bool = True, call: Call | None = None) -> Award:
    """The first award of a released call."""
    run = a_released_run(call)
    award = Award.objects.filter(pool__call=run.call).order_by("pk")[0]
    if accepted:
        awards.accept(award=award, by=award.application.owner, now=after_the_close(run.call, days=10))
        award.refresh_from_db()
    return award
