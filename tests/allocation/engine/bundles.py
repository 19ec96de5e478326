"""Bundles for the engine's tests: the worked example, short builders, and hypothesis strategies."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

HOUR = 3600
TYPES = ("a100", "h100")
SECONDS = st.integers(0, 300_000)


def candidate(
    name: str, *, score: int = 4000, ask: int = 100, minimum: int = 50, **more: Any
) -> dict[str, Any]:
    """Ask and minimum in hours of one a100 option, unless `options` are given."""
    options = [{"gpu_type": "a100", "ask": ask * HOUR, "minimum": minimum * HOUR}]
    made = {
        "id": name,
        "digest": "0" * 64,
        "score": score,
        "tie_score": 0,
        "band": None,
        "fundable": True,
        "group": f"group-of-{name}",
        "sdg": [4],
        "country": "BD",
        "kind": "community",
        "first_timer": False,
        "options": options,
    }
    return made | more


def call(*candidates: dict[str, Any], hours: int = 100, **more: Any) -> dict[str, Any]:
    """One pool p1 of a100 unless `pools` are given."""
    made = {
        "format": "openhours/award/1",
        "rule": "rank-and-cut",
        "seed": "0" * 64,
        "pools": [{"id": "p1", "gpu_type": "a100", "gpu_seconds": hours * HOUR}],
        "factors": {"a100": [1, 1], "h100": [9, 4]},
        "candidates": list(candidates),
        "earmarks": [],
        "shares": [],
        "caps": [],
        "ballots": [],
    }
    return made | more


def worked_example() -> dict[str, Any]:
    return call(
        candidate("ga", score=4500, ask=60, minimum=30),
        candidate("gb", score=4200, ask=40, minimum=20),
        candidate("gc", score=3900, ask=20, minimum=10, first_timer=True),
        candidate("gd", score=2900, ask=10, minimum=10, first_timer=True, fundable=False),
        earmarks=[{"id": "e1", "pool": "p1", "gpu_seconds": 72_000, "where": {"first_timer": True}}],
    )


def decided(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in result["decisions"]}


def kinds(decision: dict[str, Any]) -> list[str]:
    return [each["kind"] for each in decision["reasons"]]


@st.composite
def options(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Seconds, not only whole hours: the rounding must hold everywhere."""
    made = []
    for gpu_type in draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True)):
        ask = draw(st.one_of(st.integers(1, 40).map(lambda hours: hours * HOUR), st.integers(1, 144_000)))
        minimum = draw(st.one_of(st.just(ask), st.integers(1, ask)))
        made.append({"gpu_type": gpu_type, "ask": ask, "minimum": minimum})
    return made


@st.composite
def wheres(draw: st.DrawFn) -> dict[str, Any]:
    asked = {
        "sdg": st.lists(st.integers(1, 4), min_size=1, max_size=2, unique=True),
        "principal_only": st.booleans(),
        "country": st.lists(st.sampled_from(["BD", "KE"]), min_size=1, max_size=1),
        "first_timer": st.booleans(),
        "gpu_type": st.lists(st.sampled_from(TYPES), min_size=1, max_size=1),
    }
    names = draw(st.lists(st.sampled_from(sorted(asked)), max_size=2, unique=True))
    return {name: draw(asked[name]) for name in names}


@st.composite
def earmarks_of(draw: st.DrawFn, pool: dict[str, Any]) -> list[dict[str, Any]]:
    made = []
    rest = pool["gpu_seconds"]
    for n in range(draw(st.integers(0, 3))):
        held = draw(st.integers(0, rest))
        rest -= held
        name = f"{pool['id']}-e{n}"
        made.append({"id": name, "pool": pool["id"], "gpu_seconds": held, "where": draw(wheres())})
    return made


@st.composite
def calls(draw: st.DrawFn, most: int = 8) -> dict[str, Any]:
    """Small calls in which everything binds: equal scores, scarce pools, overlapping earmarks, caps."""
    applying = [
        candidate(
            f"g{n}",
            score=draw(st.integers(30, 33)) * 100,
            tie_score=draw(st.integers(0, 1)),
            fundable=draw(st.integers(0, 9)) > 0,
            group=draw(st.sampled_from(["x", "y", "z"])),
            sdg=draw(st.lists(st.integers(1, 4), max_size=2, unique=True)),
            country=draw(st.sampled_from(["BD", "KE"])),
            first_timer=draw(st.booleans()),
            options=draw(options()),
        )
        for n in range(draw(st.integers(0, most)))
    ]
    pools = [
        {
            "id": f"p{n}",
            "gpu_type": draw(st.sampled_from(TYPES)),
            "gpu_seconds": draw(SECONDS),
        }
        for n in range(draw(st.integers(1, 3)))
    ]
    earmarks = [earmark for pool in pools for earmark in draw(earmarks_of(pool))]
    shares = [
        {
            "id": f"s{n}",
            "where": draw(wheres()),
            draw(st.sampled_from(["at_least", "at_most"])): [draw(st.integers(0, 4)), 4],
            "of": "pools",
            "hard": draw(st.booleans()),
        }
        for n in range(draw(st.integers(0, 3)))
    ]
    caps = [{"per": "group", "gpu_seconds": draw(st.integers(0, 200_000))}] if draw(st.booleans()) else []
    seed = f"{draw(st.integers(0, 9)):064x}"
    return call(*applying, pools=pools, earmarks=earmarks, shares=shares, caps=caps, seed=seed)
