"""Rule rank-and-cut: from the top, each candidate gets what fits; who does not fit is passed over.

Called through `rules.RULES`. Promised: a better score or tie score never turns an award into a refusal, nor
into an option liked less, nor into a smaller grant of the same option. Not promised: the amount over all
options (with more room, a small grant of the first option replaces a whole grant of the second), nor what
becomes of others.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from .. import why
from ..granting import best_fit, why_granted, why_not
from ..measures import WORTH, Equivalents, matches, standing
from ..outcome import AWARDED, DECLINED, Decision, Grant, Outcome, Reason, ShareMet
from ..problem import Candidate, Problem
from ..remaining import Remaining


def rank_and_cut(problem: Problem) -> Outcome:
    """Decides in order of standing; every decision carries its reasons.

    The order of the input does not matter.

    At-most shares bind, whether hard or not. At-least shares can not bind a rule that looks at one
    candidate after another: they are reported with what was got, wanted and missed.
    """
    equivalents = Equivalents(problem)
    remaining = Remaining(problem, equivalents)
    order = sorted(problem.candidates, key=lambda each: standing(each, problem.seed, equivalents))
    grants: dict[str, Grant] = {}
    reasons: dict[str, tuple[Reason, ...]] = {}
    for candidate in order:
        grant, why_so = _decide(candidate, remaining, equivalents.unit)
        reasons[candidate.id] = why_so
        if grant is not None:
            grants[candidate.id] = grant
    changes = why.what_would_change(problem, order, grants)
    return Outcome(
        decisions=tuple(
            Decision(
                id=each.id,
                outcome=AWARDED if each.id in grants else DECLINED,
                grant=grants.get(each.id),
                reasons=(*reasons[each.id], *changes.get(each.id, ())),
            )
            for each in sorted(problem.candidates, key=lambda each: each.id)
        ),
        pools=remaining.pools_left(),
        earmarks=remaining.earmarks_left(),
        shares=shares_met(problem, grants, equivalents),
        value=sum(each.score * WORTH[grants[each.id].step] for each in order if each.id in grants),
    )


def _decide(candidate: Candidate, remaining: Remaining, unit: int) -> tuple[Grant | None, tuple[Reason, ...]]:
    if not candidate.fundable:
        # The bundle says that a floor was missed, not which: the number stays with the call.
        return None, (Reason("not_fundable", (("floor", None),)),)
    fit = best_fit(candidate, remaining)
    if fit is None:
        return None, why_not(candidate, remaining, unit)
    reasons = why_granted(fit, remaining, unit)
    remaining.take(fit.place, fit.grant.gpu_seconds)
    return fit.grant, reasons


def shares_met(problem: Problem, grants: dict[str, Grant], equivalents: Equivalents) -> tuple[ShareMet, ...]:
    """In whole equivalent seconds: got rounded down, a floor's wanted and shortfall up, a ceiling's wanted
    down.
    """
    granted = [(each, grants[each.id]) for each in problem.candidates if each.id in grants]
    met = []
    for share in sorted(problem.shares, key=lambda each: each.id):
        got = sum(
            grant.gpu_seconds * equivalents.weight[grant.gpu_type]
            for candidate, grant in granted
            if matches(share.where, candidate, grant.gpu_type)
        )
        wanted = Fraction(equivalents.of_pools * share.part.numerator, share.part.denominator)
        met.append(
            ShareMet(
                id=share.id,
                got=got // equivalents.unit,
                wanted=ceil(wanted / equivalents.unit)
                if share.is_floor
                else floor(wanted / equivalents.unit),
                shortfall=max(0, ceil((wanted - got) / equivalents.unit)) if share.is_floor else 0,
            )
        )
    return tuple(met)
