"""What a plan is made of: rows become a bundle for the engine, and its answer becomes slots on GPUs.

Called by reservations.plan, which alone writes; everything here only reads.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext as _

from allocation import engine, ledger
from allocation.desired import grouped
from allocation.logins import awards_on
from allocation.models import Account, Award, Cluster, Gpu, Reservation
from portal.lib.hours import say_hours

STEP_SECONDS = 900
SHORTEST_SECONDS, LONGEST_SECONDS = 3600, 24 * 3600
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Bundle = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class NewSlot:
    """GPUs of one node for one award over [starts_at, ends_at)."""

    award: Award
    gpus: tuple[Gpu, ...]
    starts_at: datetime
    ends_at: datetime
    is_whole_node: bool

    @property
    def gpu_seconds(self) -> int:
        return len(self.gpus) * int((self.ends_at - self.starts_at).total_seconds())

    def __str__(self) -> str:
        told = (
            _("%(account)s: all %(count)s GPUs of %(node)s, %(starts)s – %(ends)s UTC, %(hours)s hours")
            if self.is_whole_node
            else _(
                "%(account)s: %(count)s × %(type)s on %(node)s, %(starts)s – %(ends)s UTC, %(hours)s hours"
            )
        )
        return told % {
            "account": self.award.account_name,
            "count": len(self.gpus),
            "type": self.gpus[0].gpu_type.key,
            "node": self.gpus[0].node,
            "starts": f"{self.starts_at:%Y-%m-%d %H:%M}",
            "ends": f"{self.ends_at:%Y-%m-%d %H:%M}",
            "hours": say_hours(self.gpu_seconds),
        }


@dataclass(frozen=True, kw_only=True)
class Unit:
    """The smallest thing that can be reserved: one GPU, or a node with all of its GPUs."""

    key: str
    node: str
    kind: str
    gpus: tuple[Gpu, ...]


def reserved_gpu_seconds(awards: list[Award]) -> dict[int, int]:
    """What stands in slots of each award and is not metered yet: it is spoken for, wherever it is."""
    held: dict[int, int] = defaultdict(int)
    unread = Q(gpu__cluster__metered_to=None) | Q(ends_at__gt=F("gpu__cluster__metered_to"))
    rows = Reservation.objects.live().filter(unread, award__in=awards)
    columns = ("award", "starts_at", "ends_at", "gpu__cluster__metered_to")
    for award, starts_at, ends_at, metered_to in rows.values_list(*columns):
        held[award] += int((ends_at - max(starts_at, metered_to or BEGINNING)).total_seconds())
    return held


def free_gpu_seconds(awards: list[Award]) -> dict[int, int]:
    """Ready hours that no slot holds yet; less than nothing where too much is reserved."""
    standing, held = ledger.balances_of(awards), reserved_gpu_seconds(awards)
    return {award.pk: standing[award.pk][Account.READY] - held[award.pk] for award in awards}


def propose(cluster: Cluster, now: datetime) -> tuple[list[NewSlot], list[str]]:
    """The slots to add on a cluster, and in words what finds no place. The earliest fit wins."""
    awards = [award for award in awards_on(cluster) if award.paused_at is None and award.ends_at > now]
    units = _units(cluster)
    bundle = _bundle(cluster, awards, units, now)
    if not bundle["requests"]:
        return [], []
    answer = engine.schedule(bundle)
    by_account = {award.account_name: award for award in awards}
    by_key = {unit.key: unit for unit in units}
    slots = [_slot(found, by_account, by_key, cluster) for found in answer["slots"]]
    sizes = {request["award"]: _size(request["gpu_type"], units) for request in bundle["requests"]}
    return slots, [_say_unplaced(each, sizes[each["award"]]) for each in answer["unplaced"]]


def _units(cluster: Cluster) -> list[Unit]:
    """On a cluster that reserves nodes, each node is one thing; its kind says how many GPUs come with it."""
    gpus = list(cluster.gpus.select_related("gpu_type").order_by("pk"))
    if cluster.unit == "gpu":
        return [Unit(key=f"gpu{gpu.pk}", node=gpu.node, kind=gpu.gpu_type.key, gpus=(gpu,)) for gpu in gpus]
    by_node: dict[str, list[Gpu]] = defaultdict(list)
    for gpu in gpus:
        by_node[gpu.node].append(gpu)
    return [
        Unit(key=node, node=node, kind=f"{of_node[0].gpu_type.key}×{len(of_node)}", gpus=tuple(of_node))
        for node, of_node in by_node.items()
    ]


def _bundle(cluster: Cluster, awards: list[Award], units: list[Unit], now: datetime) -> Bundle:
    free = free_gpu_seconds(awards)
    had_slots = set(Reservation.objects.live().filter(award__in=awards).values_list("award", flat=True))
    requests = (_request(award, free[award.pk], award.pk in had_slots, units, now) for award in awards)
    return {
        "format": "openhours/schedule/1",
        "step_seconds": STEP_SECONDS,
        "gpus": [{"id": unit.key, "node": unit.node, "gpu_type": unit.kind} for unit in units],
        "closed": list(_closed(cluster, units, now)),
        "fixed": list(_fixed(cluster, units, now)),
        "requests": [request for request in requests if request is not None],
    }


def _closed(cluster: Cluster, units: list[Unit], now: datetime) -> Iterator[Bundle]:
    nodes = sorted({unit.node for unit in units})
    for closed in cluster.maintenances.filter(ends_at__gt=now).order_by("pk"):
        for node in nodes:
            if closed.node in ("", node):
                yield {"node": node, **_span(closed.starts_at, closed.ends_at)}


def _fixed(cluster: Cluster, units: list[Unit], now: datetime) -> Iterator[Bundle]:
    unit_of = {gpu.pk: unit.key for unit in units for gpu in unit.gpus}
    rows = Reservation.objects.live().filter(gpu__cluster=cluster, ends_at__gt=now)
    for slot in grouped(rows):
        yield {
            "slot": slot[0].slot_name,
            "award": slot[0].award.account_name,
            "gpus": sorted({unit_of[row.gpu_id] for row in slot}),
            **_span(slot[0].starts_at, slot[0].ends_at),
        }


def _span(starts_at: datetime, ends_at: datetime) -> Bundle:
    """Whole seconds that cover the span."""
    return {"starts": int(starts_at.timestamp()), "ends": -int(-ends_at.timestamp() // 1)}


def _request(award: Award, free: int, had_slots: bool, units: list[Unit], now: datetime) -> Bundle | None:
    """What to place for one award: one GPU at a time, unless its end is too near for that.

    Crumbs shorter than the shortest slot are left to jobs outside of slots, but for an award's only slot.
    """
    kind = _kind(award.pool.gpu_type.key, units)
    earliest = -int(-max(now, award.starts_at).timestamp() // STEP_SECONDS) * STEP_SECONDS
    latest = int(award.ends_at.timestamp()) // STEP_SECONDS * STEP_SECONDS
    steps = free // _size(kind, units) // STEP_SECONDS
    least = SHORTEST_SECONDS // STEP_SECONDS if had_slots else 1
    if steps < least or latest <= earliest:
        return None
    seconds = steps * STEP_SECONDS
    at_once = min(-(-seconds // (latest - earliest)), _most_on_a_node(kind, units))
    seconds -= seconds % (at_once * STEP_SECONDS)
    return {
        "award": award.account_name,
        "gpu_type": kind,
        "gpus_at_once": at_once,
        "same_node": True,
        "gpu_seconds": seconds,
        "earliest": earliest,
        "latest": latest,
        "shortest_slot_seconds": SHORTEST_SECONDS,
        "longest_slot_seconds": LONGEST_SECONDS,
        "weight": 1,
    }


def _kind(gpu_type: str, units: list[Unit]) -> str:
    """Of the kinds of units that hold this GPU type, the one with most GPUs in all."""
    totals: dict[str, int] = defaultdict(int)
    for unit in units:
        if unit.gpus[0].gpu_type.key == gpu_type:
            totals[unit.kind] += len(unit.gpus)
    return max(sorted(totals), key=lambda kind: totals[kind]) if totals else gpu_type


def _size(kind: str, units: list[Unit]) -> int:
    return next((len(unit.gpus) for unit in units if unit.kind == kind), 1)


def _most_on_a_node(kind: str, units: list[Unit]) -> int:
    count: dict[str, int] = defaultdict(int)
    for unit in units:
        if unit.kind == kind:
            count[unit.node] += 1
    return max(count.values(), default=1)


def _slot(found: Bundle, awards: dict[str, Award], units: dict[str, Unit], cluster: Cluster) -> NewSlot:
    gpus = [gpu for key in found["gpus"] for gpu in units[key].gpus]
    return NewSlot(
        award=awards[found["award"]],
        gpus=tuple(sorted(gpus, key=lambda gpu: gpu.pk)),
        starts_at=BEGINNING + timedelta(seconds=found["starts"]),
        ends_at=BEGINNING + timedelta(seconds=found["ends"]),
        is_whole_node=cluster.unit == "node",
    )


def _say_unplaced(unplaced: Bundle, size: int) -> str:
    told = {
        "too_few_gpus": _("%(account)s: %(hours)s hours find no place: the cluster has no such GPU."),
        "window_too_short": _("%(account)s: %(hours)s hours find no place: the award ends too soon."),
        "no_free_time": _("%(account)s: %(hours)s hours find no place: all GPUs are reserved until its end."),
    }
    hours = say_hours(unplaced["gpu_seconds"] * size)
    return told[unplaced["reason"]] % {"account": unplaced["award"], "hours": hours}
