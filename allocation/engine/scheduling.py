"""The planner: requests in, slots out; each takes the earliest window in which its GPUs are free together.

Called by the engine's entry function `schedule`. Several orders of the requests are tried and the best plan
is kept. A request of so many GPU-seconds is rounded up to whole steps of all its GPUs: what is reserved can
be up to one step of them more than was asked; `placed_gpu_seconds` and the bound count what was asked,
never the rounding.
"""

from __future__ import annotations

from collections.abc import Callable

from .bound import bound
from .occupancy import Occupancy, at_least, starts_of_runs
from .schedule_problem import Plan, Request, ScheduleProblem, Slot, Unplaced

TOO_FEW_GPUS, WINDOW_TOO_SHORT, NO_FREE_TIME = "too_few_gpus", "window_too_short", "no_free_time"

Piece = tuple[tuple[int, ...], int, int]  # GPUs, first step, steps


def plan(problem: ScheduleProblem) -> Plan:
    """The best of a few greedy plans, one for each order of the requests.

    Best is the most weight times placed GPU-seconds, then the earliest ends, then the order named first.
    The same problem gives the same plan, in whatever order its lists come.
    """
    empty = Occupancy(problem)
    most = bound(problem, empty)
    if not problem.requests:
        return Plan((), (), 0, most)
    weights = {each.award: each.weight for each in problem.requests}
    asked = {each.award: each.gpu_seconds for each in problem.requests}

    def merit(found: Plan) -> tuple[int, int]:
        missed = {each.award: each.gpu_seconds for each in found.unplaced}
        worth = sum(weights[award] * (asked[award] - missed.get(award, 0)) for award in asked)
        return worth, -sum(each.ends * len(each.gpus) for each in found.slots)

    best: Plan | None = None
    for turn in TURNS:
        found = _plan_in_turn(problem, turn, most)
        if best is None or merit(found) > merit(best):
            best = found
        if not best.unplaced:
            break
    return best or Plan((), (), 0, most)


def _plan_in_turn(problem: ScheduleProblem, turn: Turn, most: int) -> Plan:
    def in_turn(request: Request) -> tuple[int, int, str]:
        return (-request.weight, turn(request, problem.step_seconds), request.award)

    occupancy = Occupancy(problem)
    slots: list[Slot] = []
    unplaced: list[Unplaced] = []
    placed = 0
    for request in sorted(problem.requests, key=in_turn):
        pieces = _place(request, occupancy)
        slots += [_slot(request, piece, occupancy) for piece in pieces]
        reserved = sum(len(gpus) * steps for gpus, _, steps in pieces) * problem.step_seconds
        got = min(reserved, request.gpu_seconds)
        placed += got
        if got < request.gpu_seconds:
            reason = _why_unplaced(request, occupancy)
            unplaced.append(Unplaced(request.award, request.gpu_seconds - got, reason))
    return Plan(
        slots=tuple(sorted(slots, key=lambda each: (each.starts, each.award, each.gpus))),
        unplaced=tuple(sorted(unplaced, key=lambda each: each.award)),
        placed_gpu_seconds=placed,
        bound_gpu_seconds=most,
    )


def _steps_needed(request: Request, step_seconds: int) -> int:
    return -(-request.gpu_seconds // (request.gpus_at_once * step_seconds))


def _by_latest_start(request: Request, step_seconds: int) -> int:
    """Whoever must start first, if it is to finish without a pause, goes first."""
    return request.latest - _steps_needed(request, step_seconds) * step_seconds


def _by_close(request: Request, step_seconds: int) -> int:
    """Whoever's time closes first goes first."""
    return request.latest


def _by_slack(request: Request, step_seconds: int) -> int:
    """Whoever has the least time to spare goes first."""
    return _by_latest_start(request, step_seconds) - request.earliest


Turn = Callable[[Request, int], int]
# The orders that are tried; in each, weight comes first and the award's name last.
TURNS: tuple[Turn, ...] = (_by_latest_start, _by_close, _by_slack)


def _slot(request: Request, piece: Piece, occupancy: Occupancy) -> Slot:
    gpus, start, steps = piece
    starts = (occupancy.origin + start) * occupancy.step_seconds
    names = tuple(sorted(occupancy.gpus[gpu].id for gpu in gpus))
    return Slot(request.award, names, starts, starts + steps * occupancy.step_seconds)


def _place(request: Request, occupancy: Occupancy) -> list[Piece]:
    """Slot after slot until all is placed or nothing fits.

    Only the slot that finishes the request may be short.
    """
    step = occupancy.step_seconds
    shortest = max(1, -(-request.shortest_slot_seconds // step))
    longest = request.longest_slot_seconds // step
    open_steps = occupancy.inside(request.earliest, request.latest) & ~occupancy.held_by(request.award)
    needed = _steps_needed(request, step)
    pieces: list[Piece] = []
    while needed:
        piece = _earliest(request, occupancy, open_steps, min(shortest, needed), min(longest, needed))
        if piece is None:
            break
        gpus, start, steps = piece
        occupancy.take(gpus, start, steps)
        pieces.append(piece)
        needed -= steps
        open_steps = open_steps >> (start + steps) << (start + steps)
    return pieces


def _earliest(request: Request, occupancy: Occupancy, open_steps: int, least: int, most: int) -> Piece | None:
    """The earliest start at which enough GPUs are free for `least` steps; there the longest slot up to
    `most`.
    """
    nodes = occupancy.nodes.get(request.gpu_type, [])
    allowed = starts_of_runs(open_steps, least)
    if not allowed:
        return None
    if request.same_node:
        groups = nodes
        found = [occupancy.node_starts(node, request.gpus_at_once, least) & allowed for node in nodes]
    else:
        everyone = tuple(gpu for node in nodes for gpu in node)
        groups = [everyone]
        found = [_starts_anywhere(everyone, request.gpus_at_once, least, allowed, occupancy)]
    together = 0
    for starts in found:
        together |= starts
    if not together:
        return None
    start = (together & -together).bit_length() - 1
    most = min(most, _length_of_run(open_steps, start))
    choices = [
        _choose(group, request.gpus_at_once, start, least, most, occupancy)
        for group, starts in zip(groups, found, strict=True)
        if starts >> start & 1
    ]
    (lost, _, gpus) = min(choices)
    return gpus, start, most - lost


def _starts_anywhere(
    gpus: tuple[int, ...], gpus_at_once: int, least: int, allowed: int, occupancy: Occupancy
) -> int:
    return at_least([occupancy.runs(gpu, least) for gpu in gpus], gpus_at_once) & allowed


def _length_of_run(open_steps: int, start: int) -> int:
    shut = ~(open_steps >> start)
    return (shut & -shut).bit_length() - 1


def _choose(
    group: tuple[int, ...], gpus_at_once: int, start: int, least: int, most: int, occupancy: Occupancy
) -> tuple[int, int, tuple[int, ...]]:
    """(steps lost against `most`, free steps left behind them, GPUs): the longest slot, then the tightest
    fit.
    """
    fits = []
    for gpu in group:
        run = occupancy.run_length(gpu, start)
        if run >= least:
            fits.append((most - min(run, most), run, gpu))
    chosen = sorted(fits)[:gpus_at_once]
    lost = max(each[0] for each in chosen)
    behind = sum(each[1] for each in chosen)
    return lost, behind, tuple(each[2] for each in chosen)


def _why_unplaced(request: Request, occupancy: Occupancy) -> str:
    nodes = occupancy.nodes.get(request.gpu_type, [])
    sizes = [len(node) for node in nodes]
    most = max(sizes, default=0) if request.same_node else sum(sizes)
    if most < request.gpus_at_once:
        return TOO_FEW_GPUS
    step = occupancy.step_seconds
    window = occupancy.inside(request.earliest, request.latest).bit_count()
    if window < _steps_needed(request, step):
        return WINDOW_TOO_SHORT
    return NO_FREE_TIME
