"""Pure comparison of what shall be on a cluster with what is there. Called by reconcile and by the drivers.

Ours is what has our mark and a generated name. Everything else is left alone; what looks half ours is told.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from allocation.clusters import names
from allocation.clusters.base import (
    AccountState,
    Capabilities,
    Change,
    ClusterState,
    DesiredAccount,
    DesiredReservation,
    DesiredState,
    Finding,
    Kind,
    NodeGpu,
    ReservationState,
)

CLOCK_STEP = timedelta(seconds=2)
"""A cluster may note a time one second off; less than this is no difference."""

APPLY_ORDER = {kind: place for place, kind in enumerate(Kind)}


def limit_minutes(gpu_seconds: int) -> int:
    """Clusters count whole minutes; rounding up shorts nobody, and metering is exact anyway."""
    return max(0, -(-gpu_seconds // 60))


def compare(
    desired: DesiredState, state: ClusterState, capabilities: Capabilities, now: datetime
) -> list[Change]:
    """Lists every change that makes the cluster as desired, in the order to apply them."""
    changes = [
        *_account_changes(desired.accounts, state),
        *_reservation_changes(desired, state, capabilities, now),
    ]
    return sorted(changes, key=lambda change: (APPLY_ORDER[change.kind], change.target, change.user))


def is_ours(account: AccountState) -> bool:
    return account.is_marked and names.is_account(account.name)


def _account_changes(desired: Iterable[DesiredAccount], state: ClusterState) -> Iterator[Change]:
    wanted = {account.name: account for account in desired}
    for name, account in wanted.items():
        found = state.accounts.get(name)
        if found is None:
            yield Change(kind=Kind.ACCOUNT_ADD, target=name)
            yield from _settle(account, AccountState(name=name, is_marked=True))
        elif is_ours(found):
            yield from _settle(account, found)
        else:
            yield Change(kind=Kind.UNKNOWN, target=name, note="account_without_our_mark")
    for name, found in state.accounts.items():
        if name in wanted:
            continue
        if is_ours(found):
            yield from _empty(found)
        elif found.is_marked or names.is_account(name):
            yield Change(kind=Kind.UNKNOWN, target=name, note="account_half_ours")


def _settle(wanted: DesiredAccount, found: AccountState) -> Iterator[Change]:
    for user in sorted(wanted.users - found.users):
        kind = Kind.USER_OPEN if user in found.closed_users else Kind.USER_ADD
        yield Change(kind=kind, target=wanted.name, user=user)
    for user in sorted(found.users - wanted.users):
        yield Change(kind=Kind.USER_CLOSE, target=wanted.name, user=user)
    minutes = limit_minutes(wanted.limit_gpu_seconds)
    if found.limit_minutes != minutes:
        yield Change(kind=Kind.LIMIT_SET, target=wanted.name, limit_minutes=minutes)
    if wanted.is_held != found.is_held:
        yield Change(kind=Kind.HOLD if wanted.is_held else Kind.RELEASE, target=wanted.name)


def _empty(found: AccountState) -> Iterator[Change]:
    """An account that is no longer wanted stays for its history, without hours and without people."""
    if found.limit_minutes != 0:
        yield Change(kind=Kind.LIMIT_ZERO, target=found.name, limit_minutes=0)
    for user in sorted(found.users):
        yield Change(kind=Kind.USER_CLOSE, target=found.name, user=user)


def _reservation_changes(
    desired: DesiredState, state: ClusterState, capabilities: Capabilities, now: datetime
) -> Iterator[Change]:
    known = {account.name for account in desired.accounts} | set(state.accounts)
    wanted = {slot.name: slot for slot in desired.reservations if slot.ends_at > now}
    for name, slot in wanted.items():
        found = state.reservations.get(name)
        if found is None:
            yield Change(kind=Kind.RESERVATION_CREATE, target=name, reservation=slot)
        elif kind := _slot_difference(slot, found, capabilities, now):
            yield Change(kind=kind, target=name, reservation=slot)
    for name, found in state.reservations.items():
        if name in wanted:
            continue
        if names.account_of_slot(name) in found.accounts:
            # One that has just ended goes by itself, or here, whichever comes first.
            yield Change(kind=Kind.RESERVATION_DELETE, target=name)
        elif names.is_slot(name) or any(names.is_account(a) and a in known for a in found.accounts):
            yield Change(kind=Kind.UNKNOWN, target=name, note="reservation_half_ours")


def _slot_difference(
    wanted: DesiredReservation, found: ReservationState, capabilities: Capabilities, now: datetime
) -> Kind | None:
    has_place = found.nodes == wanted.node and (
        capabilities.unit == "node" or dict(found.gpus) == {wanted.gpu_type: len(wanted.gpu_indexes)}
    )
    start_is_right = _same_start(wanted.starts_at, found.starts_at, now)
    if not has_place or (not start_is_right and found.starts_at <= now):
        return Kind.RESERVATION_REPLACE  # a slot that began cannot begin again, nor move to other GPUs
    end_is_right = abs(found.ends_at - wanted.ends_at) < CLOCK_STEP
    if start_is_right and end_is_right and found.accounts == {wanted.account}:
        return None
    return Kind.RESERVATION_UPDATE


def _same_start(wanted: datetime, found: datetime, now: datetime) -> bool:
    """A slot that was made late began when it was made; once both have begun there is no difference."""
    return abs(found - wanted) < CLOCK_STEP or (wanted <= now and found <= now + CLOCK_STEP)


def holds(change: Change, state: ClusterState, capabilities: Capabilities, now: datetime) -> bool:
    """Tells from a fresh reading whether a change is done; exit codes are not to be trusted for it."""
    match change.kind:
        case Kind.RESERVATION_DELETE:
            return change.target not in state.reservations
        case Kind.RESERVATION_CREATE | Kind.RESERVATION_UPDATE | Kind.RESERVATION_REPLACE:
            found = state.reservations.get(change.target)
            slot = change.reservation
            if slot is None or found is None:
                return False
            return _slot_difference(slot, found, capabilities, now) is None
        case _:
            account = state.accounts.get(change.target)
            return account is not None and _account_holds(change, account)


def _account_holds(change: Change, account: AccountState) -> bool:
    match change.kind:
        case Kind.ACCOUNT_ADD:
            return is_ours(account)
        case Kind.USER_ADD | Kind.USER_OPEN:
            return change.user in account.users
        case Kind.USER_CLOSE:
            return change.user not in account.users
        case Kind.LIMIT_SET | Kind.LIMIT_ZERO:
            return account.limit_minutes == change.limit_minutes
        case Kind.HOLD | Kind.RELEASE:
            return account.is_held == (change.kind is Kind.HOLD)
        case _:
            return False


def refusal(change: Change) -> str:
    """Why a change must never reach a command line; empty for a clean one."""
    slot = change.reservation
    checks = {
        "unknown": change.kind is not Kind.UNKNOWN,
        "name": names.is_slot(change.target) if _is_about_a_slot(change) else names.is_account(change.target),
        "user": not change.user or names.is_user(change.user),
    }
    if slot is not None:
        checks |= {
            "name": slot.name == change.target and names.account_of_slot(slot.name) == slot.account,
            "node": names.is_node(slot.node),
            "gpu_type": names.is_gpu_type(slot.gpu_type),
            "gpus": len(slot.gpu_indexes) > 0,
        }
    return next((what for what, is_right in checks.items() if not is_right), "")


def _is_about_a_slot(change: Change) -> bool:
    return change.kind.value.startswith("reservation_")


def inventory_differences(expected: Collection[NodeGpu], found: Sequence[NodeGpu]) -> list[Finding]:
    """Compares the portal's GPUs with the cluster's, a line for each node that differs."""
    findings = []
    for node in sorted({gpu.node for gpu in (*expected, *found)}):
        ours = sorted(gpu.gpu_type for gpu in expected if gpu.node == node)
        theirs = sorted(gpu.gpu_type for gpu in found if gpu.node == node)
        if ours != theirs:
            told = f"portal {', '.join(ours) or '–'}; cluster {', '.join(theirs) or '–'}"
            findings.append(Finding(what=f"{node}: {told}", ok=False))
    return findings
