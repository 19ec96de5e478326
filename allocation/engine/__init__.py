"""The allocator: a bundle in, decisions with reasons out.

Pure: no Django, no clock, no randomness but the seed.

Called by the stage functions of allocation and by `python -m allocation.engine`.
"""

from __future__ import annotations

from typing import Any

from . import outcome, problem, schedule_problem
from .canonical import BundleError, canonical_bytes, digest, read
from .checking import check
from .outcome import Outcome
from .problem import Problem
from .rules import RULES
from .scheduling import plan
from .version import ENGINE

__all__ = [
    "ENGINE",
    "BundleError",
    "award",
    "award_typed",
    "canonical_bytes",
    "check",
    "digest",
    "read",
    "schedule",
]


def award(bundle: dict[str, Any]) -> dict[str, Any]:
    """Decides an award bundle; raises BundleError where it can not be used."""
    input_sha256 = digest(bundle)
    parsed = problem.parse(bundle)
    return outcome.emit(award_typed(parsed), rule=parsed.rule, input_sha256=input_sha256)


def award_typed(parsed: Problem) -> Outcome:
    if parsed.rule not in RULES:
        known = ", ".join(sorted(RULES))
        raise BundleError("$.rule", f"this engine has no rule {parsed.rule!r}; it has: {known}")
    return RULES[parsed.rule](parsed)


def schedule(bundle: dict[str, Any]) -> dict[str, Any]:
    """Plans a schedule bundle; raises BundleError where it can not be used."""
    input_sha256 = digest(bundle)
    parsed = schedule_problem.parse(bundle)
    return schedule_problem.emit_plan(plan(parsed), input_sha256=input_sha256)
