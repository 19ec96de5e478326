"""The checker: finds each kind of corruption, however small, and does not trip over broken results."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocation.engine import award, check

from .bundles import HOUR, call, calls, candidate, worked_example

Corruption = Callable[[dict[str, Any]], Any]


def _call() -> dict[str, Any]:
    shares = [{"id": "s1", "where": {"sdg": [4]}, "at_least": [1, 2], "of": "pools", "hard": False}]
    bundle = worked_example() | {"shares": shares, "caps": [{"per": "group", "gpu_seconds": 70 * HOUR}]}
    bundle["candidates"] += [candidate("ge", score=3800), candidate("gf", score=3700, ask=9, minimum=9)]
    return bundle


def _swap(result: dict[str, Any]) -> None:
    result["decisions"][0], result["decisions"][1] = result["decisions"][1], result["decisions"][0]


def _decline(result: dict[str, Any]) -> None:
    nothing = {"outcome": "declined", "pool": None, "gpu_type": None, "gpu_seconds": 0, "step": None}
    result["decisions"][2] |= nothing
    result["value"] -= 3900 * 1000
    result["pools"][0]["left"] = result["earmarks"][0]["left"] = 72_000
    result["shares"][0]["got"] -= 72_000


CORRUPTIONS: dict[str, Corruption] = {
    "digest": lambda r: r.update(input_sha256="0" * 64),
    "rule": lambda r: r.update(rule="bands-and-lot"),
    "format": lambda r: r.update(format="openhours/award-result/2"),
    "value": lambda r: r.update(value=r["value"] + 1),
    "bound": lambda r: r.update(bound=1),
    "solver": lambda r: r.update(solver="a solver"),
    "float": lambda r: r.update(value=1.5),
    "extra": lambda r: r.update(more=1),
    "missing": lambda r: r.pop("pools"),
    "decision lost": lambda r: r["decisions"].pop(),
    "decisions swapped": _swap,
    "amount": lambda r: r["decisions"][0].update(gpu_seconds=215_999),
    "step": lambda r: r["decisions"][0].update(step=3),
    "step as text": lambda r: r["decisions"][0].update(step="4"),
    "pool": lambda r: r["decisions"][0].update(pool="p2"),
    "type": lambda r: r["decisions"][0].update(gpu_type="h100"),
    "outcome": lambda r: r["decisions"][0].update(outcome="waiting"),
    "larger": lambda r: r["decisions"][1].update(step=1, gpu_seconds=90_000),
    "not fundable": lambda r: r["decisions"][3].update(
        outcome="awarded", pool="p1", gpu_type="a100", gpu_seconds=36_000, step=4
    ),
    "declined for nothing": _decline,
    "left": lambda r: r["pools"][0].update(left=1),
    "earmark left": lambda r: r["earmarks"][0].update(left=1),
    "share got": lambda r: r["shares"][0].update(got=1),
    "share shortfall": lambda r: r["shares"][0].update(shortfall=1),
    "no reason": lambda r: r["decisions"][0].update(reasons=[]),
    "other reason": lambda r: r["decisions"][0].update(reasons=[{"kind": "band_c"}]),
    "limited by": lambda r: r["decisions"][1]["reasons"][0].update(limited_by="cap"),
    "held": lambda r: r["decisions"][1]["reasons"][1].update(held=1),
    "left in reason": lambda r: r["decisions"][4]["reasons"][0].update(left=1),
    "threshold": lambda r: _reason(r, "threshold").update(threshold=1),
    "score too low": lambda r: _reason(r, "score").update(score=_reason(r, "score")["score"] - 1),
    "score too high": lambda r: _reason(r, "score").update(score=_reason(r, "score")["score"] + 1),
    "change of nothing": lambda r: _reason(r, "score").update(colour=1),
    "promise to the awarded": lambda r: r["decisions"][0]["reasons"].append(
        {"kind": "would_be_funded_if", "score": 5000}
    ),
}


def _reason(result: dict[str, Any], field: str) -> dict[str, Any]:
    reasons = [reason for each in result["decisions"] for reason in each["reasons"] if field in reason]
    assert reasons
    found = reasons[0]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_a_corrupted_result_is_found(name: str) -> None:
    bundle = _call()
    result = award(bundle)
    assert check(bundle, result) == []
    CORRUPTIONS[name](result)
    assert check(bundle, result)


@settings(max_examples=150, deadline=None)
@given(calls(), st.data())
def test_any_changed_number_is_found(bundle: dict[str, Any], data: st.DataObject) -> None:
    result = award(bundle)
    places = list(_numbers(result))
    here, key = data.draw(st.sampled_from(places))
    here[key] = data.draw(st.integers(0, 400_000).filter(lambda number: number != here[key]))
    assert check(bundle, result)


def _numbers(value: Any) -> list[tuple[Any, Any]]:
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    found = [(value, key) for key, each in items if isinstance(each, int)]
    for _, each in items:
        if isinstance(each, (dict, list)):
            found += _numbers(each)
    return found


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(JUNK, st.data())
def test_broken_results_are_faults_and_not_crashes(junk: Any, data: st.DataObject) -> None:
    bundle = _call()
    assert check(bundle, junk)
    result: Any = deepcopy(award(bundle))
    here: Any = result
    while True:
        keys = list(here.keys()) if isinstance(here, dict) else list(range(len(here)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(here[key], (dict, list)) or not here[key] or data.draw(st.booleans()):
            break
        here = here[key]
    if here[key] == junk or key == "engine":
        assert check(bundle, award(bundle)) == []
        return
    here[key] = junk
    assert check(bundle, result)


def test_an_award_that_takes_what_was_earmarked_for_others_is_named() -> None:
    bundle = call(
        candidate("ga", ask=100, minimum=40),
        earmarks=[{"id": "e1", "pool": "p1", "gpu_seconds": 30 * HOUR, "where": {"first_timer": True}}],
    )
    result = award(bundle)
    result["decisions"][0] |= {"gpu_seconds": 100 * HOUR, "step": 4}
    assert "pool p1: hours of an earmark went to someone it is not for" in check(bundle, result)


def test_the_checker_shares_no_code_with_the_rules() -> None:
    engine = Path(__file__).parents[3] / "allocation" / "engine"
    ours = [path.read_text() for path in engine.glob("checking*.py")]
    rules = (
        "measures",
        "remaining",
        "granting",
        "rules",
        "why",
        "lot",
        "outcome",
        "occupancy",
        "bound",
        "scheduling",
    )
    assert len(ours) == 4
    assert not [name for name in rules for text in ours if f"from .{name} import" in text]
