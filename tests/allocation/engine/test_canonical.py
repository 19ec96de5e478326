"""Canonical JSON and strict reading: the same value, the same bytes; what is wrong is named by its path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocation.engine import BundleError, award, canonical_bytes, read
from allocation.engine.emit import emit
from allocation.engine.problem import parse

from .bundles import call, calls, candidate, worked_example

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**70) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_was_written_is_read_back_and_written_alike(value: Any) -> None:
    data = canonical_bytes(value)
    assert read(data) == value
    assert canonical_bytes(read(data)) == data


def test_keys_are_sorted_without_spaces_or_escapes() -> None:
    assert canonical_bytes({"b": [1, True, None], "a": "é"}) == '{"a":"é","b":[1,true,null]}'.encode()


@given(calls())
def test_a_bundle_survives_the_dataclasses_unchanged(bundle: dict[str, Any]) -> None:
    assert canonical_bytes(emit(parse(bundle))) == canonical_bytes(bundle)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"a": 1, "a": 2}', "$.a: this field is written twice"),
        (b'{"x": [{"a": 1.0}]}', "$.x[0].a: 1.0 is not an integer"),
        (b'{"x": [0, 1e3]}', "$.x[1]: 1e3 is not an integer"),
        (b'{"x": NaN}', "$.x: NaN is not an integer"),
        (b'{"x": {"y": -4}}', "$.x.y: negative number -4"),
        (b'{"x": "\\ud800"}', "$.x: this text holds half a character"),
        (b'{"x"', "$: this is not JSON (line 1, column 5)"),
        (b"\xff", "$: this is not UTF-8 (byte 0)"),
        (b"[" * 100_000, "$: this is nested too deeply"),
        (b"1" * 5_000, "$: a number has too many digits"),
    ],
)
def test_what_is_not_canonical_is_refused_with_its_path(text: bytes, said: str) -> None:
    with pytest.raises(BundleError) as refused:
        read(text)
    assert str(refused.value) == said


def _changed(change: str, value: Any) -> dict[str, Any]:
    """The worked example with the field at a path of names and numbers set to `value`."""
    bundle: Any = json.loads(json.dumps(worked_example()))
    *way, last = [int(part) if part.isdigit() else part for part in change.split("/")]
    here = bundle
    for part in way:
        here = here[part]
    here[last] = value
    assert isinstance(bundle, dict)
    return bundle


@pytest.mark.parametrize(
    ("change", "value", "path"),
    [
        ("extra", 1, "$.extra"),
        ("candidates/1/extra", 1, "$.candidates[1].extra"),
        ("candidates/1/options/0/extra", 1, "$.candidates[1].options[0].extra"),
        ("earmarks/0/where/planet", ["Mars"], "$.earmarks[0].where.planet"),
        ("candidates/3/id", "ga", "$.candidates[3].id"),
        ("candidates/0/score", True, "$.candidates[0].score"),
        ("candidates/0/score", -1, "$.candidates[0].score"),
        ("candidates/0/score", 4.5, "$.candidates[0].score"),
        ("candidates/0/fundable", 1, "$.candidates[0].fundable"),
        ("candidates/0/band", "D", "$.candidates[0].band"),
        ("candidates/0/options", [], "$.candidates[0].options"),
        ("candidates/0/options/0/minimum", 999_999_999, "$.candidates[0].options[0].minimum"),
        ("candidates/0/options/0/gpu_type", "tpu", "$.candidates[0].options[0].gpu_type"),
        ("factors/a100", [0, 1], "$.factors.a100"),
        ("factors/a100", [1, 0], "$.factors.a100[1]"),
        ("earmarks/0/pool", "p9", "$.earmarks[0].pool"),
        ("earmarks/0/gpu_seconds", 360_001, "$.earmarks[0].gpu_seconds"),
        ("seed", "abc", "$.seed"),
        ("format", "openhours/award/2", "$.format"),
        ("shares", [{"id": "s", "where": {}, "at_least": [3, 2], "hard": True}], "$.shares[0].at_least"),
        ("shares", [{"id": "s", "where": {}}], "$.shares[0]"),
        ("ballots", [{"voter": "v", "approves": ["nobody"]}], "$.ballots[0].approves[0]"),
    ],
)
def test_a_wrong_field_is_refused_with_its_path(change: str, value: Any, path: str) -> None:
    with pytest.raises(BundleError) as refused:
        award(_changed(change, value))
    assert refused.value.path == path


def test_a_missing_field_is_refused_with_its_path() -> None:
    bundle = call(candidate("ga"))
    del bundle["candidates"][0]["score"]
    with pytest.raises(BundleError, match=r"\$\.candidates\[0\]\.score: this field is missing"):
        award(bundle)


@pytest.mark.parametrize("rule", ["score-maximising", "bands-and-lot", "equal-shares", "best-of-all"])
def test_a_rule_that_is_not_there_is_refused_and_those_that_are_there_are_named(rule: str) -> None:
    with pytest.raises(BundleError) as refused:
        award(call(candidate("ga"), rule=rule))
    assert str(refused.value) == f"$.rule: this engine has no rule '{rule}'; it has: rank-and-cut"
