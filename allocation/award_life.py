"""What happens to an award after its offer: accepted, used in halves, paused, given back, ended.

Other rooms call these through allocation.awards. Hours move in the ledger; the cluster follows by itself,
since it is compared with the rows again and again.
"""

from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from allocation import ledger
from allocation.models import AWARD_TRANSITIONS, Account, Award, AwardState
from grants.models import MembershipRole
from portal import audit, mail
from portal.lib.dates import parse_zone, say_instant
from portal.lib.hours import say_hours
from portal.lib.textsafe import TextRefused, clean_text
from portal.models import User
from portal.queue import defer
from portal.refused import Refused

RUNS = (AwardState.ACCEPTED, AwardState.ACTIVE)
OPEN = (AwardState.OFFERED, *RUNS)
NOTE_MOST, REASON_MOST = 1500, 500


def first_half(gpu_seconds: int) -> int:
    """What is ready at the start; an odd second is in it."""
    return gpu_seconds - gpu_seconds // 2


def accept(*, award: Award, by: User | None, now: datetime) -> None:
    """The group takes the offer: half of the hours become ready, and the cluster gets to work.

    Raises Refused after the offer's end, for anybody but the group's owner, and where it moved meanwhile.
    """
    with transaction.atomic():
        _refuse_all_but_the_owner(award, by)
        _refuse_after_the_offer(award, now)
        _move(award, AwardState.ACCEPTED, now, by=by, accepted_at=now)
        _make_ready(award, first_half(award.gpu_seconds), "first-half", now)
        _mail(award, "offer_accepted", now)
        defer("allocation.tasks.place_award", award.pk)


def activate(*, award: Award, now: datetime) -> bool:
    """The first slot stands on the cluster. False: it was active already, or is over."""
    with transaction.atomic():
        moved = Award.objects.filter(pk=award.pk, state=AwardState.ACCEPTED).update(
            state=AwardState.ACTIVE, state_since=now
        )
        if moved:
            audit.record(by=None, did="award.active", subject=award, at=now)
    return bool(moved)


def write_progress_note(*, award: Award, by: User | None, text: str, now: datetime) -> None:
    """Three lines on how it goes; they open the second half. Written once."""
    note = _cleaned(text, "text", NOTE_MOST)
    with transaction.atomic():
        _refuse_all_but_the_owner(award, by)
        written = Award.objects.filter(pk=award.pk, state__in=RUNS, progress_note_at=None).update(
            progress_note=note, progress_note_at=now
        )
        if not written:
            _refuse_the_note(award)
        audit.record(by=by, did="award.progress-note", subject=award, at=now)
        rest = ledger.balances(award, for_update=True)[Account.HELD]
        if rest:
            _make_ready(award, rest, "second-half", now)
        defer("allocation.tasks.place_award", award.pk)


def give_back(*, award: Award, by: User | None, now: datetime) -> None:
    """The group needs no more: what is left goes back to the pool. An offer is turned down this way."""
    with transaction.atomic():
        _refuse_all_but_the_owner(award, by)
        state = Award.objects.select_for_update().values_list("state", flat=True).get(pk=award.pk)
        to = AwardState.FINISHED if state == AwardState.ACTIVE else AwardState.EXPIRED
        _move(award, to, now, by=by, did="award.given-back")
        returned = _return_rest(award, "given-back", now)
        _mail(award, "award_given_back", now, returned_gpu_seconds=returned)


def pause(*, award: Award, by: User | None, reason: str, now: datetime) -> None:
    """Stops new jobs and slots for a while; the hours stay."""
    reason = _cleaned(reason, "reason", REASON_MOST)
    with transaction.atomic():
        paused = Award.objects.filter(pk=award.pk, state__in=RUNS, paused_at=None).update(paused_at=now)
        if not paused:
            award.refresh_from_db()
            raise Refused(_("This award is paused already.") if award.paused_at else _moved_on(award))
        audit.record(by=by, did="award.paused", subject=award, at=now)
        _mail(award, "award_paused", now, reason=reason)


def resume(*, award: Award, by: User | None, reason: str = "", now: datetime) -> None:
    with transaction.atomic():
        resumed = Award.objects.filter(pk=award.pk, state__in=RUNS, paused_at__isnull=False).update(
            paused_at=None
        )
        if not resumed:
            award.refresh_from_db()
            raise Refused(_("This award is not paused.") if award.state in RUNS else _moved_on(award))
        audit.record(by=by, did="award.resumed", subject=award, at=now)
        _mail(award, "award_resumed", now, reason=reason)
        defer("allocation.tasks.place_award", award.pk)


def revoke(*, award: Award, by: User | None, reason: str, now: datetime) -> None:
    """The chair takes the award back; what is left goes to the pool."""
    reason = _cleaned(reason, "reason", REASON_MOST)
    with transaction.atomic():
        _move(award, AwardState.REVOKED, now, by=by)
        returned = _return_rest(award, "revoked", now)
        _mail(award, "award_revoked", now, reason=reason, returned_gpu_seconds=returned)


def end(*, award: Award, now: datetime) -> None:
    """Closes an award whose time is over, or whose hours are all used; the rest expires into the pool."""
    with transaction.atomic():
        locked = Award.objects.select_for_update().get(pk=award.pk)
        left = _left(locked)
        if locked.state in OPEN and not is_due(locked, left, now):
            said = {"at": _say(_ends_at(locked), locked), "hours": say_hours(left)}
            raise Refused(_("This award runs until %(at)s, and %(hours)s hours are left.") % said)
        is_used_up = locked.state == AwardState.ACTIVE and left == 0
        _move(award, AwardState.FINISHED if is_used_up else AwardState.EXPIRED, now, by=None)
        returned = _return_rest(award, "expired", now, through=Account.EXPIRED)
        _mail(award, "award_ended", now, returned_gpu_seconds=returned)


def end_due(*, now: datetime) -> list[str]:
    """Ends every award and offer whose time is over; says which. Called by the worker every few minutes."""
    over = Q(state=AwardState.OFFERED, offer_ends_at__lte=now) | Q(state__in=RUNS, ends_at__lte=now)
    ended = []
    for award in Award.objects.filter(over).order_by("pk"):
        with suppress(Refused):  # somebody was quicker, and the award is over or accepted
            end(award=award, now=now)
            ended.append(award.account_name)
    return ended


def is_due(award: Award, left_gpu_seconds: int, now: datetime) -> bool:
    is_used_up = award.state == AwardState.ACTIVE and left_gpu_seconds == 0
    return is_used_up or now >= _ends_at(award)


def _ends_at(award: Award) -> datetime:
    return award.offer_ends_at if award.state == AwardState.OFFERED else award.ends_at


def _left(award: Award) -> int:
    standing = ledger.balances(award, for_update=True)
    return standing[Account.HELD] + standing[Account.READY]


def _move(
    award: Award, to: AwardState, now: datetime, *, by: User | None, did: str = "", **fields: Any
) -> None:
    """The compare-and-swap of an award's state, with its line in the audit."""
    before = [state for state in AwardState if to in AWARD_TRANSITIONS[state]]
    rows = Award.objects.filter(pk=award.pk, state__in=before)
    if not rows.update(state=to, state_since=now, **fields):
        award.refresh_from_db()
        raise Refused(_moved_on(award))
    audit.record(by=by, did=did or f"award.{to}", subject=award, at=now)


def _make_ready(award: Award, gpu_seconds: int, why: str, now: datetime) -> None:
    ledger.move(
        source=f"award:{award.pk}:{why}",
        pool=award.pool,
        award=award,
        from_account=Account.HELD,
        to_account=Account.READY,
        gpu_seconds=gpu_seconds,
        now=now,
    )


def _return_rest(award: Award, why: str, now: datetime, *, through: Account | None = None) -> int:
    """Brings what is held or ready back to the pool, on its way through another account if one is named."""
    standing = ledger.balances(award, for_update=True)
    for account in (Account.HELD, Account.READY):
        gpu_seconds = standing[account]
        steps = [account, through, Account.POOL] if through else [account, Account.POOL]
        for number, (source, target) in enumerate(pairwise(steps)):
            if gpu_seconds:
                ledger.move(
                    source=f"award:{award.pk}:{why}:{account}:{number}",
                    pool=award.pool,
                    award=award,
                    from_account=source,
                    to_account=target,
                    gpu_seconds=gpu_seconds,
                    now=now,
                )
    return standing[Account.HELD] + standing[Account.READY]


def _mail(award: Award, template: str, now: datetime, **more: Any) -> None:
    """One mail to the group's owner; what can happen twice to an award has its instant in the key."""
    application = award.application
    award.refresh_from_db()
    mail.queue(
        key=f"{template}:{award.pk}:{now.isoformat()}",
        to=application.owner,
        template=template,
        context={"award": award, "application": application, "call": application.call, **more},
        now=now,
    )


def _cleaned(text: str, field: str, most: int) -> str:
    try:
        cleaned = clean_text(text)
    except TextRefused as refused:
        raise Refused(str(refused), fields={field: refused}) from refused
    if not cleaned:
        said = _("Write a line here.")
    elif len(cleaned) > most:
        said = _("This has %(count)d characters; at most %(most)d fit. Make it shorter.") % {
            "count": len(cleaned),
            "most": most,
        }
    else:
        return cleaned
    raise Refused(said, fields={field: said})


def _refuse_all_but_the_owner(award: Award, by: User | None) -> None:
    """Hours are taken and given back by the person who leads the group; None is the site itself."""
    memberships = award.application.group.memberships
    if by is not None and not memberships.filter(user=by, role=MembershipRole.OWNER).exists():
        raise Refused(_("Only the person who leads the group can do this."))


def _refuse_after_the_offer(award: Award, now: datetime) -> None:
    locked = Award.objects.select_for_update().get(pk=award.pk)
    if locked.state == AwardState.OFFERED and now >= locked.offer_ends_at:
        said = {"at": _say(locked.offer_ends_at, locked)}
        raise Refused(_("The offer stood until %(at)s. Its hours go back to the pool.") % said)


def _refuse_the_note(award: Award) -> None:
    award.refresh_from_db()
    if award.progress_note_at is not None:
        said = {"at": _say(award.progress_note_at, award)}
        raise Refused(_("The note was already written on %(at)s; the second half is open.") % said)
    if award.state == AwardState.OFFERED:
        raise Refused(_("Accept the hours first; the note tells how the work goes."))
    raise Refused(_moved_on(award))


def _moved_on(award: Award) -> str:
    """Why nothing can be done: how the award stands now, and since when."""
    return _("This award is “%(state)s” since %(at)s, so this can no longer be done.") % {
        "state": award.get_state_display(),
        "at": _say(award.state_since, award),
    }


def _say(instant: datetime, award: Award) -> str:
    return say_instant(instant, parse_zone(award.pool.call.zone))
