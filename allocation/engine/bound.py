"""An upper bound on the GPU-seconds that any plan could place. Called by the planner for each GPU type.

Proof. Take any plan and look at one type. (1) In one step at most the free GPUs work, and at most as many
as the requests whose window holds the step want at once; this is the step's capacity. (2) A request gets at
most what it asks, and at most its GPUs at once in each step of its window in which so many are free (on one
node, if it must be). So the plan is a way to hand the steps' capacities to requests, each inside its
window, each up to (2). With capacities at steps and one window a request, the greatest such handing-out is
found by going through the steps and always serving the request that closes first (Glover 1967, convex
bipartite graphs: in an exchange, the later closing request can always use the later step instead). That
greatest amount is the bound; a plan has further rules to keep, so it can only place less.
"""

from __future__ import annotations

import heapq

from .occupancy import Occupancy, at_least
from .schedule_problem import Request, ScheduleProblem


def bound(problem: ScheduleProblem, empty: Occupancy) -> int:
    """`empty` is the occupancy before anything is placed: closed and fixed only."""
    by_type: dict[str, list[Request]] = {}
    for request in problem.requests:
        by_type.setdefault(request.gpu_type, []).append(request)
    return sum(_of_type(gpu_type, requests, empty) for gpu_type, requests in by_type.items())


def _of_type(gpu_type: str, requests: list[Request], empty: Occupancy) -> int:
    nodes = empty.nodes.get(gpu_type, [])
    free = _free_each_step([gpu for node in nodes for gpu in node], empty)
    usable = {
        key: _usable_steps(nodes, *key, empty) for key in {(r.gpus_at_once, r.same_node) for r in requests}
    }
    windows = []
    for request in requests:
        window = (
            empty.inside(request.earliest, request.latest) & usable[(request.gpus_at_once, request.same_node)]
        )
        most = window.bit_count() * request.gpus_at_once * empty.step_seconds
        if window:
            first, last = (window & -window).bit_length() - 1, window.bit_length()
            windows.append((first, last, min(request.gpu_seconds, most), request.gpus_at_once))
    return _first_to_close(windows, free, empty.step_seconds)


def _free_each_step(gpus: list[int], empty: Occupancy) -> list[int]:
    """How many of the GPUs are free, step by step, from where each GPU's free time begins and ends."""
    change = [0] * (empty.horizon + 1)
    for gpu in gpus:
        edges = empty.free[gpu] ^ (empty.free[gpu] << 1)
        rising = True
        while edges:
            step = (edges & -edges).bit_length() - 1
            change[step] += 1 if rising else -1
            rising = not rising
            edges &= edges - 1
    free, now = [], 0
    for step in range(empty.horizon):
        now += change[step]
        free.append(now)
    return free


def _usable_steps(nodes: list[tuple[int, ...]], gpus_at_once: int, same_node: bool, empty: Occupancy) -> int:
    """The steps in which so many GPUs are free, on one node if it must be one."""
    if not same_node:
        return at_least([empty.free[gpu] for node in nodes for gpu in node], gpus_at_once)
    usable = 0
    for node in nodes:
        usable |= at_least([empty.free[gpu] for gpu in node], gpus_at_once)
    return usable


def _first_to_close(windows: list[tuple[int, int, int, int]], free: list[int], step_seconds: int) -> int:
    """The greatest handing-out of the steps to (first, last, gpu_seconds, gpus_at_once) windows."""
    opening = sorted(windows)
    wanted = [0] * (len(free) + 1)
    for first, last, _, gpus_at_once in windows:
        wanted[first] += gpus_at_once
        wanted[last] -= gpus_at_once
    waiting: list[list[int]] = []  # [closes, gpu_seconds still to serve]
    served = at_once = following = 0
    for step, gpus in enumerate(free):
        at_once += wanted[step]
        while following < len(opening) and opening[following][0] == step:
            heapq.heappush(waiting, [opening[following][1], opening[following][2]])
            following += 1
        capacity = min(gpus, at_once) * step_seconds
        while waiting and (capacity or waiting[0][0] <= step):
            if waiting[0][0] <= step:
                heapq.heappop(waiting)
                continue
            given = min(capacity, waiting[0][1])
            served += given
            capacity -= given
            waiting[0][1] -= given
            if waiting[0][1] == 0:
                heapq.heappop(waiting)
    return served
