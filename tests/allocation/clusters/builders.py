"""What tests of the drivers wish for a cluster, in few words."""

from datetime import UTC, datetime, timedelta

from allocation.clusters import names
from allocation.clusters.base import (
    AppliedChange,
    Capabilities,
    DesiredAccount,
    DesiredReservation,
    DesiredState,
    Driver,
)
from allocation.clusters.comparison import compare

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SINGLE_GPUS = Capabilities(version="24.11.5", unit="gpu")
WHOLE_NODES = Capabilities(version="22.05.8", unit="node")
FIRST = "gaaaaaaaa"
SECOND = "gbbbbbbbb"


def account(
    name: str = FIRST, *, users: tuple[str, ...] = ("games",), hours: int = 10, is_held: bool = False
) -> DesiredAccount:
    return DesiredAccount(name=name, users=frozenset(users), limit_gpu_seconds=hours * 3600, is_held=is_held)


def slot(
    name: str = FIRST,
    number: int = 1,
    *,
    node: str = "box1",
    gpus: int = 2,
    starts_at: datetime = NOON,
    hours: float = 1,
) -> DesiredReservation:
    return DesiredReservation(
        name=names.slot_name(name, number),
        account=name,
        node=node,
        gpu_indexes=tuple(range(gpus)),
        gpu_type="a100",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=hours),
    )


def desired(*parts: DesiredAccount | DesiredReservation) -> DesiredState:
    return DesiredState(
        accounts=tuple(part for part in parts if isinstance(part, DesiredAccount)),
        reservations=tuple(part for part in parts if isinstance(part, DesiredReservation)),
    )


def reconcile(driver: Driver, wanted: DesiredState, now: datetime) -> list[AppliedChange]:
    """As the command does: read, compare, apply."""
    return driver.apply(compare(wanted, driver.read_state(), driver.capabilities(), now))
