"""A cluster that is made up, for demos and for trying the portal. It says so: is_simulated, and its help.

Web and worker share one JSON file; a lock keeps them apart. What happens inside is in simulated_world.
"""

import fcntl
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from allocation.clusters import comparison, words
from allocation.clusters.base import (
    AppliedChange,
    Capabilities,
    Change,
    ClusterAway,
    ClusterState,
    DesiredReservation,
    Finding,
    JobUsage,
    Kind,
    NodeGpu,
)
from allocation.clusters.simulated_world import (
    World,
    change_account,
    close_slot,
    covers,
    load,
    new_slot,
    open_slots,
    overlap,
    pass_time,
    save,
    state_of,
    stop,
    time_of,
    usage_of,
)


@dataclass(frozen=True, kw_only=True)
class SimulatedNode:
    """One pretended node."""

    name: str
    gpu_type: str
    gpus: int


class SimulatedDriver:
    """Keeps accounts, limits and slots as Slurm does, and makes jobs up as time passes."""

    is_simulated = True

    def __init__(
        self,
        *,
        name: str,
        file: Path,
        nodes: Sequence[SimulatedNode],
        by_node: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self.name = name
        self._file = file
        self._nodes = {node.name: node for node in nodes}
        self._by_node = by_node
        self._clock = clock

    def capabilities(self) -> Capabilities:
        return Capabilities(version="simulated", unit="node" if self._by_node else "gpu")

    def inventory(self) -> list[NodeGpu]:
        return [
            NodeGpu(node=node.name, index=index, gpu_type=node.gpu_type)
            for node in sorted(self._nodes.values(), key=lambda node: node.name)
            for index in range(node.gpus)
        ]

    def read_state(self) -> ClusterState:
        with self._opened() as world:
            return state_of(world)

    def commands_for(self, changes: Sequence[Change]) -> list[list[str]]:
        """The simulated cluster has no tools, so these words only show what would be told to a real one."""
        return [
            ["simulated", change.kind.value, change.target]
            for change in changes
            if not comparison.refusal(change)
        ]

    def apply(self, changes: Sequence[Change]) -> list[AppliedChange]:
        told = sorted(
            (change for change in changes if change.kind is not Kind.UNKNOWN),
            key=lambda change: comparison.APPLY_ORDER[change.kind],
        )
        with self._opened() as world:
            return [AppliedChange(change=change, failure=self._apply(world, change)) for change in told]

    def _apply(self, world: World, change: Change) -> str:
        if why := comparison.refusal(change):
            return words.refused(why)
        if change.kind.value.startswith("reservation_"):
            return self._apply_slot(world, change)
        account = world["accounts"].get(change.target)
        if account is None:
            if change.kind is not Kind.ACCOUNT_ADD:
                return words.not_shown()
            world["accounts"][change.target] = {"users": [], "closed": [], "minutes": None, "is_held": False}
            return ""
        change_account(account, change)
        return ""

    def _apply_slot(self, world: World, change: Change) -> str:
        now = self._clock()
        present = {slot["name"]: slot for slot in open_slots(world)}
        old = present.get(change.target)
        slot = change.reservation
        if slot is not None and not self._has_room(present.values(), slot):
            return words.no_room()
        if old is not None and change.kind in (Kind.RESERVATION_DELETE, Kind.RESERVATION_REPLACE):
            close_slot(world, old, now)
            old = None
        if slot is None:
            return ""
        if old is not None:
            old |= {"account": slot.account, "starts_at": slot.starts_at.isoformat()}
            old |= {"ends_at": slot.ends_at.isoformat()}
        else:
            world["slots"].append(new_slot(slot))
        return ""

    def _has_room(self, present: Collection[World], slot: DesiredReservation) -> bool:
        """Adds up what overlaps at each beginning; a peak can only be at one of them."""
        node = self._nodes.get(slot.node)
        if node is None or node.gpu_type != slot.gpu_type:
            return False
        near = [
            other
            for other in present
            if other["node"] == slot.node and other["name"] != slot.name and overlap(other, slot)
        ]
        if self._by_node:
            return not near
        starts = [slot.starts_at, *(max(time_of(other["starts_at"]), slot.starts_at) for other in near)]
        return all(
            len(slot.gpu_indexes) + sum(other["gpus"] for other in near if covers(other, at)) <= node.gpus
            for at in starts
        )

    def read_usage(self, since: datetime, until: datetime, accounts: Collection[str] = ()) -> list[JobUsage]:
        now = self._clock()
        with self._opened() as world:
            jobs = [usage_of(job, now) for job in world["jobs"]]
        return [
            job
            for job in jobs
            if job.starts_at is not None
            and job.starts_at < until
            and (job.ends_at is None or job.ends_at >= since)
            and (not accounts or job.account in accounts)
        ]

    def signal_jobs(self, account: str, signal: str = "TERM") -> None:
        """Made-up jobs do not listen; cancel_jobs ends them."""

    def cancel_jobs(self, account: str) -> None:
        now = self._clock()
        with self._opened() as world:
            for job in world["jobs"]:
                if job["account"] == account:
                    stop(job, now, "CANCELLED")

    def check(self) -> list[Finding]:
        return [Finding(what=words.simulated_notice(), ok=True)]

    def connect_help(self, account: str) -> list[str]:
        return words.simulated_help(account)

    @contextmanager
    def _opened(self) -> Iterator[World]:
        """The file under a lock, brought up to the present, and written back whole or not at all."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with open(self._file.with_suffix(".lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                world = load(self._file)
                before = json.dumps(world)
                pass_time(world, self._clock())
                yield world
                if json.dumps(world) != before:
                    save(self._file, world)
        except OSError as error:
            remedy = "Let the portal write there."
            raise ClusterAway(f"simulated cluster {self._file}", str(error), remedy) from error
