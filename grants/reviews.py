"""Assigns reviewers, takes their declarations, keeps and locks their scores. The only writer of these rows.

Called by the workroom's pages and by the demo. A review that was sent stays as it is for good.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from grants.models import (
    Application,
    Assignment,
    Call,
    Criterion,
    Harm,
    Membership,
    Recusal,
    RecusalKind,
    Review,
    Score,
    State,
)
from grants.rubric import LEAST, MOST
from portal import audit, mail
from portal.models import User
from portal.refused import Refused


def assign(*, application: Application, reviewer: User, by: User | None, now: datetime) -> Assignment:
    """Gives a sent application to a reviewer, and tells them by one mail a day and call.

    Raises Refused for somebody who has it, stood back from it, or has a conflict that we know of.
    """
    with transaction.atomic():
        row = _in_the_call(application.pk)
        if conflict := conflict_of(row, reviewer):
            raise Refused(conflict)
        if Assignment.objects.filter(application=row, reviewer=reviewer).exists():
            raise Refused(_("This reviewer has the application already."))
        assignment = Assignment.objects.create(application=row, reviewer=reviewer, made_at=now)
        audit.record(by=by, did="assignment.made", subject=assignment, at=now)
        mail.queue(
            key=f"assigned:{row.call_id}:{reviewer.pk}:{now:%Y-%m-%d}",
            to=reviewer,
            template="assigned",
            context={"call": row.call, "path": reverse("admin:grants_assignment_changelist")},
            now=now,
        )
    return assignment


def conflict_of(application: Application, reviewer: User) -> str:
    """Why this person must not review this application, as far as the site can know; empty when nothing is known."""
    if not (reviewer.is_reviewer and reviewer.is_active):
        return _("This person is not a reviewer.")
    if Recusal.objects.filter(application=application, reviewer=reviewer).exists():
        return _("This reviewer stood back from the application.")
    if application.call.chairs.filter(pk=reviewer.pk).exists():
        return _("A chair of the call does not review in it.")
    members = Membership.objects.filter(group=application.group_id).values("user")
    theirs = Membership.objects.filter(user__in=members).values("group")
    if Membership.objects.filter(user=reviewer, group__in=theirs).exists():
        return _("This reviewer belongs to the group, or to another one with somebody of it.")
    if _is_named(reviewer, application.known_reviewers):
        return _("The group wrote that they know this reviewer.")
    return ""


def _is_named(reviewer: User, known_reviewers: str) -> bool:
    named = {" ".join(line.casefold().split()) for line in known_reviewers.splitlines()}
    return bool(
        named & {reviewer.email.casefold(), " ".join(reviewer.display_name.casefold().split())} - {""}
    )


def declare(*, assignment: Assignment, by: User, now: datetime) -> None:
    """The reviewer says that no conflict is known: from now on the text is open to them."""
    with transaction.atomic():
        row = _own(assignment, by)
        if row.declared_at is not None:
            return
        row.declared_at = now
        row.save(update_fields=["declared_at"])
        audit.record(by=by, did="assignment.declared", subject=row, at=now)


def recuse(*, assignment: Assignment, kind: str, by: User, now: datetime) -> Recusal:
    """The reviewer stands back for good; the chairs are told that somebody else is needed, not why.

    Raises Refused once the review was sent.
    """
    with transaction.atomic():
        row = _own(assignment, by)
        if kind not in RecusalKind.values:
            raise Refused(_("Say what the conflict is."), fields={"kind": _("Choose one.")})
        if Review.objects.filter(assignment=row, submitted_at__isnull=False).exists():
            raise Refused(_("Your review was sent and counts. Tell the chair about the conflict."))
        recusal = Recusal.objects.create(application=row.application, reviewer=by, kind=kind, at=now)
        audit.record(by=by, did="assignment.stood_back", subject=row, at=now)
        for chair in row.application.call.chairs.filter(is_active=True).order_by("pk"):
            mail.queue(
                key=f"stood-back:{recusal.pk}:{chair.pk}",
                to=chair,
                template="stood_back",
                context={"application": row.application, "path": application_path(row.application)},
                now=now,
            )
    return recusal


def application_path(application: Application) -> str:
    """Where a chair finds the application in the workroom."""
    return reverse("admin:grants_application_change", args=[application.pk])


def save_review(
    *,
    assignment: Assignment,
    by: User,
    scores: Mapping[str, int],
    strength: str,
    fix: str,
    harm: str,
    harm_note: str,
    now: datetime,
) -> Review:
    """Keeps what the reviewer has so far; scores that are not named stay as they were.

    Raises Refused before the declaration and after the review was sent.
    """
    with transaction.atomic():
        row = _open_to_scores(assignment, by)
        criteria = {criterion.key: criterion for criterion in row.application.call.criteria.all()}
        _check_scores(scores, criteria, harm)
        words = {"strength": strength, "fix": fix, "harm": harm, "harm_note": harm_note, "updated_at": now}
        review, _is_new = Review.objects.update_or_create(assignment=row, defaults=words)
        for key, points in scores.items():
            Score.objects.update_or_create(
                review=review, criterion=criteria[key], defaults={"points": points}
            )
        audit.record(by=by, did="review.saved", subject=review, at=now)
    return review


def submit_review(*, assignment: Assignment, by: User, now: datetime) -> None:
    """Sends the review: it counts, and nobody changes it any more.

    Raises Refused, naming each field that is missing.
    """
    with transaction.atomic():
        row = _open_to_scores(assignment, by)
        review = Review.objects.filter(assignment=row).first()
        lacks = missing_in(review, row.application.call)
        if review is None or lacks:
            raise Refused(_("The review is not whole yet. It was saved; nothing was sent."), fields=lacks)
        review.submitted_at = review.updated_at = now
        review.save(update_fields=["submitted_at", "updated_at"])
        audit.record(by=by, did="review.submitted", subject=review, at=now)


def missing_in(review: Review | None, call: Call) -> dict[str, str]:
    """What a review still needs before it can be sent: field to remedy."""
    scored = set(review.scores.values_list("criterion", flat=True)) if review else set()
    lacks = {
        f"score_{criterion.key}": _("Choose 0 to 5.")
        for criterion in call.criteria.all()
        if criterion.pk not in scored
    }
    if review is None or not review.harm:
        lacks["harm"] = _("Say whether you see harm.")
    elif review.harm != Harm.NONE and not review.harm_note:
        lacks["harm_note"] = _("Write for the chair what harm you see.")
    if review is None or not review.strength:
        lacks["strength"] = _("Write one strength: the group reads it.")
    if review is None or not review.fix:
        lacks["fix"] = _("Write one thing to mend: the group reads it.")
    return lacks


def note_identity_read(*, application: Application, by: User, now: datetime) -> None:
    """A chair looked up who applies: that is allowed, and it is written down."""
    with transaction.atomic():
        audit.record(by=by, did="application.identity_read", subject=application, at=now)


def _in_the_call(application_id: int) -> Application:
    """The application, locked, while it is sent and not yet decided on."""
    found = Application.objects.select_for_update(of=("self",)).select_related("call")
    row: Application = found.get(pk=application_id)
    if row.state != State.SUBMITTED:
        raise Refused(_("This application is not in the call any more."))
    if row.call.released_at is not None:
        raise Refused(_("The decisions of this call are out: reviews are closed."))
    return row


def _own(assignment: Assignment, by: User) -> Assignment:
    """The reviewer's own assignment, locked after its application, from which they did not stand back."""
    application = _in_the_call(assignment.application_id)
    row: Assignment = Assignment.objects.select_for_update().get(pk=assignment.pk)
    row.application = application
    stood_back = Recusal.objects.filter(application=application, reviewer=row.reviewer_id).exists()
    if row.reviewer_id != by.pk or stood_back:
        raise Refused(_("This application is not yours to review."))
    return row


def _open_to_scores(assignment: Assignment, by: User) -> Assignment:
    row = _own(assignment, by)
    if row.declared_at is None:
        raise Refused(_("Say first whether you have a conflict."))
    if Review.objects.filter(assignment=row, submitted_at__isnull=False).exists():
        raise Refused(_("Your review was sent: its scores are locked."))
    return row


def _check_scores(scores: Mapping[str, int], criteria: Mapping[str, Criterion], harm: str) -> None:
    faults = {
        f"score_{key}": _("Choose 0 to 5.")
        for key, points in scores.items()
        if key not in criteria or not LEAST <= points <= MOST
    }
    if harm and harm not in Harm.values:
        faults["harm"] = _("Choose one of the three.")
    if faults:
        raise Refused(_("Some scores do not fit the rubric."), fields=faults)
