"""How things are measured: the steps of a grant, equivalents, standing, who matches. Called by the rules."""

from __future__ import annotations

from math import lcm

from . import lot
from .problem import Candidate, Option, Problem, Where

HOUR = 3600
WORTH = (700, 775, 850, 925, 1000)
WHOLE_STEP = len(WORTH) - 1

Standing = tuple[int, int, int, bytes, str]


def amounts(option: Option) -> tuple[int, ...]:
    """The amount at each step. The ends are exact; between them whole hours, never under the minimum.

    Where minimum and ask are equal there is one amount, and it is the whole.
    """
    span = option.ask - option.minimum
    between = [(option.minimum + k * span // WHOLE_STEP) // HOUR * HOUR for k in range(1, WHOLE_STEP)]
    return (option.minimum, *(max(option.minimum, each) for each in between), option.ask)


def largest_step(option: Option, room: int) -> int | None:
    """The largest step whose amount fits into `room`."""
    if room >= option.ask:
        return WHOLE_STEP
    if room < option.minimum:
        return None
    steps = amounts(option)
    return max(k for k in range(WHOLE_STEP) if steps[k] <= room)


class Equivalents:
    """Equivalents without fractions: one equivalent second is `unit`, one of a type its weight."""

    def __init__(self, problem: Problem) -> None:
        self.unit = lcm(*(ratio.denominator for _, ratio in problem.factors))
        self.weight = {
            gpu_type: ratio.numerator * self.unit // ratio.denominator for gpu_type, ratio in problem.factors
        }
        self.of_pools = sum(pool.gpu_seconds * self.weight[pool.gpu_type] for pool in problem.pools)

    def smallest_ask(self, candidate: Candidate) -> int:
        return min(option.ask * self.weight[option.gpu_type] for option in candidate.options)


def standing(candidate: Candidate, seed: str, equivalents: Equivalents) -> Standing:
    """The sort key: score down, tie score down, smallest ask up, then the lot."""
    return (
        -candidate.score,
        -candidate.tie_score,
        equivalents.smallest_ask(candidate),
        lot.ticket(seed, candidate.id),
        candidate.id,
    )


def matches(where: Where, candidate: Candidate, gpu_type: str) -> bool:
    """Whether a candidate, granted hours of `gpu_type`, is one of those that `where` names."""
    if where.gpu_type is not None and gpu_type not in where.gpu_type:
        return False
    if where.first_timer is not None and candidate.first_timer != where.first_timer:
        return False
    if where.country is not None and candidate.country not in where.country:
        return False
    if where.kind is not None and candidate.kind not in where.kind:
        return False
    if where.sdg is not None:
        named = candidate.sdg[:1] if where.principal_only else candidate.sdg
        return any(goal in where.sdg for goal in named)
    return True
