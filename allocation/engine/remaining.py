"""What is left while a rule runs: pools, earmarks, caps and at-most shares as rows of integers.

Called by the rules and by `why`. Each row is an upper limit on a weighted sum of grants, so whether a grant
fits is one division a row.

Earmarks. A pool of P holds the parts E1..Ek, each for those who match it, and the rest for all. By Hall's
theorem the grants can be paid from the parts they may use if and only if, for every set T of earmarks,
those who match nothing outside T get at most P minus the earmarks outside T together. T needs to be looked
at only where it is a union of what candidates match: of two sets with the same people inside, the smaller
has the lower limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .measures import Equivalents, matches
from .outcome import Left
from .problem import Candidate, Earmark, Pool, Problem

POOL, EARMARK, CAP, SHARE = "pool", "earmark", "cap", "share"


@dataclass(frozen=True, slots=True)
class Row:
    """What a limit is about: its kind, and the pool, group or share it belongs to."""

    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class Place:
    """A pool that a candidate could be paid from, and the (row, weight) pairs that one GPU-second uses up."""

    pool: str
    mask: int
    uses: tuple[tuple[int, int], ...]


class Remaining:
    """Counts down. `left` is in GPU-seconds for pools and earmarks, else in units of equivalents."""

    def __init__(self, problem: Problem, equivalents: Equivalents) -> None:
        self.rows: list[Row] = []
        self.left: list[int] = []
        self.given: dict[str, dict[int, int]] = {pool.id: {} for pool in problem.pools}
        self._problem = problem
        self._equivalents = equivalents
        self._pools = _by_type(problem.pools)
        self._earmarks = {pool.id: _earmarks_of(problem, pool) for pool in problem.pools}
        self._profiles: dict[tuple[object, ...], tuple[tuple[Pool, int], ...]] = {}
        self._share_uses: dict[tuple[object, ...], tuple[tuple[int, int], ...]] = {}
        self._nested = {pool.id: self._pool_rows(pool) for pool in problem.pools}
        self._share_rows = [
            (share, self._row(SHARE, share.id, self._most(share.part.numerator, share.part.denominator)))
            for share in sorted(problem.shares, key=lambda each: each.id)
            if not share.is_floor
        ]
        self._cap = min((cap.gpu_seconds for cap in problem.caps), default=None)
        groups = sorted({candidate.group for candidate in problem.candidates})
        self._cap_rows = (
            {}
            if self._cap is None
            else {group: self._row(CAP, group, self._cap * equivalents.unit) for group in groups}
        )

    def places(self, candidate: Candidate, gpu_type: str) -> Iterable[Place]:
        """The pools of this type in the order of their ids, with all limits that would bind there."""
        weight = self._equivalents.weight[gpu_type]
        common = list(self._shares_used(candidate, gpu_type))
        if self._cap_rows:
            common.append((self._cap_rows[candidate.group], weight))
        for pool, mask in self._masks(candidate, gpu_type):
            rows = [(row, 1) for held, row in self._nested[pool.id] if held & mask == mask]
            yield Place(pool.id, mask, (*rows, *common))

    def room(self, place: Place) -> int:
        """The most GPU-seconds that fit into this place now."""
        left = self.left
        return min(left[row] // weight for row, weight in place.uses)

    def take(self, place: Place, gpu_seconds: int) -> None:
        for row, weight in place.uses:
            self.left[row] -= gpu_seconds * weight
        given = self.given[place.pool]
        given[place.mask] = given.get(place.mask, 0) + gpu_seconds

    def pools_left(self) -> tuple[Left, ...]:
        pools = sorted(self._problem.pools, key=lambda each: each.id)
        return tuple(Left(each.id, each.gpu_seconds - sum(self.given[each.id].values())) for each in pools)

    def earmarks_left(self) -> tuple[Left, ...]:
        """What each earmark still holds if those who match are paid from earmarks first, by id."""
        left = []
        for pool_id, earmarks in self._earmarks.items():
            paid = [_paid_by(earmarks[:count], self.given[pool_id]) for count in range(len(earmarks) + 1)]
            for n, earmark in enumerate(earmarks):
                left.append(Left(earmark.id, earmark.gpu_seconds - (paid[n + 1] - paid[n])))
        return tuple(sorted(left, key=lambda each: each.id))

    def _row(self, kind: str, subject: str, left: int) -> int:
        self.rows.append(Row(kind, subject))
        self.left.append(left)
        return len(self.rows) - 1

    def _most(self, numerator: int, denominator: int) -> int:
        return self._equivalents.of_pools * numerator // denominator

    def _pool_rows(self, pool: Pool) -> list[tuple[int, int]]:
        """(set of earmarks, row) for the whole pool and for every set of earmarks that can bind."""
        everything = (1 << len(self._earmarks[pool.id])) - 1
        rows = [(everything, self._row(POOL, pool.id, pool.gpu_seconds))]
        for held in sorted(_unions(self._masks_seen(pool)) - {everything}):
            outside = sum(
                earmark.gpu_seconds for n, earmark in enumerate(self._earmarks[pool.id]) if not held >> n & 1
            )
            rows.append((held, self._row(EARMARK, pool.id, pool.gpu_seconds - outside)))
        return rows

    def _masks_seen(self, pool: Pool) -> set[int]:
        return {
            mask
            for candidate in self._problem.candidates
            for option in candidate.options
            if option.gpu_type == pool.gpu_type
            for each, mask in self._masks(candidate, option.gpu_type)
            if each.id == pool.id
        }

    def _masks(self, candidate: Candidate, gpu_type: str) -> tuple[tuple[Pool, int], ...]:
        """For each pool of this type, which of its earmarks the candidate may use, as bits."""
        profile = _profile(candidate, gpu_type)
        if profile not in self._profiles:
            self._profiles[profile] = tuple(
                (pool, self._mask(candidate, gpu_type, pool)) for pool in self._pools.get(gpu_type, ())
            )
        return self._profiles[profile]

    def _mask(self, candidate: Candidate, gpu_type: str, pool: Pool) -> int:
        earmarks = enumerate(self._earmarks[pool.id])
        return sum(1 << n for n, earmark in earmarks if matches(earmark.where, candidate, gpu_type))

    def _shares_used(self, candidate: Candidate, gpu_type: str) -> tuple[tuple[int, int], ...]:
        profile = _profile(candidate, gpu_type)
        if profile not in self._share_uses:
            weight = self._equivalents.weight[gpu_type]
            self._share_uses[profile] = tuple(
                (row, weight) for share, row in self._share_rows if matches(share.where, candidate, gpu_type)
            )
        return self._share_uses[profile]


def _profile(candidate: Candidate, gpu_type: str) -> tuple[object, ...]:
    """All that a `where` can ask about: equal profiles match alike."""
    return (gpu_type, candidate.sdg, candidate.country, candidate.kind, candidate.first_timer)


def _by_type(pools: Iterable[Pool]) -> dict[str, list[Pool]]:
    found: dict[str, list[Pool]] = {}
    for pool in sorted(pools, key=lambda each: each.id):
        found.setdefault(pool.gpu_type, []).append(pool)
    return found


def _earmarks_of(problem: Problem, pool: Pool) -> list[Earmark]:
    return sorted((each for each in problem.earmarks if each.pool == pool.id), key=lambda each: each.id)


def _unions(masks: set[int]) -> set[int]:
    closed: set[int] = set()
    for mask in sorted(masks):
        closed |= {mask} | {mask | each for each in closed}
    return closed


def _paid_by(earmarks: list[Earmark], given: dict[int, int]) -> int:
    """The most that these earmarks alone can pay of what was given (greatest flow, by its smallest cut)."""
    least = None
    for cut in range(1 << len(earmarks)):
        kept = sum(each.gpu_seconds for n, each in enumerate(earmarks) if not cut >> n & 1)
        total = kept + sum(amount for mask, amount in given.items() if mask & cut)
        least = total if least is None else min(least, total)
    return least or 0
