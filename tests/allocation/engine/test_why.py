"""What would have changed a refusal: each statement is tried by deciding the whole call again."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given, settings

from allocation.engine import award

from .bundles import HOUR, call, calls, candidate, decided


def _outcome_with(bundle: dict[str, Any], name: str, reason: dict[str, Any], more: int = 0) -> str:
    """The outcome when the candidate's number is as the reason says, plus `more`."""
    changed = deepcopy(bundle)
    who = next(each for each in changed["candidates"] if each["id"] == name)
    if "score" in reason:
        who["score"] = reason["score"] + more
    else:
        number = "ask" if "ask" in reason else "minimum"
        option = next(each for each in who["options"] if each["gpu_type"] == reason["gpu_type"])
        option[number] = reason[number] + more
    outcome = decided(award(changed))[name]["outcome"]
    assert isinstance(outcome, str)
    return outcome


@settings(max_examples=200, deadline=None)
@given(calls())
def test_each_stated_change_turns_the_refusal_and_is_the_least(bundle: dict[str, Any]) -> None:
    for name, decision in decided(award(bundle)).items():
        for reason in decision["reasons"]:
            if reason["kind"] == "would_be_funded_if":
                assert decision["outcome"] == "declined"
                assert _outcome_with(bundle, name, reason) == "awarded"
                assert _outcome_with(bundle, name, reason, -1 if "score" in reason else 1) == "declined"


@settings(max_examples=100, deadline=None)
@given(calls(most=6))
def test_where_no_score_is_stated_none_would_have_helped(bundle: dict[str, Any]) -> None:
    for name, decision in decided(award(bundle)).items():
        if decision["outcome"] == "awarded" or decision["reasons"][0]["kind"] == "not_fundable":
            continue
        if not any("score" in reason for reason in decision["reasons"]):
            assert _outcome_with(bundle, name, {"score": 9_999}) == "declined"


def test_who_was_outscored_is_told_the_score_and_the_minimum_that_would_have_done() -> None:
    first, second = candidate("ga", score=4200, ask=80, minimum=80), candidate("gb", score=4000)
    assert decided(award(call(first, second)))["gb"]["reasons"] == [
        {"kind": "pool_empty", "pool": "p1", "left": 20 * HOUR, "minimum": 50 * HOUR},
        {"kind": "outscored", "threshold": 4200},
        {"kind": "would_be_funded_if", "score": 4201},
        {"kind": "would_be_funded_if", "minimum": 20 * HOUR, "gpu_type": "a100"},
    ]


def test_of_equals_the_ask_that_would_have_been_small_enough_is_told() -> None:
    first, second = candidate("ga", ask=80, minimum=80), candidate("gb", ask=100, minimum=50)
    told = [each for each in decided(award(call(first, second)))["gb"]["reasons"] if "ask" in each]
    assert len(told) == 1
    assert told[0]["ask"] in (80 * HOUR, 80 * HOUR - 1)
    assert _outcome_with(call(first, second), "gb", told[0]) == "awarded"


def test_where_nothing_would_help_nothing_is_promised() -> None:
    reasons = decided(award(call(candidate("ga"), hours=0)))["ga"]["reasons"]
    assert reasons == [{"kind": "pool_empty", "pool": "p1", "left": 0, "minimum": 50 * HOUR}]


def test_room_that_is_just_enough_counts_as_enough() -> None:
    above = [candidate("ga", score=4500, ask=50, minimum=50), candidate("gb", score=4200, ask=40, minimum=40)]
    reasons = decided(award(call(*above, candidate("gc", score=4000))))["gc"]["reasons"]
    assert {"kind": "outscored", "threshold": 4200} in reasons
    assert {"kind": "would_be_funded_if", "score": 4201} in reasons
