"""Whether a plan keeps every rule of its input and adds up.

Called by `checking`; works on lists of intervals.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from .schedule_problem import Request, ScheduleProblem

REASONS = ("too_few_gpus", "window_too_short", "no_free_time")


def schedule_faults(problem: ScheduleProblem, result: dict[str, Any]) -> list[str]:
    slots = result["slots"]
    requests = {each.award: each for each in problem.requests}
    faults: list[str] = []
    for n, slot in enumerate(slots):
        if slot["award"] not in requests:
            faults.append(f"$.slots[{n}].award: nobody asked for this")
        else:
            faults += _slot_faults(problem, requests[slot["award"]], slot, f"$.slots[{n}]")
    order = [(each["starts"], each["award"], each["gpus"]) for each in slots]
    if order != sorted(order):
        faults.append("$.slots: these must be sorted by start, then award")
    if faults:
        return faults
    faults += _overlaps(problem, slots)
    for request in problem.requests:
        mine = [each for each in slots if each["award"] == request.award]
        faults += _request_faults(problem, request, mine)
    return faults + _sum_faults(problem, result)


def _slot_faults(problem: ScheduleProblem, request: Request, slot: dict[str, Any], path: str) -> list[str]:
    step = problem.step_seconds
    starts, ends = slot["starts"], slot["ends"]
    faults = []
    if starts % step or ends % step or starts >= ends:
        faults.append(f"{path}: a slot starts and ends at multiples of {step} s")
    if starts < request.earliest or ends > request.latest:
        faults.append(f"{path}: this is outside the time that was asked for")
    if ends - starts > request.longest_slot_seconds:
        faults.append(f"{path}: this is longer than the longest slot")
    known = {gpu.id: gpu for gpu in problem.gpus}
    names = slot["gpus"]
    if len(set(names)) != len(names) or len(names) != request.gpus_at_once:
        return [*faults, f"{path}.gpus: there must be {request.gpus_at_once} different GPUs"]
    if names != sorted(names):
        faults.append(f"{path}.gpus: these must be in the order of ids")
    if any(name not in known or known[name].gpu_type != request.gpu_type for name in names):
        return [*faults, f"{path}.gpus: there is one that is not of type {request.gpu_type}"]
    if request.same_node and len({known[name].node for name in names}) > 1:
        faults.append(f"{path}.gpus: these must be on one node")
    return faults


def _overlaps(problem: ScheduleProblem, slots: list[dict[str, Any]]) -> list[str]:
    """Nothing new over a closed or a fixed time, nor over another new slot, GPU by GPU."""
    kept: dict[str, list[tuple[int, int, str]]] = {gpu.id: [] for gpu in problem.gpus}
    for closed in problem.closed:
        for gpu in closed.gpus:
            kept[gpu].append((closed.starts, closed.ends, "a closed time"))
    for fixed in problem.fixed:
        for gpu in fixed.gpus:
            kept[gpu].append((fixed.starts, fixed.ends, f"the fixed slot {fixed.slot}"))
    faults = []
    for n, slot in enumerate(slots):
        for gpu in slot["gpus"]:
            for starts, ends, what in kept[gpu]:
                if slot["starts"] < ends and starts < slot["ends"]:
                    faults.append(f"GPU {gpu}: $.slots[{n}] lies over {what}")
            kept[gpu].append((slot["starts"], slot["ends"], f"$.slots[{n}]"))
    return faults


def _request_faults(problem: ScheduleProblem, request: Request, mine: list[dict[str, Any]]) -> list[str]:
    faults = []
    needed = -(-request.gpu_seconds // (request.gpus_at_once * problem.step_seconds))
    steps = [(each["ends"] - each["starts"]) // problem.step_seconds for each in mine]
    if sum(steps) > needed:
        faults.append(f"award {request.award}: more is reserved than was asked for")
    spans = [(each["starts"], each["ends"]) for each in mine]
    spans += [(each.starts, each.ends) for each in problem.fixed if each.award == request.award]
    mine_only = sorted((each["starts"], each["ends"]) for each in mine)
    others = sorted(set(spans) - set(mine_only))
    if any(after[0] < before[1] for before, after in pairwise(mine_only)) or any(
        starts < until and since < ends for starts, ends in mine_only for since, until in others
    ):
        faults.append(f"award {request.award}: two of its slots are at the same time")
    for n, (starts, ends) in enumerate(mine_only):
        finishes = n == len(mine_only) - 1 and sum(steps) == needed
        if ends - starts < request.shortest_slot_seconds and not finishes:
            faults.append(f"award {request.award}: a slot is shorter than the shortest, and not the last")
    return faults


def _sum_faults(problem: ScheduleProblem, result: dict[str, Any]) -> list[str]:
    faults = []
    reserved: dict[str, int] = {}
    for slot in result["slots"]:
        seconds = len(slot["gpus"]) * (slot["ends"] - slot["starts"])
        reserved[slot["award"]] = reserved.get(slot["award"], 0) + seconds
    placed = {each.award: min(each.gpu_seconds, reserved.get(each.award, 0)) for each in problem.requests}
    missing = [
        (each.award, each.gpu_seconds - placed[each.award])
        for each in sorted(problem.requests, key=lambda each: each.award)
        if each.gpu_seconds > placed[each.award]
    ]
    if [(each["award"], each["gpu_seconds"]) for each in result["unplaced"]] != missing:
        faults.append(f"$.unplaced: what is not placed is {missing}")
    if any(each["reason"] not in REASONS for each in result["unplaced"]):
        faults.append(f"$.unplaced: a reason is one of {', '.join(REASONS)}")
    if result["placed_gpu_seconds"] != sum(placed.values()):
        faults.append(f"$.placed_gpu_seconds: this is {sum(placed.values())}")
    most = _upper_bound(problem)
    if result["bound_gpu_seconds"] != most:
        faults.append(f"$.bound_gpu_seconds: this is {most}")
    return faults


def _upper_bound(problem: ScheduleProblem) -> int:
    """The bound once more, step by step: a step's free GPUs serve first whoever's window closes first."""
    total = 0
    for gpu_type in sorted({each.gpu_type for each in problem.requests}):
        requests = [each for each in problem.requests if each.gpu_type == gpu_type]
        free = _free_by_node(problem, gpu_type, requests)
        windows = _windows(problem, requests, free)
        rest = [
            min(each.gpu_seconds, len(steps) * each.gpus_at_once * problem.step_seconds)
            for each, steps in zip(requests, windows, strict=True)
        ]
        closes = {n: steps[-1] for n, steps in enumerate(windows) if steps}
        opens = {n: steps[0] for n, steps in enumerate(windows) if steps}
        order = sorted(closes, key=lambda n: closes[n])
        for step in sorted(free):
            here = [n for n in order if opens[n] <= step <= closes[n]]
            wanted = sum(requests[n].gpus_at_once for n in here)
            capacity = min(sum(free[step].values()), wanted) * problem.step_seconds
            for n in here:
                given = min(capacity, rest[n])
                capacity, rest[n], total = capacity - given, rest[n] - given, total + given
    return total


def _free_by_node(
    problem: ScheduleProblem, gpu_type: str, requests: list[Request]
) -> dict[int, dict[str, int]]:
    """For each step that a request could use, how many GPUs of the type are free on each node."""
    step = problem.step_seconds
    first = min(each.earliest for each in requests) // step
    last = max(each.latest for each in requests) // step
    gpus = {each.id: each for each in problem.gpus if each.gpu_type == gpu_type}
    shut: dict[str, set[int]] = {name: set() for name in gpus}
    times = [(each.gpus, each.starts, each.ends) for each in problem.closed]
    times += [(each.gpus, each.starts, each.ends) for each in problem.fixed]
    for names, starts, ends in times:
        for name in names:
            if name in shut:
                since, until = max(first, starts // step), min(last, -(-ends // step))
                shut[name].update(range(since, until))
    free: dict[int, dict[str, int]] = {at: {} for at in range(first, last)}
    for name, gpu in gpus.items():
        for at in range(first, last):
            if at not in shut[name]:
                free[at][gpu.node] = free[at].get(gpu.node, 0) + 1
    return free


def _windows(
    problem: ScheduleProblem, requests: list[Request], free: dict[int, dict[str, int]]
) -> list[list[int]]:
    """For each request the steps inside its time in which enough GPUs are free, on one node if it must be."""
    step = problem.step_seconds
    most = {at: max(nodes.values(), default=0) for at, nodes in free.items()}
    total = {at: sum(nodes.values()) for at, nodes in free.items()}
    windows = []
    for each in requests:
        have = most if each.same_node else total
        inside = range(-(-each.earliest // step), each.latest // step)
        windows.append([at for at in inside if have.get(at, 0) >= each.gpus_at_once])
    return windows
