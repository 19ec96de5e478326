"""Reviews: assigned without known conflicts, declared first, scored, locked for good."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from grants import applications, reviews
from grants.models import Application, Assignment, Recusal, Review, Score
from portal.models import AuditEntry, Mail, User
from portal.refused import Refused
from tests import factories as make

pytestmark = pytest.mark.django_db


def assign(application: Application, reviewer: User) -> Assignment:
    return reviews.assign(application=application, reviewer=reviewer, by=None, now=timezone.now())


def declare(assignment: Assignment, by: User | None = None) -> None:
    reviews.declare(assignment=assignment, by=by or assignment.reviewer, now=timezone.now())


def recuse(assignment: Assignment, by: User | None = None) -> Recusal:
    return reviews.recuse(
        assignment=assignment, kind="family", by=by or assignment.reviewer, now=timezone.now()
    )


def all_scores(assignment: Assignment, points: int = 4) -> dict[str, int]:
    return dict.fromkeys(assignment.application.call.criteria.values_list("key", flat=True), points)


def save(assignment: Assignment, by: User | None = None, **changed: Any) -> Review:
    given = {
        "scores": all_scores(assignment),
        "strength": "Clear.",
        "fix": "Say who pays.",
        "harm": "none",
        "harm_note": "",
    }
    return reviews.save_review(
        assignment=assignment, by=by or assignment.reviewer, now=timezone.now(), **(given | changed)
    )


def send(assignment: Assignment, by: User | None = None) -> None:
    reviews.submit_review(assignment=assignment, by=by or assignment.reviewer, now=timezone.now())


def test_an_assignment_is_told_by_one_mail_a_day_and_call() -> None:
    call, reviewer = make.an_open_call(), make.a_reviewer()
    for _number in range(3):
        assign(make.an_application(call=call), reviewer)
    told = Mail.objects.filter(to_address=reviewer.email)
    assert told.count() == 1
    assert call.title in told.get().subject
    assert "/admin/grants/assignment/" in told.get().body


def test_the_mail_to_a_reviewer_says_nothing_of_the_application() -> None:
    application, reviewer = make.an_application(title="Xylophones for Ulan Bator"), make.a_reviewer()
    assign(application, reviewer)
    text = Mail.objects.get(to_address=reviewer.email).body
    assert "Xylophones" not in text
    assert application.group_name not in text


def member_of_the_group(application: Application) -> User:
    user = make.a_reviewer()
    application.group.memberships.create(user=user, role="co-applicant", since=timezone.now())
    return user


def companion_elsewhere(application: Application) -> User:
    """A reviewer who belongs to another group together with the owner."""
    user = make.a_reviewer()
    other = make.a_draft(owner=user)
    other.group.memberships.create(user=application.owner, role="co-applicant", since=timezone.now())
    return user


def named_reviewer(application: Application) -> User:
    user = make.a_reviewer()
    User.objects.filter(pk=user.pk).update(display_name="Rosa Pérez")
    Application.objects.filter(pk=application.pk).update(known_reviewers="Kofi\n rosa  pérez ")
    user.refresh_from_db()
    return user


def chair_who_reviews(application: Application) -> User:
    chair = application.call.chairs.get()
    User.objects.filter(pk=chair.pk).update(is_reviewer=True)
    chair.refresh_from_db()
    return chair


def somebody(application: Application) -> User:
    return make.a_user()


@pytest.mark.parametrize(
    "conflicted",
    [member_of_the_group, companion_elsewhere, named_reviewer, chair_who_reviews, somebody],
)
def test_a_known_conflict_is_refused_with_its_reason(conflicted: Callable[[Application], User]) -> None:
    application = make.an_application()
    reviewer = conflicted(application)
    application.refresh_from_db()
    with pytest.raises(Refused) as refused:
        assign(application, reviewer)
    assert len(str(refused.value)) > 20
    assert not Assignment.objects.exists()


def test_nobody_is_assigned_twice() -> None:
    application, reviewer = make.an_application(), make.a_reviewer()
    assign(application, reviewer)
    with pytest.raises(Refused, match="already"):
        assign(application, reviewer)
    assert Assignment.objects.count() == 1


def test_only_an_application_that_is_in_the_call_is_assigned() -> None:
    draft, withdrawn = make.a_draft(), make.an_application()
    applications.withdraw(application=withdrawn, by=withdrawn.owner, now=timezone.now())
    for application in (draft, withdrawn):
        with pytest.raises(Refused, match="not in the call"):
            assign(application, make.a_reviewer())
    assert not Assignment.objects.exists()


# The states of an assignment, and what is allowed in each: the whole table is walked below.
STATES = ("given", "declared", "begun", "sent", "stood back")
VERBS: dict[str, Callable[[Assignment], Any]] = {
    "declare": declare,
    "recuse": recuse,
    "save": save,
    "send": send,
}
ALLOWED = {
    "given": {"declare", "recuse"},
    "declared": {"declare", "recuse", "save"},
    "begun": {"declare", "recuse", "save", "send"},
    "sent": {"declare"},  # and it changes nothing
    "stood back": set(),
}


def an_assignment_that_is(state: str) -> Assignment:
    assignment = make.an_assignment(make.an_application(), declared=state in ("declared", "begun", "sent"))
    if state in ("begun", "sent"):
        save(assignment)
    if state == "sent":
        send(assignment)
    if state == "stood back":
        recuse(assignment)
    return assignment


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", VERBS)
def test_each_step_is_allowed_in_its_states_only(state: str, verb: str) -> None:
    assignment = an_assignment_that_is(state)
    written = AuditEntry.objects.count()
    if verb in ALLOWED[state]:
        VERBS[verb](assignment)
        assert AuditEntry.objects.count() == written + (verb != "declare" or state == "given")
        return
    with pytest.raises(Refused):
        VERBS[verb](assignment)
    assert AuditEntry.objects.count() == written


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_acts_on_the_assignment_of_another_reviewer(verb: str) -> None:
    assignment, other = an_assignment_that_is("begun"), make.a_reviewer()
    with pytest.raises(Refused, match="not yours"):
        VERBS[verb](assignment, by=other)  # type: ignore[call-arg]
    assert Review.objects.get(assignment=assignment).submitted_at is None


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_reviewed_after_the_decisions_are_out(verb: str) -> None:
    assignment = an_assignment_that_is("begun")
    call = assignment.application.call
    call.released_at = timezone.now()
    call.save()
    with pytest.raises(Refused, match="decisions of this call are out"):
        VERBS[verb](assignment)


def test_scores_lock_when_the_review_is_sent() -> None:
    assignment = an_assignment_that_is("sent")
    with pytest.raises(Refused, match="locked"):
        save(assignment, scores={"sdg": 0})
    assert Score.objects.get(review__assignment=assignment, criterion__key="sdg").points == 4


def test_two_reviewers_score_the_same_application_apart() -> None:
    application = make.an_application()
    first, second = make.a_review(application, points=5), make.a_review(application, points=2)
    points = Score.objects.filter(criterion__key="sdg").values_list("review__assignment", "points")
    assert dict(points) == {first.pk: 5, second.pk: 2}


def test_a_review_may_be_saved_in_parts_and_keeps_the_rest() -> None:
    assignment = make.an_assignment(make.an_application())
    save(assignment, scores={"sdg": 3}, strength="", fix="", harm="")
    save(assignment, scores={"people": 1}, strength="Good.", fix="", harm="")
    kept = dict(Score.objects.values_list("criterion__key", "points"))
    assert kept == {"sdg": 3, "people": 1}


def test_what_is_missing_is_named_field_by_field() -> None:
    assignment = make.an_assignment(make.an_application())
    save(assignment, scores={"sdg": 3}, strength="", fix="", harm="safeguards")
    with pytest.raises(Refused) as refused:
        send(assignment)
    expected = {f"score_{key}" for key in all_scores(assignment) if key != "sdg"}
    assert set(refused.value.fields) == expected | {"strength", "fix", "harm_note"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"scores": {"sdg": 6}}, "score_sdg"),
        ({"scores": {"sdg": -1}}, "score_sdg"),
        ({"scores": {"fame": 3}}, "score_fame"),
        ({"harm": "maybe"}, "harm"),
    ],
)
def test_points_outside_the_rubric_are_refused(changed: dict[str, Any], field: str) -> None:
    assignment = make.an_assignment(make.an_application())
    with pytest.raises(Refused) as refused:
        save(assignment, **changed)
    assert set(refused.value.fields) == {field}
    assert not Review.objects.exists()


def test_standing_back_tells_the_chair_that_somebody_is_needed_but_not_why() -> None:
    assignment = make.an_assignment(make.an_application(), declared=False)
    recuse(assignment)
    mail = Mail.objects.get(to_address=assignment.application.call.chairs.get().email)
    assert assignment.application.public_id in mail.subject
    assert "amily" not in mail.body
    assert assignment.reviewer.email not in mail.body


def test_standing_back_closes_the_application_for_good() -> None:
    assignment = an_assignment_that_is("begun")
    reviewer, application = assignment.reviewer, assignment.application
    make.a_review(application)
    assert Application.objects.visible_to(reviewer).filter(pk=application.pk).exists()
    recuse(assignment)
    assert not Application.objects.visible_to(reviewer).filter(pk=application.pk).exists()
    assert not Assignment.objects.visible_to(reviewer).exists()
    assert not Review.objects.visible_to(reviewer).exists()
    with pytest.raises(Refused, match="stood back"):
        assign(application, reviewer)


def test_the_text_opens_with_the_declaration() -> None:
    assignment = make.an_assignment(make.an_application(), declared=False)
    seen = Application.objects.visible_to(assignment.reviewer)
    assert not seen.exists()
    declare(assignment)
    assert seen.get() == assignment.application
