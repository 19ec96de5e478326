"""What would have changed a refusal under rank-and-cut. Called by the rule when all is decided.

A refused candidate takes nothing, so those before it are decided as if it were not there. What is left only
falls as the order goes on. So there is one place in the order up to which it would have been funded: found
by bisection in each row's history, and stated only after the rule's own decision, taken at that very place,
has confirmed it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .granting import best_fit
from .measures import HOUR, Equivalents, Standing, standing
from .outcome import Grant, Reason
from .problem import Candidate, Option, Problem
from .remaining import Place, Remaining

Reasons = tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """With this change the candidate is funded; with the one just short of it, it is not."""

    changed: Candidate
    just_short: Candidate
    reasons: Reasons


class History:
    """For each row, the places in the order at which it fell, and how far (negated, so that it rises)."""

    def __init__(self, remaining: Remaining) -> None:
        self._places: list[list[int]] = [[] for _ in remaining.left]
        self._fallen: list[list[int]] = [[] for _ in remaining.left]
        self._at_first = list(remaining.left)

    def fell(self, place: Place, position: int, remaining: Remaining) -> None:
        for row, _ in place.uses:
            self._places[row].append(position)
            self._fallen[row].append(-remaining.left[row])

    def last_position(self, place: Place, gpu_seconds: int) -> int | None:
        """The last place in the order before which this much still fits; None where it never does."""
        last: int | None = None
        for row, weight in place.uses:
            need = gpu_seconds * weight
            if self._at_first[row] < need:
                return None
            first_short = bisect_right(self._fallen[row], -need)
            if first_short < len(self._places[row]):
                position = self._places[row][first_short]
                last = position if last is None else min(last, position)
        return last


def what_would_change(
    problem: Problem, order: list[Candidate], grants: dict[str, Grant]
) -> dict[str, Reasons]:
    """`outscored` and `would_be_funded_if` for each fundable candidate that was refused, all confirmed."""
    equivalents = Equivalents(problem)
    remaining = Remaining(problem, equivalents)
    history = History(remaining)
    rooms: dict[str, dict[str, int]] = {}
    for position, candidate in enumerate(order):
        grant = grants.get(candidate.id)
        if grant is not None:
            place = _take(candidate, grant, remaining)
            history.fell(place, position, remaining)
        elif candidate.fundable:
            rooms[candidate.id] = _rooms(candidate, remaining)
    search = _Search(problem, order, equivalents, remaining, history)
    claims = {
        candidate.id: list(search.claims(candidate, rooms[candidate.id]))
        for candidate in order
        if candidate.id in rooms
    }
    return _confirmed(problem, order, grants, claims)


def _take(candidate: Candidate, grant: Grant, remaining: Remaining) -> Place:
    places = remaining.places(candidate, grant.gpu_type)
    place = next(each for each in places if each.pool == grant.pool)
    remaining.take(place, grant.gpu_seconds)
    return place


def _rooms(candidate: Candidate, remaining: Remaining) -> dict[str, int]:
    return {
        option.gpu_type: max(
            (remaining.room(place) for place in remaining.places(candidate, option.gpu_type)), default=0
        )
        for option in candidate.options
    }


class _Search:
    """Looks for the least change of one number that would have funded a refused candidate."""

    def __init__(
        self,
        problem: Problem,
        order: list[Candidate],
        equivalents: Equivalents,
        remaining: Remaining,
        history: History,
    ) -> None:
        self._seed = problem.seed
        self._order = order
        self._equivalents = equivalents
        self._remaining = remaining
        self._history = history

    def claims(self, candidate: Candidate, rooms: dict[str, int]) -> Iterator[Claim]:
        position = self._last_position(candidate)
        if position is not None:
            rival = self._order[position]
            yield self._by_score(candidate, rival)
            yield from self._by_ask(candidate, rival)
        yield from _by_minimum(candidate, rooms)

    def _last_position(self, candidate: Candidate) -> int | None:
        found = [
            self._history.last_position(place, option.minimum)
            for option in candidate.options
            for place in self._remaining.places(candidate, option.gpu_type)
        ]
        return max((each for each in found if each is not None), default=None)

    def _key(self, candidate: Candidate) -> Standing:
        return standing(candidate, self._seed, self._equivalents)

    def _by_score(self, candidate: Candidate, rival: Candidate) -> Claim:
        """The least score with which it would have stood before the one whose award left too little."""
        level = replace(candidate, score=rival.score)
        score = rival.score if self._key(level) < self._key(rival) else rival.score + 1
        return Claim(
            changed=replace(candidate, score=score),
            just_short=replace(candidate, score=score - 1),
            reasons=(
                Reason("outscored", (("threshold", rival.score),)),
                Reason("would_be_funded_if", (("score", score),)),
            ),
        )

    def _by_ask(self, candidate: Candidate, rival: Candidate) -> Iterator[Claim]:
        """Of equals the smaller ask stands first: the largest ask that would have been small enough."""
        if (candidate.score, candidate.tie_score) != (rival.score, rival.tie_score):
            return
        mine, theirs = self._key(candidate), self._key(rival)
        most = theirs[2] if mine[3:] < theirs[3:] else theirs[2] - 1
        for option in candidate.options:
            ask = most // self._equivalents.weight[option.gpu_type]
            if option.minimum <= ask < option.ask:
                yield Claim(
                    changed=_with_option(candidate, option, ask=ask),
                    just_short=_with_option(candidate, option, ask=ask + 1),
                    reasons=(Reason("would_be_funded_if", (("ask", ask), ("gpu_type", option.gpu_type))),),
                )
                return


def _by_minimum(candidate: Candidate, rooms: dict[str, int]) -> Iterator[Claim]:
    """The largest smaller minimum, of the option liked most, that would have fitted; an hour at the least."""
    for option in candidate.options:
        room = rooms[option.gpu_type]
        if HOUR <= room < option.minimum:
            yield Claim(
                changed=_with_option(candidate, option, minimum=room),
                just_short=_with_option(candidate, option, minimum=room + 1),
                reasons=(Reason("would_be_funded_if", (("minimum", room), ("gpu_type", option.gpu_type))),),
            )
            return


def _with_option(
    candidate: Candidate, option: Option, *, ask: int | None = None, minimum: int | None = None
) -> Candidate:
    changed = Option(option.gpu_type, ask or option.ask, minimum or option.minimum)
    return replace(
        candidate, options=tuple(changed if each == option else each for each in candidate.options)
    )


def _confirmed(
    problem: Problem, order: list[Candidate], grants: dict[str, Grant], claims: dict[str, list[Claim]]
) -> dict[str, Reasons]:
    """Solves again: each changed candidate is decided by the rule at its new place in the order."""
    equivalents = Equivalents(problem)
    keys = [standing(each, problem.seed, equivalents) for each in order]
    tries: dict[int, list[tuple[Claim, bool]]] = {}
    for claim in (each for some in claims.values() for each in some):
        for changed, should_be_funded in ((claim.changed, True), (claim.just_short, False)):
            position = bisect_left(keys, standing(changed, problem.seed, equivalents))
            tries.setdefault(position, []).append((claim, should_be_funded))
    remaining = Remaining(problem, equivalents)
    refuted: set[int] = set()
    for position in range(len(order) + 1):
        for claim, should_be_funded in tries.get(position, ()):
            changed = claim.changed if should_be_funded else claim.just_short
            if (best_fit(changed, remaining) is not None) != should_be_funded:
                refuted.add(id(claim))
        if position < len(order) and order[position].id in grants:
            _take(order[position], grants[order[position].id], remaining)
    return {
        candidate_id: tuple(reason for claim in some if id(claim) not in refuted for reason in claim.reasons)
        for candidate_id, some in claims.items()
    }
