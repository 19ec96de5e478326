"""Whether an award result keeps every limit and adds up, whatever the rule. Called by `checking`."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

from .problem import Candidate, Option, Problem, Where

WORTH_OF_STEP = {0: 700, 1: 775, 2: 850, 3: 925, 4: 1000}


def fits_where(where: Where, candidate: Candidate, gpu_type: str) -> bool:
    goals = set(candidate.sdg[:1]) if where.principal_only else set(candidate.sdg)
    return all(
        (
            where.sdg is None or bool(goals & set(where.sdg)),
            where.country is None or candidate.country in where.country,
            where.kind is None or candidate.kind in where.kind,
            where.first_timer is None or candidate.first_timer is where.first_timer,
            where.gpu_type is None or gpu_type in where.gpu_type,
        )
    )


def step_amounts(option: Option) -> dict[int, int]:
    """The amount at each step that a grant of this option can have."""
    if option.ask == option.minimum:
        return {4: option.ask}
    table = {0: option.minimum, 4: option.ask}
    for step in (1, 2, 3):
        exact = option.minimum + Fraction(step, 4) * (option.ask - option.minimum)
        table[step] = max(option.minimum, 3600 * floor(exact / 3600))
    return table


def factors(problem: Problem) -> dict[str, Fraction]:
    return {name: Fraction(ratio.numerator, ratio.denominator) for name, ratio in problem.factors}


class Parts:
    """The parts of one pool (what is free, each earmark) and who is paid from which; grows by augmenting
    paths.
    """

    def __init__(self, problem: Problem, pool_id: str) -> None:
        pool = next(each for each in problem.pools if each.id == pool_id)
        self.earmarks = sorted(
            (each for each in problem.earmarks if each.pool == pool_id), key=lambda each: each.id
        )
        self.gpu_type = pool.gpu_type
        held = sum(each.gpu_seconds for each in self.earmarks)
        self.open = [pool.gpu_seconds - held, *(each.gpu_seconds for each in self.earmarks)]
        self.paid: dict[frozenset[int], list[int]] = {}

    def may_use(self, candidate: Candidate) -> frozenset[int]:
        numbered = enumerate(self.earmarks, 1)
        matching = (n for n, each in numbered if fits_where(each.where, candidate, self.gpu_type))
        return frozenset((0, *matching))

    def pay(self, parts: frozenset[int], amount: int) -> int:
        """Pays as much of `amount` as can be paid, moving others where that helps; says how much."""
        paid = self.paid.setdefault(parts, [0] * len(self.open))
        done = 0
        while done < amount:
            path = self._path(parts)
            if path is None:
                break
            flow = min(amount - done, self.open[path[-1][1]])
            for group, before, _ in _moves(path):
                flow = min(flow, self.paid[group][before])
            for group, before, after in _moves(path):
                self.paid[group][before] -= flow
                self.paid[group][after] += flow
            paid[path[0][1]] += flow
            self.open[path[-1][1]] -= flow
            done += flow
        return done

    def could_pay(self, candidate: Candidate) -> int:
        """How much more this candidate could get; nothing is changed."""
        kept_open, kept_paid = list(self.open), {key: list(each) for key, each in self.paid.items()}
        most = self.pay(self.may_use(candidate), sum(self.open))
        self.open, self.paid = kept_open, kept_paid
        return most

    def _path(self, parts: frozenset[int]) -> list[tuple[frozenset[int] | None, int]] | None:
        """Parts from one in `parts` to one with something open, each with the group that is moved to reach
        it.
        """
        paths: list[list[tuple[frozenset[int] | None, int]]] = [[(None, part)] for part in sorted(parts)]
        seen = set(parts)
        for path in paths:
            here = path[-1][1]
            if self.open[here]:
                return path
            for group, paid in self.paid.items():
                if paid[here]:
                    for part in sorted(group - seen):
                        seen.add(part)
                        paths.append([*path, (group, part)])
        return None


def _moves(path: list[tuple[frozenset[int] | None, int]]) -> list[tuple[frozenset[int], int, int]]:
    return [(group, path[n][1], part) for n, (group, part) in enumerate(path[1:]) if group is not None]


def award_faults(problem: Problem, result: dict[str, Any]) -> list[str]:
    candidates = {each.id: each for each in problem.candidates}
    decided = [each["id"] for each in result["decisions"]]
    if decided != sorted(candidates):
        return ["$.decisions: there must be one for each candidate, in the order of ids"]
    faults: list[str] = []
    for n, decision in enumerate(result["decisions"]):
        faults += _decision_faults(problem, candidates[decision["id"]], decision, f"$.decisions[{n}]")
    if faults:
        return faults
    awarded = [(candidates[each["id"]], each) for each in result["decisions"] if each["outcome"] == "awarded"]
    faults += _pool_faults(problem, awarded, result)
    faults += _cap_faults(problem, awarded)
    faults += _share_faults(problem, awarded, result)
    value = sum(candidate.score * WORTH_OF_STEP[each["step"]] for candidate, each in awarded)
    if result["value"] != value:
        faults.append(f"$.value: the awards are worth {value}")
    return faults


def _decision_faults(
    problem: Problem, candidate: Candidate, decision: dict[str, Any], path: str
) -> list[str]:
    if decision["outcome"] not in ("awarded", "declined", "waiting"):
        return [f"{path}.outcome: this must be awarded, declined or waiting"]
    if not decision["reasons"]:
        return [f"{path}.reasons: a decision has at least one reason"]
    if decision["outcome"] != "awarded":
        empty = {"pool": None, "gpu_type": None, "gpu_seconds": 0, "step": None}
        return [
            f"{path}.{name}: nothing is awarded, so this must be {value!r}"
            for name, value in empty.items()
            if decision[name] != value
        ]
    if not candidate.fundable:
        return [f"{path}.outcome: {candidate.id} is not fundable"]
    types = {each.id: each.gpu_type for each in problem.pools}
    if not isinstance(decision["pool"], str) or types.get(decision["pool"]) != decision["gpu_type"]:
        return [f"{path}.pool: there is no such pool of this GPU type"]
    option = next((each for each in candidate.options if each.gpu_type == decision["gpu_type"]), None)
    if option is None:
        return [f"{path}.gpu_type: {candidate.id} did not ask for this"]
    step = decision["step"]
    if isinstance(step, bool) or not isinstance(step, int) or step not in step_amounts(option):
        return [f"{path}.step: a grant of this option has no such step"]
    amount = step_amounts(option)[step]
    if decision["gpu_seconds"] != amount:
        return [f"{path}.gpu_seconds: at step {step} this is {amount}"]
    return []


Awarded = list[tuple[Candidate, dict[str, Any]]]


def _pool_faults(problem: Problem, awarded: Awarded, result: dict[str, Any]) -> list[str]:
    faults = []
    pools_left, earmarks_left = {}, {}
    for pool in problem.pools:
        mine = [(who, each["gpu_seconds"]) for who, each in awarded if each["pool"] == pool.id]
        used = sum(amount for _, amount in mine)
        if used > pool.gpu_seconds:
            faults.append(f"pool {pool.id}: {used} are awarded, it has {pool.gpu_seconds}")
        parts = Parts(problem, pool.id)
        if any(parts.pay(parts.may_use(who), amount) < amount for who, amount in mine):
            faults.append(f"pool {pool.id}: hours of an earmark went to someone it is not for")
        pools_left[pool.id] = pool.gpu_seconds - used
        earmarks_left.update(_earmarks_left(problem, pool.id, mine))
    for name, left in (("pools", pools_left), ("earmarks", earmarks_left)):
        wanted = [{"id": each, "left": left[each]} for each in sorted(left)]
        if result[name] != wanted and not faults:
            faults.append(f"$.{name}: what is left does not add up; it is {wanted}")
    return faults


def _earmarks_left(problem: Problem, pool_id: str, mine: list[tuple[Candidate, int]]) -> dict[str, int]:
    """Opens one earmark after another, in the order of ids, and lets each pay what it can."""
    parts = Parts(problem, pool_id)
    whole = parts.open
    parts.open = [0] * len(whole)
    wishes: dict[frozenset[int], int] = {}
    for who, amount in mine:
        group = parts.may_use(who) - {0}
        wishes[group] = wishes.get(group, 0) + amount
    left = {}
    for n, earmark in enumerate(parts.earmarks, 1):
        parts.open[n] = whole[n]
        for group in sorted(wishes, key=sorted):
            if group:
                wishes[group] -= parts.pay(group, wishes[group])
        left[earmark.id] = parts.open[n]
    return left


def _cap_faults(problem: Problem, awarded: Awarded) -> list[str]:
    factor = factors(problem)
    got: dict[str, Fraction] = {}
    for who, each in awarded:
        got[who.group] = got.get(who.group, Fraction(0)) + each["gpu_seconds"] * factor[each["gpu_type"]]
    return [
        f"group {group}: more than the cap of {cap.gpu_seconds}"
        for cap in problem.caps
        for group in sorted(got)
        if got[group] > cap.gpu_seconds
    ]


def _share_faults(problem: Problem, awarded: Awarded, result: dict[str, Any]) -> list[str]:
    factor = factors(problem)
    whole = sum((each.gpu_seconds * factor[each.gpu_type] for each in problem.pools), Fraction(0))
    faults, expected = [], []
    for share in sorted(problem.shares, key=lambda each: each.id):
        wanted = whole * Fraction(share.part.numerator, share.part.denominator)
        got = sum(
            (
                each["gpu_seconds"] * factor[each["gpu_type"]]
                for who, each in awarded
                if fits_where(share.where, who, each["gpu_type"])
            ),
            Fraction(0),
        )
        if not share.is_floor and got > wanted:
            faults.append(f"share {share.id}: more than its ceiling is awarded")
        met = {"id": share.id, "got": floor(got), "wanted": floor(wanted), "shortfall": 0}
        if share.is_floor:
            met |= {"wanted": ceil(wanted), "shortfall": max(0, ceil(wanted - got))}
        expected.append(met)
    if result["shares"] != expected and not faults:
        faults.append(f"$.shares: these do not add up; they are {expected}")
    return faults
