"""The rules by name. Called by the entry functions; a rule that is not in this table does not exist."""

from __future__ import annotations

from collections.abc import Callable

from ..outcome import Outcome
from ..problem import Problem
from .rank_and_cut import rank_and_cut

RULES: dict[str, Callable[[Problem], Outcome]] = {
    "rank-and-cut": rank_and_cut,
}
