"""One candidate, one decision: the grant that fits now, and what stands in the way of more.

Called by the rules for each candidate in turn, and by `why` to confirm what would have happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .measures import WHOLE_STEP, amounts, largest_step
from .outcome import Grant, Reason
from .problem import Candidate, Option
from .remaining import CAP, EARMARK, POOL, Place, Remaining

POOL_EMPTY, EARMARK_ELSEWHERE, CAP_REACHED, SHARE_FULL = (
    "pool_empty",
    "earmark_elsewhere",
    "cap",
    "share_full",
)


@dataclass(frozen=True, slots=True)
class Fit:
    """A grant with the option and the place it comes from."""

    grant: Grant
    option: Option
    place: Place


def best_fit(candidate: Candidate, remaining: Remaining) -> Fit | None:
    """The first option that fits at any step, at its largest step; of equal pools, the first id."""
    for option in candidate.options:
        best: tuple[int, Place] | None = None
        for place in remaining.places(candidate, option.gpu_type):
            step = largest_step(option, remaining.room(place))
            if step is not None and (best is None or step > best[0]):
                best = (step, place)
        if best is not None:
            step, place = best
            grant = Grant(place.pool, option.gpu_type, amounts(option)[step], step)
            return Fit(grant, option, place)
    return None


def why_granted(fit: Fit, remaining: Remaining, unit: int) -> tuple[Reason, ...]:
    """Why this much; called before the grant is taken. The next larger amount runs into what limits it."""
    if fit.grant.step == WHOLE_STEP:
        return (Reason("funded_whole"),)
    larger = amounts(fit.option)[fit.grant.step + 1]
    limits = tuple(_limits(fit.place, larger, fit.option.minimum, remaining, unit))
    partly = Reason("funded_in_part", (("step", fit.grant.step), ("limited_by", limits[0].kind)))
    return (partly, *limits)


def why_not(candidate: Candidate, remaining: Remaining, unit: int) -> tuple[Reason, ...]:
    """Every limit that keeps every option from its smallest useful amount, each named once."""
    reasons: dict[Reason, None] = {}
    for option in candidate.options:
        places = list(remaining.places(candidate, option.gpu_type))
        if not places:
            facts = (("pool", None), ("left", 0), ("minimum", option.minimum))
            reasons[Reason(POOL_EMPTY, facts)] = None
        for place in places:
            for reason in _limits(place, option.minimum, option.minimum, remaining, unit):
                reasons[reason] = None
    return tuple(reasons)


def _limits(place: Place, wanted: int, minimum: int, remaining: Remaining, unit: int) -> Iterator[Reason]:
    """The limits that `wanted` runs into: the pool (or else an earmark in it), the cap, each full share."""
    left = remaining.left
    whole = min(left[row] for row, _ in place.uses if remaining.rows[row].kind == POOL)
    open_to = min((left[row] for row, _ in place.uses if remaining.rows[row].kind == EARMARK), default=whole)
    if whole < wanted:
        yield Reason(POOL_EMPTY, (("pool", place.pool), ("left", whole), ("minimum", minimum)))
    elif open_to < wanted:
        yield Reason(EARMARK_ELSEWHERE, (("pool", place.pool), ("held", whole - open_to)))
    for row, weight in place.uses:
        about = remaining.rows[row]
        if about.kind in (POOL, EARMARK) or left[row] >= wanted * weight:
            continue
        if about.kind == CAP:
            yield Reason(CAP_REACHED, (("group", about.subject), ("left", left[row] // unit)))
        else:
            yield Reason(SHARE_FULL, (("share", about.subject),))
