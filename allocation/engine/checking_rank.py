"""Whether a result is the one that rank-and-cut must give, with true reasons. Called by `checking`.

Goes through the candidates in order with its own books, and tries each stated "would be funded if" at the
place where the changed candidate would have stood.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from typing import Any

from .checking_award import Parts, factors, fits_where, step_amounts
from .problem import Candidate, Option, Problem

Key = tuple[int, int, Fraction, str, str]
Found = tuple[str, str, int, int]  # pool, GPU type, amount, step


class Books:
    """What is left at one moment, in fractions of equivalents; who may use which part of a pool."""

    def __init__(self, problem: Problem) -> None:
        self.factor = factors(problem)
        self.pools = sorted(problem.pools, key=lambda each: each.id)
        self.parts = {pool.id: Parts(problem, pool.id) for pool in self.pools}
        self.left = {pool.id: pool.gpu_seconds for pool in self.pools}
        whole = sum((each.gpu_seconds * self.factor[each.gpu_type] for each in self.pools), Fraction(0))
        self.ceilings = {
            share.id: (share.where, whole * Fraction(share.part.numerator, share.part.denominator))
            for share in sorted(problem.shares, key=lambda each: each.id)
            if not share.is_floor
        }
        self.full = dict.fromkeys(self.ceilings, Fraction(0))
        self.cap = min((Fraction(each.gpu_seconds) for each in problem.caps), default=None)
        self.groups: dict[str, Fraction] = {}

    def fits(self, who: Candidate, gpu_type: str, pool: str, amount: int) -> bool:
        return not self.obstacles(who, gpu_type, pool, amount, amount)

    def obstacles(
        self, who: Candidate, gpu_type: str, pool: str, amount: int, minimum: int
    ) -> list[dict[str, Any]]:
        """The reasons that stand against this amount."""
        equivalents = amount * self.factor[gpu_type]
        found: list[dict[str, Any]] = []
        if self.left[pool] < amount:
            found.append({"kind": "pool_empty", "pool": pool, "left": self.left[pool], "minimum": minimum})
        elif len(self.parts[pool].open) > 1:
            could = self.parts[pool].could_pay(who)
            if could < amount:
                held = self.left[pool] - could
                found.append({"kind": "earmark_elsewhere", "pool": pool, "held": held})
        for share, (where, most) in self.ceilings.items():
            if fits_where(where, who, gpu_type) and self.full[share] + equivalents > most:
                found.append({"kind": "share_full", "share": share})
        if self.cap is not None:
            left = self.cap - self.groups.get(who.group, Fraction(0))
            if equivalents > left:
                found.append({"kind": "cap", "group": who.group, "left": left.__floor__()})
        return found

    def best(self, who: Candidate) -> Found | None:
        for option in who.options:
            table = step_amounts(option)
            offers = [
                (step, pool.id)
                for pool in self.pools
                if pool.gpu_type == option.gpu_type
                for step in table
                if self.fits(who, option.gpu_type, pool.id, table[step])
            ]
            if offers:
                step, pool = min(offers, key=lambda each: (-each[0], each[1]))
                return pool, option.gpu_type, table[step], step
        return None

    def book(self, who: Candidate, found: Found) -> None:
        pool, gpu_type, amount, _ = found
        equivalents = amount * self.factor[gpu_type]
        self.left[pool] -= amount
        self.parts[pool].pay(self.parts[pool].may_use(who), amount)
        self.groups[who.group] = self.groups.get(who.group, Fraction(0)) + equivalents
        for share, (where, _most) in self.ceilings.items():
            if fits_where(where, who, gpu_type):
                self.full[share] += equivalents


def _key(problem: Problem, who: Candidate, factor: dict[str, Fraction]) -> Key:
    ask = min(option.ask * factor[option.gpu_type] for option in who.options)
    drawn = sha256(bytes.fromhex(problem.seed) + who.id.encode()).hexdigest()
    return (-who.score, -who.tie_score, ask, drawn, who.id)


def rank_and_cut_faults(problem: Problem, result: dict[str, Any]) -> list[str]:
    faults = []
    if result["bound"] is not None or result["solver"] is not None:
        faults.append("$.bound and $.solver: rank-and-cut has neither")
    factor = factors(problem)
    queue = sorted((_key(problem, who, factor), who) for who in problem.candidates)
    decisions = {each["id"]: (n, each) for n, each in enumerate(result["decisions"])}
    changes = _Changes(problem, [key for key, _ in queue], factor)
    expected: dict[str, list[dict[str, Any]]] = {}
    for _, who in queue:
        changes.note(who, decisions[who.id][1]["reasons"])
    books = Books(problem)
    scores: set[int] = set()
    for position, (_, who) in enumerate(queue):
        changes.try_at(position, books)
        n, decision = decisions[who.id]
        found = books.best(who) if who.fundable else None
        faults += _outcome_faults(decision, found, f"$.decisions[{n}]")
        expected[who.id] = _reasons(who, found, books)
        faults += _threshold_faults(decision["reasons"], scores, f"$.decisions[{n}]")
        if found is not None:
            books.book(who, found)
            scores.add(who.score)
    changes.try_at(len(queue), books)
    for n, decision in enumerate(result["decisions"]):
        faults += _reason_faults(decision, expected[decision["id"]], f"$.decisions[{n}].reasons")
    return faults + changes.faults


def _outcome_faults(decision: dict[str, Any], found: Found | None, path: str) -> list[str]:
    outcome = "declined" if found is None else "awarded"
    if decision["outcome"] != outcome:
        return [f"{path}.outcome: by the rule this is {outcome}"]
    given = tuple(decision[name] for name in ("pool", "gpu_type", "gpu_seconds", "step"))
    if found is not None and given != found:
        return [f"{path}: by the rule this is {found[2]} of {found[1]} from pool {found[0]}, step {found[3]}"]
    return []


def _reasons(who: Candidate, found: Found | None, books: Books) -> list[dict[str, Any]]:
    """The reasons that a decision must give, as the books stand; the claims about changes are tried apart."""
    if not who.fundable:
        return [{"kind": "not_fundable", "floor": None}]
    if found is not None:
        pool, gpu_type, amount, step = found
        option = next(each for each in who.options if each.gpu_type == gpu_type)
        if amount == option.ask:
            return [{"kind": "funded_whole"}]
        more = step_amounts(option)[step + 1]
        against = books.obstacles(who, gpu_type, pool, more, option.minimum)
        return [{"kind": "funded_in_part", "step": step}, *against]
    against = []
    for option in who.options:
        places = [pool.id for pool in books.pools if pool.gpu_type == option.gpu_type]
        if not places:
            against.append({"kind": "pool_empty", "pool": None, "left": 0, "minimum": option.minimum})
        for pool in places:
            against += books.obstacles(who, option.gpu_type, pool, option.minimum, option.minimum)
    return against


def _reason_faults(decision: dict[str, Any], expected: list[dict[str, Any]], path: str) -> list[str]:
    given = [dict(each) for each in decision["reasons"]]
    plain = [each for each in given if each["kind"] not in ("outscored", "would_be_funded_if")]
    if len(plain) < len(given) and any(each["kind"] in FINAL for each in plain):
        return [f"{path}: no change of a number is promised here"]
    for each in plain:
        if each["kind"] == "funded_in_part" and each.pop("limited_by", None) not in {
            other["kind"] for other in plain if other is not each
        }:
            return [f"{path}: what limited the grant is not among the reasons"]
    if any(each not in expected for each in plain) or any(each not in plain for each in expected):
        return [f"{path}: by the rule these are {expected}"]
    return []


FINAL = ("funded_whole", "funded_in_part", "not_fundable")


def _threshold_faults(reasons: list[dict[str, Any]], scores: set[int], path: str) -> list[str]:
    """Whoever outscored this candidate was awarded before it, at the threshold or just under the score it
    needs.
    """
    faults = []
    needed = [each["score"] for each in reasons if each["kind"] == "would_be_funded_if" and "score" in each]
    for each in reasons:
        if each["kind"] != "outscored":
            continue
        threshold = each.get("threshold")
        if set(each) != {"kind", "threshold"} or threshold not in scores:
            faults.append(f"{path}.reasons: nobody was awarded before at this threshold")
        elif len(needed) != 1 or threshold not in (needed[0], needed[0] - 1):
            faults.append(f"{path}.reasons: the threshold and the score that was needed differ")
    return faults


class _Changes:
    """Each "would be funded if" of a result: it must hold, and the number just short of it must not."""

    def __init__(self, problem: Problem, keys: list[Key], factor: dict[str, Fraction]) -> None:
        self._problem = problem
        self._keys = keys
        self._factor = factor
        self._tries: dict[int, list[tuple[Candidate, bool, str]]] = {}
        self.faults: list[str] = []

    def note(self, who: Candidate, reasons: list[dict[str, Any]]) -> None:
        for reason in reasons:
            if reason["kind"] != "would_be_funded_if":
                continue
            for amount, holds in ((0, True), (-1 if "score" in reason else 1, False)):
                changed = _changed(who, reason, amount)
                if changed is None:
                    self.faults.append(f"{who.id}: {reason} does not say what would change")
                    break
                at = bisect_left(self._keys, _key(self._problem, changed, self._factor))
                self._tries.setdefault(at, []).append((changed, holds, f"{who.id}: {reason}"))

    def try_at(self, position: int, books: Books) -> None:
        for changed, holds, claim in self._tries.get(position, ()):
            if (books.best(changed) is not None) != holds:
                self.faults.append(f"{claim} is not true" if holds else f"{claim} is not the least change")


def _changed(who: Candidate, reason: dict[str, Any], amount: int) -> Candidate | None:
    rest = {name: value for name, value in reason.items() if name != "kind"}
    if set(rest) == {"score"} and isinstance(rest["score"], int):
        return replace(who, score=rest["score"] + amount)
    name = "ask" if "ask" in rest else "minimum"
    option = next((each for each in who.options if each.gpu_type == rest.get("gpu_type")), None)
    if option is None or set(rest) != {name, "gpu_type"} or not isinstance(rest[name], int):
        return None
    number = rest[name] + amount
    ask, minimum = (number, option.minimum) if name == "ask" else (option.ask, number)
    if not 0 < minimum <= ask <= option.ask:
        return None
    changed = Option(option.gpu_type, ask, minimum)
    return replace(who, options=tuple(changed if each is option else each for each in who.options))
