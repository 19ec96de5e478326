"""The stage functions of applications: the only writers of groups, applications and receipts.

Called by the applicants' pages, the chairs' admin, the demo and tests.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from grants.answers import COLUMNS, Missing, canonical_content, missing_answers, sha256_of
from grants.models import (
    TRANSITIONS,
    Application,
    Call,
    Group,
    Membership,
    MembershipRole,
    Phase,
    Receipt,
    SentContent,
    State,
)
from portal import audit, mail
from portal.lib.dates import parse_zone, say_instant
from portal.models import User
from portal.refused import Refused

__all__ = [
    "Missing",
    "Moved",
    "begin",
    "canonical_content",
    "mark_ineligible",
    "missing_answers",
    "restore",
    "save_answers",
    "submit",
    "withdraw",
]

LIVE = (State.DRAFT, State.SUBMITTED)
# Columns of an application that are kept with its group too, so that nobody is asked twice.
OF_THE_GROUP = {"group_name": "name", "country": "country", "group_kind": "kind", "group_size": "size"}


class Moved(Refused):
    """Somebody saved meanwhile; `newer` is what stands now."""

    def __init__(self, newer: Application) -> None:
        super().__init__(_("This application was changed meanwhile. Compare, then choose what to keep."))
        self.newer = newer


def begin(*, call: Call, user: User, language: str, now: datetime) -> Application:
    """The person's application in an open call: the one that is there, or a new draft of their group."""
    with transaction.atomic():
        # Two clicks at once must not make two groups: one person begins one thing at a time.
        owner = User.objects.select_for_update().get(pk=user.pk)
        call = Call.objects.get(pk=call.pk)
        _refuse_unless_open(call, by=owner, now=now)
        group = Group.objects.filter(memberships__user=owner.pk, memberships__role=MembershipRole.OWNER)
        found = group.order_by("pk").first() or _new_group(owner, now)
        standing: Application | None = Application.objects.filter(
            call=call, group=found, state__in=LIVE
        ).first()
        if standing is not None:
            return standing
        draft = Application.objects.create(
            call=call,
            group=found,
            owner=owner,
            state_since=now,
            created_at=now,
            updated_at=now,
            language=language,
            contact_email=owner.email,
            **{column: getattr(found, of_group) for column, of_group in OF_THE_GROUP.items()},
        )
        audit.record(by=owner, did="application.begun", subject=draft, at=now, call=call.pk)
        return draft


def _new_group(owner: User, now: datetime) -> Group:
    group = Group.objects.create(created_at=now)
    Membership.objects.create(group=group, user=owner, role=MembershipRole.OWNER, since=now)
    return group


def save_answers(
    *, application: Application, by: User | None, version: int, answers: Mapping[str, Any], now: datetime
) -> Application:
    """Keeps some answers and returns the row as it stands then; after sending, each change is a new receipt.

    Raises Moved when `version` is no longer the newest, Refused after the close or when a sent application
    would no longer be whole. Answers that change nothing leave everything as it is.
    """
    unknown = set(answers) - set(COLUMNS)
    if unknown:
        raise ValueError(f"No answers: {sorted(unknown)}")
    with transaction.atomic():
        current = _fresh(application)
        _refuse_unless_editable(current, by=by, now=now)
        changed = {name: value for name, value in answers.items() if getattr(current, name) != value}
        if not changed:
            return current
        moved = Application.objects.filter(pk=current.pk, version=version, state=current.state).update(
            **changed, version=version + 1, updated_at=now
        )
        current = _fresh(application)
        if not moved:
            raise Moved(current)
        group = {of_group: changed[name] for name, of_group in OF_THE_GROUP.items() if name in changed}
        if group:
            Group.objects.filter(pk=current.group_id).update(**group)
        audit.record(by=by, did="application.saved", subject=current, at=now, version=version + 1)
        if current.state == State.SUBMITTED:
            _refuse_unless_whole(current)
            _issue_receipt(current, key=uuid.uuid4(), now=now)
        return current


def submit(*, application: Application, by: User, key: uuid.UUID, now: datetime) -> Receipt:
    """Sends a draft and returns its receipt; the same key again returns the same receipt."""
    with transaction.atomic():
        known = _receipt_of(application, key)
        if known is not None:
            return known
        current = _fresh(application)
        _refuse_unless_owner(current, by)
        _refuse_if_sent(current)
        _refuse_unless_open(current.call, by=by, now=now)
        _refuse_unless_whole(current)
        moved = Application.objects.filter(pk=current.pk, state=State.DRAFT, version=current.version).update(
            state=State.SUBMITTED, state_since=now, submitted_at=now, updated_at=now, version=F("version") + 1
        )
        if not moved:
            return _receipt_of_the_twin(current, key)
        receipt = _issue_receipt(current, key=key, now=now)
        audit.record(by=by, did="application.submitted", subject=current, at=now, receipt=receipt.pk)
        _tell(current, "received", key=f"received:{receipt.pk}", now=now, receipt=receipt)
        return receipt


def withdraw(*, application: Application, by: User, now: datetime) -> None:
    """Takes back what was sent; it stays readable to its group. Refused once the call is decided."""
    with transaction.atomic():
        current = _fresh(application)
        _refuse_unless_owner(current, by)
        _move(current, State.SUBMITTED, State.WITHDRAWN, now=now)
        audit.record(by=by, did="application.withdrawn", subject=current, at=now)
        _tell(current, "withdrawn", key=f"withdrawn:{current.pk}", now=now)


def mark_ineligible(*, application: Application, by: User | None, reason: str, now: datetime) -> None:
    """Says that an application does not fit its call, with the reason that the applicant reads."""
    if not reason.strip():
        raise Refused(
            _("Write the reason: the applicant reads it."), fields={"reason": _("Write the reason.")}
        )
    with transaction.atomic():
        current = _fresh(application)
        _move(current, State.SUBMITTED, State.INELIGIBLE, now=now, reason=reason.strip())
        entry = audit.record(by=by, did="application.marked_ineligible", subject=current, at=now)
        _tell(current, "ineligible", key=f"ineligible:{entry.pk}", now=now, reason=reason.strip())


def restore(*, application: Application, by: User | None, now: datetime) -> None:
    """Takes an application back into its call after it had been put aside as not fitting."""
    with transaction.atomic():
        current = _fresh(application)
        others = Application.objects.filter(call=current.call_id, group=current.group_id, state__in=LIVE)
        if others.exclude(pk=current.pk).exists():
            raise Refused(_("This group has another application in the call. One of the two must go first."))
        _move(current, State.INELIGIBLE, State.SUBMITTED, now=now)
        entry = audit.record(by=by, did="application.restored", subject=current, at=now)
        _tell(current, "restored", key=f"restored:{entry.pk}", now=now)


def _fresh(application: Application) -> Application:
    fresh: Application = Application.objects.select_related("call", "gpu_type", "owner").get(
        pk=application.pk
    )
    return fresh


def _move(current: Application, before: State, after: State, *, now: datetime, reason: str = "") -> None:
    """Compare-and-set of the state, as the table of moves allows; refused once decisions are out."""
    if after not in TRANSITIONS[before]:
        raise ValueError(f"No application goes from {before} to {after}")
    # The state stands in the update itself, not in a join: PostgreSQL looks at it again after waiting for a rival.
    undecided = Call.objects.filter(released_at=None).values("pk")
    waiting = Application.objects.filter(pk=current.pk, state=before, call__in=undecided)
    moved = waiting.update(state=after, state_since=now, state_reason=reason[:500], version=F("version") + 1)
    if moved:
        return
    if current.call.released_at:
        raise Refused(_("The call is decided. Nothing was changed."))
    state = _fresh(current).get_state_display()
    raise Refused(_("This application is “%(state)s” by now. Nothing was changed.") % {"state": state})


def _refuse_unless_owner(application: Application, by: User) -> None:
    owner = Membership.objects.filter(group=application.group_id, user=by.pk, role=MembershipRole.OWNER)
    if not owner.exists():
        raise Refused(_("Only the person who began this application can send it or take it back."))


def _refuse_unless_open(call: Call, *, by: User | None, now: datetime) -> None:
    if call.is_open(now):
        return
    zone = parse_zone(by.zone if by else call.zone)
    if call.phase(now) == Phase.ANNOUNCED:
        raise Refused(_("This call opens on %(instant)s.") % {"instant": say_instant(call.opens_at, zone)})
    if call.phase(now) == Phase.UNPUBLISHED:
        raise Refused(_("This call is not published yet."))
    raise Refused(
        _("The call closed on %(instant)s. Nothing was sent or changed after that.")
        % {"instant": say_instant(call.closes_at, zone)}
    )


def _refuse_unless_editable(application: Application, *, by: User | None, now: datetime) -> None:
    if application.state not in LIVE:
        state = application.get_state_display()
        raise Refused(_("This application is “%(state)s” and can no longer be changed.") % {"state": state})
    _refuse_unless_open(application.call, by=by, now=now)


def _refuse_if_sent(application: Application) -> None:
    if application.state == State.SUBMITTED:
        raise Refused(_("This application was sent before. Your receipt stands below."))
    if application.state != State.DRAFT:
        state = application.get_state_display()
        raise Refused(_("This application is “%(state)s” and cannot be sent.") % {"state": state})


def _refuse_unless_whole(application: Application) -> None:
    missing = missing_answers(application)
    if missing:
        raise Refused(
            _("Question %(number)s: %(text)s") % {"number": missing[0].number, "text": missing[0].text},
            fields={str(each.number): each.text for each in missing},
        )


def _receipt_of(application: Application, key: uuid.UUID) -> Receipt | None:
    receipt = Receipt.objects.filter(key=key).first()
    if receipt is not None and receipt.application_id != application.pk:
        raise Refused(_("This form was used for another application. Load the page again, then send."))
    return receipt


def _receipt_of_the_twin(application: Application, key: uuid.UUID) -> Receipt:
    """A second click that lost the race gets what the first one got."""
    receipt = _receipt_of(application, key)
    if receipt is None:
        _refuse_if_sent(_fresh(application))
        raise Refused(_("An answer was changed while you were sending. Read it again, then send."))
    return receipt


def _issue_receipt(application: Application, *, key: uuid.UUID, now: datetime) -> Receipt:
    """The next number of the call; the call's row is locked from here to the end of the transaction."""
    canonical = canonical_content(application)
    numbered = Call.objects.filter(pk=application.call_id)
    numbered.update(receipts_issued=F("receipts_issued") + 1)
    receipt = Receipt.objects.create(
        application=application,
        call_id=application.call_id,
        sequence=numbered.values_list("receipts_issued", flat=True).get(),
        at=now,
        sha256=sha256_of(canonical),
        key=key,
    )
    SentContent.objects.create(receipt=receipt, canonical=canonical)
    return receipt


def _tell(application: Application, template: str, *, key: str, now: datetime, **more: object) -> None:
    context = {"application": application, "call": application.call, **more}
    mail.queue(key=key, to=application.owner, template=template, context=context, now=now)
