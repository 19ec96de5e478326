"""Writes an award problem back as the JSON it was read from.

Called by stage functions and tests of the format.
"""

from __future__ import annotations

from typing import Any

from .problem import FORMAT, Candidate, Problem, Ratio, Share, Where


def emit(problem: Problem) -> dict[str, Any]:
    """Every field is written, also those that were left out; `parse(emit(problem)) == problem`."""
    return {
        "format": FORMAT,
        "rule": problem.rule,
        "seed": problem.seed,
        "pools": [
            {"id": each.id, "gpu_type": each.gpu_type, "gpu_seconds": each.gpu_seconds}
            for each in problem.pools
        ],
        "factors": {gpu_type: _ratio(ratio) for gpu_type, ratio in problem.factors},
        "candidates": [_candidate(each) for each in problem.candidates],
        "earmarks": [
            {
                "id": each.id,
                "pool": each.pool,
                "gpu_seconds": each.gpu_seconds,
                "where": _where(each.where),
            }
            for each in problem.earmarks
        ],
        "shares": [_share(each) for each in problem.shares],
        "caps": [{"per": "group", "gpu_seconds": each.gpu_seconds} for each in problem.caps],
        "ballots": [{"voter": each.voter, "approves": list(each.approves)} for each in problem.ballots],
    }


def _ratio(ratio: Ratio) -> list[int]:
    return [ratio.numerator, ratio.denominator]


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "id": candidate.id,
        "digest": candidate.digest,
        "score": candidate.score,
        "tie_score": candidate.tie_score,
        "band": candidate.band,
        "fundable": candidate.fundable,
        "group": candidate.group,
        "sdg": list(candidate.sdg),
        "country": candidate.country,
        "kind": candidate.kind,
        "first_timer": candidate.first_timer,
        "options": [
            {"gpu_type": each.gpu_type, "ask": each.ask, "minimum": each.minimum}
            for each in candidate.options
        ],
    }


def _where(where: Where) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    for name in ("sdg", "principal_only", "country", "kind", "first_timer", "gpu_type"):
        value = getattr(where, name)
        if value is not None:
            asked[name] = list(value) if isinstance(value, tuple) else value
    return asked


def _share(share: Share) -> dict[str, Any]:
    name = "at_least" if share.is_floor else "at_most"
    return {
        "id": share.id,
        "where": _where(share.where),
        name: _ratio(share.part),
        "of": "pools",
        "hard": share.hard,
    }
