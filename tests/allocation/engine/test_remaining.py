"""Earmarks, several and overlapping: what fits is compared with trying out every way to pay."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from allocation.engine.measures import Equivalents
from allocation.engine.problem import parse
from allocation.engine.remaining import Remaining

from .bundles import call, candidate

GOALS = (1, 2, 3)


def _call(sizes: list[int], wheres: list[list[int]], goals: list[list[int]], general: int) -> dict[str, Any]:
    """One pool in seconds; each earmark is for those who name one of its goals."""
    return call(
        *(candidate(f"g{n}", sdg=named) for n, named in enumerate(goals)),
        pools=[{"id": "p1", "gpu_type": "a100", "gpu_seconds": general + sum(sizes)}],
        earmarks=[
            {"id": f"e{n}", "pool": "p1", "gpu_seconds": size, "where": {"sdg": where}}
            for n, (size, where) in enumerate(zip(sizes, wheres, strict=True))
        ],
    )


def _ways_to_pay(amount: int, parts: list[int]) -> list[tuple[int, ...]]:
    return [way for way in product(range(amount + 1), repeat=len(parts)) if sum(way) == amount]


def _can_pay(amounts: list[tuple[int, list[int]]], left: list[int]) -> bool:
    """Whether each (amount, parts it may use) can be paid; every way is tried."""
    if not amounts:
        return True
    (amount, parts), rest = amounts[0], amounts[1:]
    for way in _ways_to_pay(amount, parts):
        after = list(left)
        for part, paid in zip(parts, way, strict=True):
            after[part] -= paid
        if min(after) >= 0 and _can_pay(rest, after):
            return True
    return False


@settings(max_examples=150, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 3), min_size=1, max_size=3),
    general=st.integers(0, 2),
    data=st.data(),
)
def test_what_fits_into_overlapping_earmarks_is_what_can_be_paid(
    sizes: list[int], general: int, data: st.DataObject
) -> None:
    some_goals = st.lists(st.sampled_from(GOALS), min_size=1, max_size=2, unique=True)
    wheres = [data.draw(some_goals) for _ in sizes]
    goals = data.draw(
        st.lists(st.lists(st.sampled_from(GOALS), max_size=2, unique=True), min_size=1, max_size=4)
    )
    problem = parse(_call(sizes, wheres, goals, general))
    remaining = Remaining(problem, Equivalents(problem))
    paid: list[tuple[int, list[int]]] = []
    for who, named in zip(problem.candidates, goals, strict=True):
        parts = [0, *(n for n, where in enumerate(wheres, 1) if set(where) & set(named))]
        place = next(iter(remaining.places(who, "a100")))
        room = remaining.room(place)
        assert _can_pay([*paid, (room, parts)], [general, *sizes])
        assert not _can_pay([*paid, (room + 1, parts)], [general, *sizes])
        amount = data.draw(st.integers(0, room))
        remaining.take(place, amount)
        paid.append((amount, parts))
    left = [each.left for each in remaining.earmarks_left()]
    assert all(0 <= each <= size for each, size in zip(left, sizes, strict=True))
    used = [size - each for size, each in zip(sizes, left, strict=True)]
    total = sum(amount for amount, _ in paid)
    assert _can_pay(paid, [total - sum(used), *used])


def test_a_pool_nobody_matches_keeps_its_earmark() -> None:
    problem = parse(_call([5], [[1]], [[2]], 7))
    remaining = Remaining(problem, Equivalents(problem))
    place = next(iter(remaining.places(problem.candidates[0], "a100")))
    assert remaining.room(place) == 7
    remaining.take(place, 7)
    assert remaining.pools_left()[0].left == 5
    assert remaining.earmarks_left()[0].left == 5


def test_two_who_match_different_earmarks_share_what_is_free() -> None:
    problem = parse(_call([3, 3, 3], [[1], [2], [3]], [[1], [2]], 2))
    remaining = Remaining(problem, Equivalents(problem))
    first, second = (next(iter(remaining.places(who, "a100"))) for who in problem.candidates)
    assert remaining.room(first) == remaining.room(second) == 5
    remaining.take(first, 5)
    assert remaining.room(second) == 3
