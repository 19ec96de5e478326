"""The schedule bundle as frozen dataclasses: read strictly from JSON; and the plan written as JSON.

Called by the engine's entry functions. Instants are UTC seconds; the planner counts in steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .canonical import BundleError
from .fields import Fields, refuse_twins, text

FORMAT = "openhours/schedule/1"
RESULT_FORMAT = "openhours/schedule-result/1"
# Eleven years of quarter hours; a typing error in a year would otherwise fill the memory.
MOST_STEPS = 400_000


@dataclass(frozen=True, slots=True)
class Gpu:
    id: str
    node: str
    gpu_type: str


@dataclass(frozen=True, slots=True)
class Closed:
    """GPUs that can not be used over [starts, ends)."""

    gpus: tuple[str, ...]
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """A slot that was promised and is never moved."""

    slot: str
    award: str
    gpus: tuple[str, ...]
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Request:
    award: str
    gpu_type: str
    gpus_at_once: int
    same_node: bool
    gpu_seconds: int
    earliest: int
    latest: int
    shortest_slot_seconds: int
    longest_slot_seconds: int
    weight: int


@dataclass(frozen=True, slots=True)
class ScheduleProblem:
    step_seconds: int
    gpus: tuple[Gpu, ...]
    closed: tuple[Closed, ...]
    fixed: tuple[Fixed, ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    award: str
    gpus: tuple[str, ...]
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Unplaced:
    award: str
    gpu_seconds: int
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    slots: tuple[Slot, ...]
    unplaced: tuple[Unplaced, ...]
    placed_gpu_seconds: int
    bound_gpu_seconds: int


def parse(value: Any) -> ScheduleProblem:
    """Reads a schedule bundle; raises BundleError with the path of what is wrong.

    `closed` and `fixed` may be left out.
    """
    top = Fields(value, "$")
    if top.text("format") != FORMAT:
        raise BundleError("$.format", f"this must be {FORMAT!r}")
    step_seconds = top.integer("step_seconds", least=1)
    gpus = tuple(_gpu(each) for each in top.objects("gpus"))
    refuse_twins((each.id, f"$.gpus[{n}].id") for n, each in enumerate(gpus))
    problem = ScheduleProblem(
        step_seconds=step_seconds,
        gpus=gpus,
        closed=tuple(_closed(each, gpus) for each in top.objects("closed", ())),
        fixed=tuple(_fixed(each, gpus) for each in top.objects("fixed", ())),
        requests=tuple(_request(each, step_seconds) for each in top.objects("requests")),
    )
    top.done()
    refuse_twins((each.slot, f"$.fixed[{n}].slot") for n, each in enumerate(problem.fixed))
    refuse_twins((each.award, f"$.requests[{n}].award") for n, each in enumerate(problem.requests))
    _refuse_endless(problem)
    return problem


def _gpu(fields: Fields) -> Gpu:
    gpu = Gpu(fields.name("id"), fields.name("node"), fields.name("gpu_type"))
    fields.done()
    return gpu


def _span(fields: Fields) -> tuple[int, int]:
    starts, ends = fields.integer("starts"), fields.integer("ends")
    if ends <= starts:
        raise BundleError(fields.at("ends"), "this must be later than starts")
    return starts, ends


def _closed(fields: Fields, gpus: tuple[Gpu, ...]) -> Closed:
    if ("gpu" in fields) == ("node" in fields):
        raise BundleError(fields.path, "a closed time names either a gpu or a node")
    by = "gpu" if "gpu" in fields else "node"
    name = fields.name(by)
    shut = tuple(each.id for each in gpus if name == (each.id if by == "gpu" else each.node))
    if not shut:
        raise BundleError(fields.at(by), f"there is no {by} {name!r}")
    closed = Closed(shut, *_span(fields))
    fields.done()
    return closed


def _fixed(fields: Fields, gpus: tuple[Gpu, ...]) -> Fixed:
    known = {each.id for each in gpus}
    held = []
    for value, path in fields.items("gpus"):
        if text(value, path) not in known:
            raise BundleError(path, f"there is no gpu {value!r}")
        held.append((value, path))
    refuse_twins(held)
    if not held:
        raise BundleError(fields.at("gpus"), "a slot holds at least one GPU")
    starts, ends = _span(fields)
    names = tuple(name for name, _ in held)
    fixed = Fixed(fields.name("slot"), fields.name("award"), names, starts, ends)
    fields.done()
    return fixed


def _request(fields: Fields, step_seconds: int) -> Request:
    request = Request(
        award=fields.name("award"),
        gpu_type=fields.name("gpu_type"),
        gpus_at_once=fields.integer("gpus_at_once", least=1),
        same_node=fields.boolean("same_node"),
        gpu_seconds=fields.integer("gpu_seconds", least=1),
        earliest=fields.integer("earliest"),
        latest=fields.integer("latest"),
        shortest_slot_seconds=fields.integer("shortest_slot_seconds"),
        longest_slot_seconds=fields.integer("longest_slot_seconds", least=1),
        weight=fields.integer("weight"),
    )
    if request.latest <= request.earliest:
        raise BundleError(fields.at("latest"), "this must be later than earliest")
    shortest = -(-request.shortest_slot_seconds // step_seconds)
    if request.longest_slot_seconds // step_seconds < max(1, shortest):
        raise BundleError(
            fields.at("longest_slot_seconds"),
            f"no multiple of the step ({step_seconds} s) lies between the shortest slot and this",
        )
    fields.done()
    return request


def _refuse_endless(problem: ScheduleProblem) -> None:
    if not problem.requests:
        return
    first = min(each.earliest for each in problem.requests)
    for n, request in enumerate(problem.requests):
        if (request.latest - first) // problem.step_seconds > MOST_STEPS:
            most = MOST_STEPS
            raise BundleError(
                f"$.requests[{n}].latest", f"this is more than {most} steps after the first start"
            )


def emit_plan(plan: Plan, *, input_sha256: str) -> dict[str, Any]:
    return {
        "format": RESULT_FORMAT,
        "input_sha256": input_sha256,
        "slots": [
            {"award": each.award, "gpus": list(each.gpus), "starts": each.starts, "ends": each.ends}
            for each in plan.slots
        ],
        "unplaced": [
            {"award": each.award, "gpu_seconds": each.gpu_seconds, "reason": each.reason}
            for each in plan.unplaced
        ],
        "placed_gpu_seconds": plan.placed_gpu_seconds,
        "bound_gpu_seconds": plan.bound_gpu_seconds,
    }
