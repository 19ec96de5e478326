"""What the portal and a cluster say to each other: typed rows, and the protocol that every driver keeps.

The stage functions (reservations, usage) and the commands plan, reconcile, meter and checkcluster call
drivers only through these. Nothing here touches the outside.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

Unit = Literal["gpu", "node"]


class ClusterAway(Exception):
    """The cluster did not answer, or not so that it can be trusted. Nothing was changed because of it."""

    def __init__(self, tried: str, said: str, remedy: str) -> None:
        super().__init__(f"{tried}: {said} {remedy}".strip())
        self.tried = tried
        self.said = said
        self.remedy = remedy


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What this cluster can do. `unit` is the smallest thing that a reservation can hold."""

    version: str
    unit: Unit


@dataclass(frozen=True, kw_only=True, order=True)
class NodeGpu:
    """One GPU of one node."""

    node: str
    index: int
    gpu_type: str


@dataclass(frozen=True, kw_only=True)
class DesiredAccount:
    """An award as the cluster shall know it."""

    name: str
    users: frozenset[str]
    limit_gpu_seconds: int
    is_held: bool = False


@dataclass(frozen=True, kw_only=True)
class DesiredReservation:
    """GPUs of one node held for one account over [starts_at, ends_at).

    A cluster picks single GPUs by count and type; gpu_indexes say which ones the portal counts on.
    """

    name: str
    account: str
    node: str
    gpu_indexes: tuple[int, ...]
    gpu_type: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class DesiredState:
    """All that shall be on one cluster for us."""

    accounts: tuple[DesiredAccount, ...] = ()
    reservations: tuple[DesiredReservation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AccountState:
    """An account found on the cluster. `closed_users` still belong to it but can start nothing."""

    name: str
    is_marked: bool
    users: frozenset[str] = frozenset()
    closed_users: frozenset[str] = frozenset()
    limit_minutes: int | None = None
    is_held: bool = False


@dataclass(frozen=True, kw_only=True)
class ReservationState:
    """A reservation found on the cluster. `gpus` counts by type; where nodes are held it is empty."""

    name: str
    accounts: frozenset[str]
    nodes: str
    starts_at: datetime
    ends_at: datetime
    gpus: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ClusterState:
    """What was read from a cluster in one go."""

    accounts: dict[str, AccountState] = field(default_factory=dict)
    reservations: dict[str, ReservationState] = field(default_factory=dict)


class Kind(StrEnum):
    """What a change does; the order of the members is the order in which they are applied."""

    RESERVATION_DELETE = "reservation_delete"
    LIMIT_ZERO = "limit_zero"
    USER_CLOSE = "user_close"
    ACCOUNT_ADD = "account_add"
    USER_ADD = "user_add"
    USER_OPEN = "user_open"
    LIMIT_SET = "limit_set"
    HOLD = "hold"
    RELEASE = "release"
    RESERVATION_UPDATE = "reservation_update"
    RESERVATION_REPLACE = "reservation_replace"
    RESERVATION_CREATE = "reservation_create"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference between what shall be and what is. UNKNOWN is only told, never acted upon."""

    kind: Kind
    target: str
    user: str = ""
    limit_minutes: int | None = None
    reservation: DesiredReservation | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class AppliedChange:
    """What became of a change; `failure` is empty when the cluster shows it."""

    change: Change
    failure: str = ""

    @property
    def ok(self) -> bool:
        return not self.failure


@dataclass(frozen=True, kw_only=True)
class JobUsage:
    """What one run of one job held. (cluster, job_id, submit_at) names it: a requeue is a new run."""

    job_id: str
    submit_at: datetime
    account: str
    user: str
    state: str
    gpus: int
    gpu_type: str
    elapsed_seconds: int
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def gpu_seconds(self) -> int:
        return self.gpus * self.elapsed_seconds


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at on a cluster; `remedy` says which line goes where when it is not right."""

    what: str
    ok: bool
    remedy: str = ""


class Driver(Protocol):
    """Speaks to one cluster. Every method may raise ClusterAway."""

    name: str
    is_simulated: bool

    def capabilities(self) -> Capabilities:
        """The version and the unit of reservation."""

    def inventory(self) -> list[NodeGpu]:
        """Every GPU, ordered by node and index."""

    def read_state(self) -> ClusterState:
        """Accounts and reservations as they are now; costs the same for one account as for a thousand."""

    def commands_for(self, changes: Sequence[Change]) -> list[list[str]]:
        """What apply would run, for --dry-run."""

    def apply(self, changes: Sequence[Change]) -> list[AppliedChange]:
        """Does each change and reads back whether it holds; one that fails does not stop the others."""

    def read_usage(self, since: datetime, until: datetime, accounts: Collection[str] = ()) -> list[JobUsage]:
        """Runs of our accounts' jobs that touch [since, until), each with its whole elapsed time."""

    def signal_jobs(self, account: str, signal: str = "TERM") -> None:
        """Tells the account's running jobs that their time ends."""

    def cancel_jobs(self, account: str) -> None:
        """Ends the account's jobs, running and waiting."""

    def check(self) -> list[Finding]:
        """What must be on for limits, reservations and metering to be true."""

    def connect_help(self, account: str) -> list[str]:
        """Lines that tell an applicant how to run a job there."""
