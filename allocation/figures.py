"""The figures of a call's report: one data object of integers and plain words, frozen at a cut-off instant.

PDF, page and CSV are all made from it (allocation.reports). Nothing here names a person, a reviewer, a draft or
a single group's score. Instants are ISO in UTC, hours are gpu_seconds, scores thousandths.
"""

import json
import statistics
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q

from allocation.figures_award import awards_of, energy, head, simulated_used, use_by_week
from allocation.models import AllocationRun, Award, RankingRow, UsageRecord
from grants.models import Application, Assignment, Call, Pool, Recusal, State

# A number of fewer than this might be read back to somebody who was not funded.
LEAST_SHOWN = 5
OTHERS = "others"


def for_call(call: Call, cutoff: datetime) -> dict[str, Any]:
    """Everything that a funder reads of a call, as it stood at the cut-off; constant queries."""
    sent = list(
        Application.objects.filter(call=call, submitted_at__lte=cutoff)
        .exclude(state=State.DRAFT)
        .order_by("pk")
    )
    awards = awards_of(Award.objects.filter(pool__call=call, offered_at__lte=cutoff), cutoff)
    run = AllocationRun.objects.released().filter(call=call, state_since__lte=cutoff).first()
    pools = Pool.objects.filter(call=call).select_related("funder", "gpu_type").order_by("pk")
    return head("call", call, cutoff) | {
        "pools": [_pool(pool, awards) for pool in pools],
        "applications": _applications(sent, awards, run),
        "gpu_seconds": _hours(sent, awards, list(pools)),
        "awards": awards,
        "by_goal": _by_goal(sent, awards),
        "by_country": _by("country", sent, awards, lambda row: row.country),
        "by_kind": _by("kind", sent, awards, lambda row: row.group_kind),
        "use_by_week": use_by_week(Q(pool__call=call), cutoff),
        "days": _days(call, run, cutoff),
        "scores": _scores(run),
        "review": _review(call, cutoff),
        "lot": _lot(call, run),
        "energy": energy(awards, call),
        "simulated_used": simulated_used(awards),
    }


def _pool(pool: Pool, awards: list[dict[str, Any]]) -> dict[str, Any]:
    mine = [award for award in awards if award["pool"] == pool.pk]
    return {
        "funder": pool.funder.name,
        "gpu_type": pool.gpu_type.name,
        "offered": pool.gpu_seconds,
        "awarded": sum(award["awarded"] for award in mine),
        "used": sum(award["used"] for award in mine),
        "left": pool.gpu_seconds - sum(award["awarded"] - award["returned"] for award in mine),
    }


def _applications(
    sent: list[Application], awards: list[dict[str, Any]], run: AllocationRun | None
) -> dict[str, int]:
    states = Counter(row.state for row in sent)
    fundable = RankingRow.objects.filter(ranking=run.ranking, is_fundable=True).count() if run else 0
    return {
        "sent": len(sent),
        "withdrawn": states[State.WITHDRAWN],
        "ineligible": states[State.INELIGIBLE],
        "eligible": states[State.SUBMITTED],
        "fundable": fundable,
        "awarded": len(awards),
        "accepted": sum(award["is_accepted"] for award in awards),
        "first_timers": sum(award["is_first_timer"] for award in awards),
    }


def _hours(sent: list[Application], awards: list[dict[str, Any]], pools: list[Pool]) -> dict[str, int]:
    asked = sum(row.ask_gpu_seconds or 0 for row in sent if row.state == State.SUBMITTED)
    return {
        "offered": sum(pool.gpu_seconds for pool in pools),
        "asked": asked,
        "awarded": sum(award["awarded"] for award in awards),
        "accepted": sum(award["awarded"] for award in awards if award["is_accepted"]),
        "used": sum(award["used"] for award in awards),
        "reserved": sum(award["reserved"] for award in awards),
        "returned": sum(award["returned"] for award in awards),
    }


def _by_goal(sent: list[Application], awards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hours under their principal goal, so that sums are true; significant goals are counted apart."""
    principal = Counter(row.sdg_main for row in sent)
    significant: Counter[int | None] = Counter(goal for award in awards for goal in award["other_goals"])
    goals = {award["goal"] for award in awards} | set(principal) | set(significant)
    return [
        {
            "goal": goal,
            "applications": principal[goal],
            "awards": sum(award["goal"] == goal for award in awards),
            "awards_significant": significant[goal],
            "awarded": sum(award["awarded"] for award in awards if award["goal"] == goal),
            "used": sum(award["used"] for award in awards if award["goal"] == goal),
        }
        for goal in sorted(goals, key=lambda goal: goal or 99)
    ]


def _by(
    name: str, sent: list[Application], awards: list[dict[str, Any]], key: Callable[[Application], str]
) -> list[dict[str, Any]]:
    """By country or kind of group; few applications of which none was funded are put together as others."""
    asked = Counter(key(row) for row in sent)
    given = Counter(award[name] for award in awards)
    for value, number in list(asked.items()):
        if number < LEAST_SHOWN and not given[value]:
            asked[OTHERS] += asked.pop(value)
    return [
        {
            name: value,
            "applications": asked[value],
            "awards": given[value],
            "awarded": sum(award["awarded"] for award in awards if award[name] == value),
            "used": sum(award["used"] for award in awards if award[name] == value),
        }
        for value in sorted({*asked, *given}, key=lambda value: (value == OTHERS, value))
    ]


def _days(call: Call, run: AllocationRun | None, cutoff: datetime) -> dict[str, int | None]:
    """Whole days from the close to the decisions, and (median) from there to an award's first job."""
    if run is None:
        return {"close_to_decision": None, "decision_to_first_job": None}
    firsts = (
        UsageRecord.objects.filter(award__pool__call=call, starts_at__lte=cutoff)
        .values("award")
        .annotate(first=Min("starts_at"))
        .values_list("first", flat=True)
    )
    waits = [(first - run.state_since).days for first in firsts]
    return {
        "close_to_decision": (run.state_since - call.closes_at).days,
        "decision_to_first_job": int(statistics.median(waits)) if waits else None,
    }


def _scores(run: AllocationRun | None) -> list[dict[str, int]]:
    """How many applications have a mean in each half point; none where they are too few to hide anybody."""
    if run is None:
        return []
    means = RankingRow.objects.filter(ranking=run.ranking, reviews__gt=0).values_list(
        "mean_thousandths", flat=True
    )
    if len(means) < LEAST_SHOWN:
        return []
    bins = Counter(min(mean, 4999) // 500 for mean in means)
    return [
        {"from_thousandths": step * 500, "to_thousandths": step * 500 + 500, "applications": bins[step]}
        for step in range(10)
        if bins[step]
    ]


def _review(call: Call, cutoff: datetime) -> dict[str, int]:
    made = Assignment.objects.filter(application__call=call, made_at__lte=cutoff)
    counted = made.aggregate(
        assignments=Count("pk"),
        reviewers=Count("reviewer", distinct=True),
        reviews=Count("review", filter=Q(review__submitted_at__lte=cutoff)),
    )
    return {
        **counted,
        "recusals": Recusal.objects.filter(application__call=call, at__lte=cutoff).count(),
    }


def _lot(call: Call, run: AllocationRun | None) -> dict[str, str | None]:
    return {
        "secret_sha256": call.lot_secret_sha256,
        "seed": json.loads(run.problem)["seed"] if run else None,
        "run": run.public_id if run else None,
        "input_sha256": run.input_sha256 if run else None,
        "result_sha256": run.result_sha256 if run else None,
    }
