"""Which GPU is free when, as one big integer a GPU: bit t is set while step t is free. Called by the planner.

Python's integers make a window search over weeks a handful of shifts. What was computed for a node is kept
until one of its GPUs is taken.
"""

from __future__ import annotations

from .schedule_problem import Gpu, ScheduleProblem


class Occupancy:
    """Steps are counted from `origin`, a multiple of the step; `horizon` is the number of steps."""

    def __init__(self, problem: ScheduleProblem) -> None:
        step = problem.step_seconds
        self.step_seconds = step
        self.origin = min((each.earliest for each in problem.requests), default=0) // step
        last = max((each.latest for each in problem.requests), default=0) // step
        self.horizon = max(0, last - self.origin)
        self.gpus = tuple(sorted(problem.gpus, key=lambda each: (each.gpu_type, each.node, each.id)))
        self._index = {gpu.id: n for n, gpu in enumerate(self.gpus)}
        self.free = [(1 << self.horizon) - 1 for _ in self.gpus]
        self.nodes = _nodes(self.gpus)
        self._node_of = {n: node for nodes in self.nodes.values() for node in nodes for n in node}
        self._runs: list[dict[int, int]] = [{} for _ in self.gpus]
        self._node_starts: dict[tuple[int, ...], dict[tuple[int, int], int]] = {}
        self._taken_by_award: dict[str, int] = {}
        for closed in problem.closed:
            self._shut(closed.gpus, self.touched(closed.starts, closed.ends))
        for fixed in problem.fixed:
            mask = self.touched(fixed.starts, fixed.ends)
            self._shut(fixed.gpus, mask)
            self._taken_by_award[fixed.award] = self._taken_by_award.get(fixed.award, 0) | mask

    def touched(self, starts: int, ends: int) -> int:
        """The steps that [starts, ends) touches."""
        first = max(0, starts // self.step_seconds - self.origin)
        last = min(self.horizon, -(-ends // self.step_seconds) - self.origin)
        return ((1 << last) - (1 << first)) if first < last else 0

    def inside(self, starts: int, ends: int) -> int:
        """The steps that lie whole in [starts, ends)."""
        first = max(0, -(-starts // self.step_seconds) - self.origin)
        last = min(self.horizon, ends // self.step_seconds - self.origin)
        return ((1 << last) - (1 << first)) if first < last else 0

    def held_by(self, award: str) -> int:
        """The steps in which the award has fixed slots; it does not get more GPUs at once there."""
        return self._taken_by_award.get(award, 0)

    def take(self, gpus: tuple[int, ...], start: int, length: int) -> None:
        self._shut(tuple(self.gpus[n].id for n in gpus), ((1 << length) - 1) << start)

    def run_length(self, gpu: int, start: int) -> int:
        """For how many steps the GPU is free from `start` on."""
        busy = ~(self.free[gpu] >> start)
        return (busy & -busy).bit_length() - 1

    def runs(self, gpu: int, length: int) -> int:
        """The steps from which the GPU is free for `length` steps."""
        kept = self._runs[gpu]
        if length not in kept:
            kept[length] = starts_of_runs(self.free[gpu], length)
        return kept[length]

    def node_starts(self, node: tuple[int, ...], gpus_at_once: int, length: int) -> int:
        """The steps from which so many GPUs of the node are free together for `length` steps."""
        kept = self._node_starts.setdefault(node, {})
        key = (gpus_at_once, length)
        if key not in kept:
            kept[key] = at_least([self.runs(gpu, length) for gpu in node], gpus_at_once)
        return kept[key]

    def _shut(self, names: tuple[str, ...], mask: int) -> None:
        for name in names:
            gpu = self._index[name]
            self.free[gpu] &= ~mask
            self._runs[gpu].clear()
            self._node_starts.pop(self._node_of[gpu], None)


def _nodes(gpus: tuple[Gpu, ...]) -> dict[str, list[tuple[int, ...]]]:
    """For each type its nodes, each as the numbers of its GPUs of that type."""
    found: dict[tuple[str, str], list[int]] = {}
    for n, gpu in enumerate(gpus):
        found.setdefault((gpu.gpu_type, gpu.node), []).append(n)
    nodes: dict[str, list[tuple[int, ...]]] = {}
    for (gpu_type, _), members in found.items():
        nodes.setdefault(gpu_type, []).append(tuple(members))
    return nodes


def starts_of_runs(free: int, length: int) -> int:
    """Bit t is set where bits t .. t + length - 1 of `free` are; by doubling, in log2(length) shifts."""
    done = 1
    while done < length and free:
        shift = min(done, length - done)
        free &= free >> shift
        done += shift
    return free


def at_least(masks: list[int], count: int) -> int:
    """The bits set in at least `count` of the masks; all bits are counted at once, digit by digit."""
    if count == 1:
        together = 0
        for mask in masks:
            together |= mask
        return together
    digits: list[int] = []
    for mask in masks:
        for n, digit in enumerate(digits):
            digits[n], mask = digit ^ mask, digit & mask
            if not mask:
                break
        if mask:
            digits.append(mask)
    return _not_less(digits, count)


def _not_less(digits: list[int], count: int) -> int:
    """The bits at which the number written in `digits` (lowest first) is `count` or more."""
    if count >> len(digits):
        return 0
    more, equal = 0, -1
    for n in reversed(range(len(digits))):
        if count >> n & 1:
            equal &= digits[n]
        else:
            more |= equal & digits[n]
            equal &= ~digits[n]
    everything = 0
    for digit in digits:
        everything |= digit
    return (more | equal) & everything
