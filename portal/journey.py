"""The applicant's way through all stages, put together from grants and allocation for the site's pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext as _

from allocation.models import Award, Decision
from grants.models import Application, Phase, State


@dataclass(frozen=True)
class Step:
    """One line of the date slip. `at` None: no day is known yet; `link` names a URL of the application."""

    label: str
    text: str
    state: Literal["done", "now", "next"]
    at: datetime | None = None
    link: str = ""


def timeline(*, application: Application, now: datetime) -> list[Step]:
    """All steps from the first word to the last hour, with what happens next and by when."""
    steps = [_writing(application)]
    if application.state == State.DRAFT:
        return steps + ([] if now >= application.call.closes_at else _steps_to_come(application))
    if application.state == State.WITHDRAWN:
        return [*steps, _taken_back(application)]
    if application.state == State.INELIGIBLE:
        return [*steps, _does_not_fit(application)]
    decision = Decision.objects.filter(application=application, run__state="released").first()
    if decision is None:
        return steps + _waiting(application, now)
    return steps + _decided(application, decision)


def _writing(application: Application) -> Step:
    if application.submitted_at is None:
        text = _("Twelve questions. Every answer is saved as you give it.")
        return Step(_("You are writing"), text, "now", link="check")
    return Step(
        _("Sent"),
        _("Keep the receipt: it proves what you sent and when."),
        "done",
        application.submitted_at,
        "receipt",
    )


def _steps_to_come(application: Application) -> list[Step]:
    call = application.call
    return [
        Step(
            _("The call closes"),
            _("Send before then; you can change what you sent until then."),
            "next",
            call.closes_at,
        ),
        Step(_("Decision"), _("With reasons and every score."), "next", call.decides_at),
    ]


def _taken_back(application: Application) -> Step:
    return Step(
        _("Withdrawn"),
        _("You took this application back. You can still read it."),
        "done",
        application.state_since,
    )


def _does_not_fit(application: Application) -> Step:
    return Step(_("Does not fit the call"), application.state_reason, "done", application.state_since)


def _waiting(application: Application, now: datetime) -> list[Step]:
    call, phase = application.call, application.call.phase(now)
    if phase == Phase.OPEN:
        text = _("You can change your answers until then. There is nothing that you need to do.")
        return [
            Step(_("The call closes"), text, "now", call.closes_at),
            *_reading(application, "next"),
            _hearing(application, "next"),
        ]
    is_scored = phase not in (Phase.CLOSED, Phase.SCORING)
    reading = _reading(application, "done" if is_scored else "now")
    return [*reading, _hearing(application, "now" if is_scored else "next")]


def _reading(application: Application, state: Literal["done", "now", "next"]) -> list[Step]:
    call = application.call
    text = (
        _("They do not see your name.") if call.is_blind else _("They score it with the rubric of the call.")
    )
    return [Step(_("Reviewers read it"), text, state, call.scoring_ends_at)]


def _hearing(application: Application, state: Literal["done", "now", "next"]) -> Step:
    return Step(_("Decision"), _("With reasons and every score."), state, application.call.decides_at)


def _decided(application: Application, decision: Decision) -> list[Step]:
    told = Step(
        _("Decision"),
        _("Read it, with reasons and every score."),
        "done",
        application.call.released_at,
        "decision",
    )
    award = Award.objects.filter(decision=decision).first()
    if award is None:
        return [told]
    steps = [told]
    if award.accepted_at:
        steps.append(Step(_("Accepted"), _("The hours are yours."), "done", award.accepted_at, "award"))
    return [*steps, _award_now(award)]


def _award_now(award: Award) -> Step:
    words = {
        "offered": (_("Accept the hours"), _("Until then they are kept for you."), award.offer_ends_at),
        "accepted": (
            _("Your account is being made"),
            _("You get a mail when the first slot is placed."),
            award.starts_at,
        ),
        "active": (
            _("Use your hours"),
            _("Hours that you do not use by then go back to the pool."),
            award.ends_at,
        ),
        "finished": (_("Finished"), _("All is used or given back."), award.state_since),
        "expired": (_("Ended"), _("What was not used went back to the pool."), award.state_since),
        "revoked": (_("Taken back"), _("The chair took this award back."), award.state_since),
    }
    label, text, at = words[award.state]
    is_over = award.state in ("finished", "expired", "revoked")
    return Step(label, text, "done" if is_over else "now", at, "award")
