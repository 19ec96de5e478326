"""What a rule answers, as frozen dataclasses, and its JSON. Called by the rules and the entry functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .version import ENGINE

FORMAT = "openhours/award-result/1"
AWARDED = "awarded"
DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason as data; words are made where a person reads it."""

    kind: str
    facts: tuple[tuple[str, int | str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """What one candidate gets: `step` 0 is its smallest useful amount, 4 is all it asked for."""

    pool: str
    gpu_type: str
    gpu_seconds: int
    step: int


@dataclass(frozen=True, slots=True)
class Decision:
    id: str
    outcome: str
    grant: Grant | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Left:
    id: str
    left: int


@dataclass(frozen=True, slots=True)
class ShareMet:
    id: str
    got: int
    wanted: int
    shortfall: int


@dataclass(frozen=True, slots=True)
class Outcome:
    decisions: tuple[Decision, ...]
    pools: tuple[Left, ...]
    earmarks: tuple[Left, ...]
    shares: tuple[ShareMet, ...]
    value: int
    bound: int | None = None
    solver: str | None = None


def emit(outcome: Outcome, *, rule: str, input_sha256: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "input_sha256": input_sha256,
        "rule": rule,
        "engine": ENGINE,
        "solver": outcome.solver,
        "value": outcome.value,
        "bound": outcome.bound,
        "decisions": [_decision(each) for each in outcome.decisions],
        "pools": [{"id": each.id, "left": each.left} for each in outcome.pools],
        "earmarks": [{"id": each.id, "left": each.left} for each in outcome.earmarks],
        "shares": [
            {"id": each.id, "got": each.got, "wanted": each.wanted, "shortfall": each.shortfall}
            for each in outcome.shares
        ],
    }


def _decision(decision: Decision) -> dict[str, Any]:
    grant = decision.grant
    return {
        "id": decision.id,
        "outcome": decision.outcome,
        "pool": grant.pool if grant else None,
        "gpu_type": grant.gpu_type if grant else None,
        "gpu_seconds": grant.gpu_seconds if grant else 0,
        "step": grant.step if grant else None,
        "reasons": [{"kind": each.kind, **dict(each.facts)} for each in decision.reasons],
    }
