"""The planner: its promises as properties, each kind of corruption found, and a sound bound."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocation.engine import BundleError, check, schedule
from allocation.engine.occupancy import at_least, starts_of_runs
from tests.bench.engine import large_plan

STEP = 900
T0 = 1_000_000 * STEP


def request(
    name: str, *, steps: int, gpus: int = 1, window: tuple[int, int] = (0, 12), **more: Any
) -> dict[str, Any]:
    made = {
        "award": name,
        "gpu_type": "a100",
        "gpus_at_once": gpus,
        "same_node": False,
        "gpu_seconds": steps * gpus * STEP,
        "earliest": T0 + window[0] * STEP,
        "latest": T0 + window[1] * STEP,
        "shortest_slot_seconds": STEP,
        "longest_slot_seconds": 8 * STEP,
        "weight": 1,
    }
    return made | more


def plan(*requests: dict[str, Any], nodes: int = 1, gpus: int = 2, **more: Any) -> dict[str, Any]:
    made = {
        "format": "openhours/schedule/1",
        "step_seconds": STEP,
        "gpus": [
            {"id": f"n{node}g{n}", "node": f"n{node}", "gpu_type": "a100"}
            for node in range(nodes)
            for n in range(gpus)
        ],
        "closed": [],
        "fixed": [],
        "requests": list(requests),
    }
    return made | more


def spans(result: dict[str, Any]) -> list[tuple[str, int, int]]:
    return [
        (each["award"], (each["starts"] - T0) // STEP, (each["ends"] - T0) // STEP)
        for each in result["slots"]
    ]


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    def span() -> tuple[int, int]:
        start = draw(st.integers(0, 10))
        return start, start + draw(st.integers(1, 6))

    requests = []
    for n in range(draw(st.integers(0, 6))):
        shortest = draw(st.integers(0, 3))
        requests.append(
            request(
                f"g{n}",
                steps=1,
                gpus=draw(st.integers(1, 3)),
                window=(start := draw(st.integers(0, 8)), start + draw(st.integers(1, 12))),
                same_node=draw(st.booleans()),
                gpu_seconds=draw(st.integers(1, 20 * STEP)),
                shortest_slot_seconds=shortest * STEP,
                longest_slot_seconds=draw(st.integers(max(1, shortest), 6)) * STEP
                + draw(st.integers(0, 899)),
                weight=draw(st.integers(0, 2)),
            )
        )
    made = plan(*requests, nodes=draw(st.integers(1, 2)), gpus=draw(st.integers(1, 3)))
    for n in range(draw(st.integers(0, 2))):
        start, end = span()
        where = draw(st.sampled_from([("gpu", made["gpus"][0]["id"]), ("node", "n0")]))
        made["closed"].append(
            {where[0]: where[1], "starts": T0 + start * STEP + 7 * n, "ends": T0 + end * STEP}
        )
    for n in range(draw(st.integers(0, 2))):
        start, end = span()
        held = {
            "gpus": [draw(st.sampled_from(made["gpus"]))["id"]],
            "award": draw(st.sampled_from(["g0", "old"])),
        }
        made["fixed"].append(
            {"slot": f"f{n}", **held, "starts": T0 + start * STEP, "ends": T0 + end * STEP + n}
        )
    return made


@settings(max_examples=200, deadline=None)
@given(plans(), st.randoms(use_true_random=False))
def test_every_plan_keeps_its_rules_and_the_order_does_not_matter(
    bundle: dict[str, Any], chance: random.Random
) -> None:
    result = schedule(bundle)
    assert check(bundle, result) == []
    assert result["placed_gpu_seconds"] <= result["bound_gpu_seconds"]
    shuffled = deepcopy(bundle)
    for name in ("gpus", "closed", "fixed", "requests"):
        chance.shuffle(shuffled[name])
    again = schedule(shuffled)
    del result["input_sha256"], again["input_sha256"]
    assert again == result


def _best_by_trying(lengths: list[tuple[int, int]], free: list[set[int]], horizon: int) -> int:
    """The most GPU-steps that (GPUs at once, steps) requests of one unbroken slot each can get."""
    if not lengths:
        return 0
    (gpus, steps), rest = lengths[0], lengths[1:]
    best = _best_by_trying(rest, free, horizon)
    for length, start in product(range(1, steps + 1), range(horizon)):
        wanted = set(range(start, start + length))
        fitting = [n for n, open_steps in enumerate(free) if wanted <= open_steps]
        for chosen in combinations(fitting, gpus):
            after = [open_steps - wanted if n in chosen else open_steps for n, open_steps in enumerate(free)]
            best = max(best, gpus * length + _best_by_trying(rest, after, horizon))
    return best


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 3)), max_size=3), st.integers(1, 4))
def test_the_bound_is_never_under_the_best_plan(lengths: list[tuple[int, int]], horizon: int) -> None:
    requests = [
        request(f"g{n}", steps=steps, gpus=gpus, window=(0, horizon))
        for n, (gpus, steps) in enumerate(lengths)
    ]
    bundle = plan(*requests, closed=[{"gpu": "n0g0", "starts": T0, "ends": T0 + STEP}])
    free = [set(range(1, horizon)), set(range(horizon))]
    best = _best_by_trying(lengths, free, horizon) * STEP
    result = schedule(bundle)
    assert result["bound_gpu_seconds"] >= best
    assert result["placed_gpu_seconds"] <= result["bound_gpu_seconds"]


def test_a_large_plan_comes_near_its_bound() -> None:
    bundle = large_plan(requests=125, nodes=8)
    result = schedule(bundle)
    assert result["placed_gpu_seconds"] * 100 >= result["bound_gpu_seconds"] * 95
    assert check(bundle, result) == []


def test_closed_times_and_fixed_slots_are_left_alone() -> None:
    result = schedule(
        plan(
            request("ga", steps=4),
            gpus=1,
            closed=[{"node": "n0", "starts": T0 + STEP, "ends": T0 + 2 * STEP}],
            fixed=[
                {
                    "slot": "f",
                    "award": "old",
                    "gpus": ["n0g0"],
                    "starts": T0 + 3 * STEP,
                    "ends": T0 + 4 * STEP + 1,
                }
            ],
        )
    )
    assert spans(result) == [("ga", 0, 1), ("ga", 2, 3), ("ga", 5, 7)]


def test_only_the_slot_that_finishes_is_shorter_than_the_shortest() -> None:
    sized = {"shortest_slot_seconds": 3 * STEP, "longest_slot_seconds": 3 * STEP}
    result = schedule(plan(request("ga", steps=7, **sized)))
    assert [end - start for _, start, end in spans(result)] == [3, 3, 1]


def test_gpu_seconds_are_rounded_up_to_a_step_of_all_gpus() -> None:
    result = schedule(plan(request("ga", steps=1, gpus=2, gpu_seconds=2 * STEP + 1)))
    assert spans(result) == [("ga", 0, 2)]
    assert result["placed_gpu_seconds"] == 2 * STEP + 1 == result["bound_gpu_seconds"]
    assert result["unplaced"] == []


def test_gpus_on_one_node_wait_where_two_nodes_would_do() -> None:
    closed = [
        {"gpu": "n0g0", "starts": T0, "ends": T0 + 3 * STEP},
        {"gpu": "n1g0", "starts": T0, "ends": T0 + 9 * STEP},
    ]
    anywhere = schedule(plan(request("ga", steps=2, gpus=2), nodes=2, closed=closed))
    together = schedule(plan(request("ga", steps=2, gpus=2, same_node=True), nodes=2, closed=closed))
    assert spans(anywhere) == [("ga", 0, 2)]
    assert spans(together) == [("ga", 3, 5)]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (request("ga", steps=1, gpus=3), "too_few_gpus"),
        (request("ga", steps=1, gpu_type="h100"), "too_few_gpus"),
        (request("ga", steps=5, window=(0, 4)), "window_too_short"),
        (request("ga", steps=5, window=(0, 5)), "no_free_time"),
    ],
)
def test_what_is_not_placed_says_why(asked: dict[str, Any], reason: str) -> None:
    closed = [{"node": "n0", "starts": T0, "ends": T0 + STEP}]
    result = schedule(plan(asked, closed=closed))
    assert [each["reason"] for each in result["unplaced"]] == [reason]
    assert check(plan(asked, closed=closed), result) == []


CORRUPTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "digest": lambda r: r.update(input_sha256=""),
    "slot lost": lambda r: r["slots"].pop(),
    "not a step": lambda r: r["slots"][0].update(starts=r["slots"][0]["starts"] + 1),
    "too early": lambda r: r["slots"][0].update(starts=r["slots"][0]["starts"] - STEP),
    "too long": lambda r: r["slots"][0].update(ends=r["slots"][0]["ends"] + 40 * STEP),
    "other award": lambda r: r["slots"][0].update(award="nobody"),
    "one GPU twice": lambda r: r["slots"][0].update(gpus=["n0g0", "n0g0"]),
    "GPU too many": lambda r: r["slots"][0]["gpus"].append("n1g1"),
    "unknown GPU": lambda r: r["slots"][0].update(gpus=["n0g0", "x"]),
    "two nodes": lambda r: r["slots"][0].update(gpus=["n0g0", "n1g0"]),
    "overlap": lambda r: r["slots"].insert(1, deepcopy(r["slots"][0])),
    "order": lambda r: r["slots"].reverse(),
    "placed": lambda r: r.update(placed_gpu_seconds=r["placed_gpu_seconds"] + 1),
    "bound": lambda r: r.update(bound_gpu_seconds=r["bound_gpu_seconds"] + 1),
    "unplaced": lambda r: r["unplaced"][0].update(gpu_seconds=1),
    "reason": lambda r: r["unplaced"][0].update(reason="bad luck"),
    "over the closed": lambda r: r["slots"][0].update(gpus=["n1g0", "n1g1"], starts=T0, ends=T0 + 2 * STEP),
}


@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_a_corrupted_plan_is_found(name: str) -> None:
    bundle = plan(
        request("ga", steps=6, gpus=2, same_node=True, longest_slot_seconds=4 * STEP),
        request("gb", steps=9, gpus=4, window=(1, 8)),
        nodes=2,
        closed=[{"node": "n1", "starts": T0, "ends": T0 + 2 * STEP}],
    )
    result = schedule(bundle)
    assert check(bundle, result) == []
    CORRUPTIONS[name](result)
    assert check(bundle, result)


@pytest.mark.parametrize(
    ("bundle", "path"),
    [
        (plan(request("ga", steps=1), request("ga", steps=1)), "$.requests[1].award"),
        (plan(request("ga", steps=1, window=(3, 3))), "$.requests[0].latest"),
        (plan(request("ga", steps=1, longest_slot_seconds=899)), "$.requests[0].longest_slot_seconds"),
        (plan(request("ga", steps=1, latest=10**15)), "$.requests[0].latest"),
        (plan(request("ga", steps=1, colour="red")), "$.requests[0].colour"),
        (plan(closed=[{"gpu": "x", "starts": 0, "ends": 1}]), "$.closed[0].gpu"),
        (plan(closed=[{"starts": 0, "ends": 1}]), "$.closed[0]"),
        (
            plan(fixed=[{"slot": "f", "award": "g", "gpus": ["x"], "starts": 0, "ends": 1}]),
            "$.fixed[0].gpus[0]",
        ),
        (plan(step_seconds=0), "$.step_seconds"),
    ],
)
def test_a_wrong_request_is_refused_with_its_path(bundle: dict[str, Any], path: str) -> None:
    with pytest.raises(BundleError) as refused:
        schedule(bundle)
    assert refused.value.path == path


@given(st.lists(st.integers(0, 255), max_size=9), st.integers(1, 9))
def test_bits_are_counted_as_one_by_one(masks: list[int], count: int) -> None:
    expected = sum(1 << bit for bit in range(8) if sum(mask >> bit & 1 for mask in masks) >= count)
    assert at_least(masks, count) == expected


@given(st.integers(0, 2**12 - 1), st.integers(1, 13))
def test_runs_start_where_all_their_steps_are_free(free: int, length: int) -> None:
    expected = sum(1 << bit for bit in range(12) if all(free >> bit + n & 1 for n in range(length)))
    assert starts_of_runs(free, length) == expected
