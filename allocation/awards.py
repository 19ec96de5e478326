"""Runs of the allocator: proposed, approved, released; and the doors to what happens to an award afterwards.

Called by the chair's admin, `manage.py allocate` and the demo. A run is stored only after the exact checker
of the engine, which shares no code with the rules, has accepted it.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from allocation import engine, ledger, ranking, telling, words
from allocation.award_life import (
    accept,
    activate,
    end,
    end_due,
    first_half,
    give_back,
    pause,
    resume,
    revoke,
    write_progress_note,
)
from allocation.bundles import bundle, first_timer, pools_by_id, problem, replay
from allocation.models import (
    RUN_TRANSITIONS,
    Account,
    AllocationRun,
    Award,
    Decision,
    Outcome,
    RankingRow,
    RunState,
)
from allocation.ranking import Scored
from grants.models import Application, Call, Pool
from portal import audit, mail
from portal.lib.dates import parse_zone, say_instant
from portal.models import AuditEntry, User
from portal.refused import Refused

__all__ = [
    "accept",
    "activate",
    "approve",
    "bundle",
    "discard",
    "end",
    "end_due",
    "first_half",
    "first_timer",
    "give_back",
    "pause",
    "propose",
    "release",
    "replay",
    "resume",
    "revoke",
    "write_progress_note",
]

OFFER_LASTS = timedelta(days=14)


def propose(*, call: Call, by: User | None, now: datetime, rule: str | None = None) -> AllocationRun:
    """Computes and stores a proposal from the newest ranking. The same input again gives the same run.

    Raises Refused without a ranking of the scores as they are now, once a run is approved, and where the
    engine cannot use the input or its checker finds a fault.
    """
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=call.pk)
        _refuse_beside_another(call)
        frozen = call.rankings.order_by("-pk").first()
        if frozen is None:
            raise Refused(_("There is no ranking yet. Freeze it first."))
        if not ranking.is_current(frozen):
            raise Refused(_("Scores or applications changed since the ranking was frozen. Freeze it again."))
        asked = problem(frozen, rule=rule or call.rule)
        given = _computed(asked)
        known: AllocationRun | None = frozen.runs.filter(
            state=RunState.PROPOSED, input_sha256=given["input_sha256"]
        ).first()
        if known is not None:
            return known
        result = engine.canonical_bytes(given)
        run = AllocationRun.objects.create(
            call=call,
            ranking=frozen,
            rule=asked["rule"],
            state_since=now,
            proposed_at=now,
            proposed_by=by,
            problem=engine.canonical_bytes(asked).decode(),
            result=result.decode(),
            input_sha256=given["input_sha256"],
            result_sha256=hashlib.sha256(result).hexdigest(),
        )
        audit.record(by=by, did="run.proposed", subject=run, at=now, input_sha256=run.input_sha256)
    return run


def approve(*, run: AllocationRun, by: User | None, now: datetime) -> None:
    """The chair stands for a proposal. Nobody is told yet."""
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=run.call_id)
        _refuse_beside_another(call, run)
        _move(run, RunState.APPROVED, by, now, approved_by=by)
        _refuse_old(run, ranking.scored_applications(call))


def discard(*, run: AllocationRun, by: User | None, now: datetime) -> None:
    with transaction.atomic():
        Call.objects.select_for_update().get(pk=run.call_id)
        _move(run, RunState.DISCARDED, by, now)


def release(*, run: AllocationRun, by: User | None, now: datetime) -> None:
    """Tells every applicant the decision with its reasons, offers the awards and fills the ledger.

    All of it or nothing: the second of two chairs is told that the first was quicker.
    """
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=run.call_id)
        _move(run, RunState.RELEASED, by, now, released_by=by)
        sent = call.applications.filter(state__in=["submitted", "ineligible"]).order_by("pk")
        applications = list(sent.select_for_update(of=("self",)).select_related("owner"))
        scored = ranking.scored_applications(call)
        _refuse_old(run, scored)
        if now >= call.award_ends_at:
            raise Refused(_("The time in which hours can be used is over, so nothing can be awarded."))
        decisions = _decide(run, scored, [each for each in applications if each.state == "ineligible"])
        awards = _offer(call, decisions, now)
        Call.objects.filter(pk=call.pk).update(released_at=now)
        for other in call.runs.filter(state=RunState.PROPOSED):
            _move(other, RunState.DISCARDED, by, now)
        _tell(run, decisions, awards, now)


def _computed(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        given = engine.award(asked)
        faults = engine.check(asked, given)
    except engine.BundleError as error:
        raise Refused(_("The allocator cannot use this: %(why)s") % {"why": error}) from error
    if faults:
        said = {"fault": faults[0]}
        raise Refused(_("The checker refused the result, so nothing was stored: %(fault)s") % said)
    return given


def _refuse_beside_another(call: Call, run: AllocationRun | None = None) -> None:
    """One run a call is approved or released; beside it there is nothing to propose or to approve."""
    other = call.runs.filter(state__in=[RunState.APPROVED, RunState.RELEASED]).first()
    if other is not None and other != run:
        raise Refused(_how_it_stands(other))


def _move(run: AllocationRun, to: RunState, by: User | None, now: datetime, **fields: Any) -> None:
    """The compare-and-swap of a run's state, with its line in the audit."""
    before = [state for state in RunState if to in RUN_TRANSITIONS[state]]
    moved = AllocationRun.objects.filter(pk=run.pk, state__in=before).update(
        state=to, state_since=now, **fields
    )
    if not moved:
        run.refresh_from_db()
        raise Refused(_how_it_stands(run))
    audit.record(by=by, did=f"run.{to}", subject=run, at=now)


def _how_it_stands(run: AllocationRun) -> str:
    """What happened to a run meanwhile: by whom, and when."""
    entry = (
        AuditEntry.objects.filter(
            subject_kind=run._meta.label, subject_id=str(run.pk), did=f"run.{run.state}"
        )
        .select_related("by")
        .last()
    )
    said = {
        "run": run.public_id,
        "who": str(entry.by) if entry and entry.by else _("the site"),
        "at": say_instant(run.state_since, parse_zone(run.call.zone)),
    }
    words = {
        RunState.PROPOSED: _("Run %(run)s is only proposed. Approve it first."),
        RunState.APPROVED: _("Run %(run)s was already approved by %(who)s on %(at)s."),
        RunState.RELEASED: _("Run %(run)s was already released by %(who)s on %(at)s."),
        RunState.DISCARDED: _("Run %(run)s was already discarded by %(who)s on %(at)s."),
    }
    return words[RunState(run.state)] % said


def _refuse_old(run: AllocationRun, scored: Iterable[Scored]) -> None:
    """Somebody withdrew, or a review came in: the run answers a question that is no longer asked."""
    if engine.digest(ranking.inputs(run.call, scored)) != run.ranking.input_sha256:
        raise Refused(
            _("Scores or applications changed since this run was proposed. Discard it and propose again.")
        )


def _decide(
    run: AllocationRun, scored: Iterable[Scored], ineligible: Iterable[Application]
) -> list[Decision]:
    """One decision for each application of the ranking, and one for each that did not fit the call."""
    pools = pools_by_id(run.call)
    rows = {row.application_id: row for row in run.ranking.rows.all()}
    given = {each["id"]: each for each in json.loads(run.result)["decisions"]}
    decisions = [
        _decision(run, each, rows[each.application.pk], given[each.application.public_id], pools)
        for each in scored
    ]
    decisions += [
        Decision(run=run, application=each, outcome=Outcome.DECLINED, reasons=[{"kind": "ineligible"}])
        for each in ineligible
    ]
    return Decision.objects.bulk_create(decisions, batch_size=500)


def _decision(
    run: AllocationRun, scored: Scored, row: RankingRow, given: dict[str, Any], pools: dict[str, Pool]
) -> Decision:
    """The engine knows only that something was not fundable; why not stands in the ranking."""
    return Decision(
        run=run,
        application=scored.application,
        outcome=given["outcome"],
        pool=pools[given["pool"]] if given["pool"] else None,
        gpu_seconds=given["gpu_seconds"],
        reasons=[*given["reasons"], *row.reasons],
        # In the order of the words, which tells nothing about who wrote them.
        feedback=sorted(
            ({"strength": each.strength, "fix": each.fix} for each in scored.reviews),
            key=lambda words: (words["strength"], words["fix"]),
        ),
    )


def _offer(call: Call, decisions: Iterable[Decision], now: datetime) -> dict[int, Award]:
    """Awards by the key of their application, with the hours of each moved from the pool."""
    pools = list(call.pools.order_by("pk"))
    for pool in pools:
        _fund(pool, now)
    offered = Award.objects.bulk_create(
        [
            Award(
                decision=decision,
                application=decision.application,
                pool=decision.pool,
                gpu_seconds=decision.gpu_seconds,
                state_since=now,
                offered_at=now,
                offer_ends_at=min(now + OFFER_LASTS, call.award_ends_at),
                starts_at=call.award_starts_at,
                ends_at=call.award_ends_at,
            )
            for decision in decisions
            if decision.outcome == Outcome.AWARDED
        ],
        batch_size=500,
    )
    for pool in pools:
        ledger.hold_all(pool=pool, awards=[each for each in offered if each.pool_id == pool.pk], now=now)
    return {award.application_id: award for award in offered}


def _fund(pool: Pool, now: datetime) -> None:
    ledger.move(
        source=f"pool:{pool.pk}:funded",
        pool=pool,
        award=None,
        from_account=Account.FUNDER,
        to_account=Account.POOL,
        gpu_seconds=pool.gpu_seconds,
        now=now,
    )


def _tell(run: AllocationRun, decisions: Iterable[Decision], awards: dict[int, Award], now: datetime) -> None:
    """One mail an application; those that did not fit were told when that was found."""
    call = run.call
    rows = {row.application_id: row for row in run.ranking.rows.all()}
    criteria, pools = telling.criteria_of(call), telling.pool_names(call)
    for decision in decisions:
        application = decision.application
        if application.pk not in rows:
            continue
        facts = telling.facts_of(application, rows[application.pk], decision.gpu_seconds, criteria, pools)
        with translation.override(application.owner.language):
            said = {
                "headline": words.outcome_words(decision.outcome, facts),
                "reasons": words.to_applicant(decision.reasons, facts),
                "needed": words.what_was_needed(decision.reasons, facts),
            }
        mail.queue(
            key=f"decision:{run.pk}:{application.pk}",
            to=application.owner,
            template="decision",
            context={"application": application, "award": awards.get(application.pk), **said},
            now=now,
        )
