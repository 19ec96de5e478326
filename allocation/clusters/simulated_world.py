"""The made-up world of a simulated cluster: what its file holds, how time passes. simulated.py calls it.

Jobs follow from the slots alone: each slot gets one, whose beginning and length come from the slot's name, so
that two runs of a demo show the same figures.
"""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from allocation.clusters.base import (
    AccountState,
    Change,
    ClusterState,
    DesiredReservation,
    JobUsage,
    Kind,
    ReservationState,
)

World = dict[str, Any]
"""{"accounts": {name: …}, "slots": [slot, …], "jobs": [job, …]}; times in ISO."""


def load(file: Path) -> World:
    if not file.exists():
        return {"accounts": {}, "slots": [], "jobs": []}
    loaded: World = json.loads(file.read_text())
    return loaded


def save(file: Path, world: World) -> None:
    fresh = file.with_suffix(".new")
    with open(fresh, "w") as handle:
        json.dump(world, handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(file)


def state_of(world: World) -> ClusterState:
    accounts = {
        name: AccountState(
            name=name,
            is_marked=True,
            users=frozenset(account["users"]),
            closed_users=frozenset(account["closed"]),
            limit_minutes=account["minutes"],
            is_held=account["is_held"],
        )
        for name, account in world["accounts"].items()
    }
    reservations = {
        slot["name"]: ReservationState(
            name=slot["name"],
            accounts=frozenset([slot["account"]]),
            nodes=slot["node"],
            starts_at=time_of(slot["starts_at"]),
            ends_at=time_of(slot["ends_at"]),
            gpus=((slot["gpu_type"], slot["gpus"]),),
        )
        for slot in open_slots(world)
    }
    return ClusterState(accounts=accounts, reservations=reservations)


def change_account(account: World, change: Change) -> None:
    match change.kind:
        case Kind.USER_ADD | Kind.USER_OPEN:
            account["users"] = sorted({*account["users"], change.user})
            account["closed"] = [user for user in account["closed"] if user != change.user]
        case Kind.USER_CLOSE:
            account["users"] = [user for user in account["users"] if user != change.user]
            account["closed"] = sorted({*account["closed"], change.user})
        case Kind.LIMIT_SET | Kind.LIMIT_ZERO:
            account["minutes"] = change.limit_minutes
        case Kind.HOLD | Kind.RELEASE:
            account["is_held"] = change.kind is Kind.HOLD


def new_slot(slot: DesiredReservation) -> World:
    return {
        "name": slot.name,
        "account": slot.account,
        "node": slot.node,
        "gpu_type": slot.gpu_type,
        "gpus": len(slot.gpu_indexes),
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
        "is_closed": False,
        "has_run": False,
        "has_waited": False,
    }


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def open_slots(world: World) -> list[World]:
    return [slot for slot in world["slots"] if not slot["is_closed"]]


def overlap(other: World, slot: DesiredReservation) -> bool:
    return time_of(other["starts_at"]) < slot.ends_at and slot.starts_at < time_of(other["ends_at"])


def covers(other: World, at: datetime) -> bool:
    return time_of(other["starts_at"]) <= at < time_of(other["ends_at"])


def pass_time(world: World, now: datetime) -> None:
    """Lets begin what is due, end what is over, and forget slots that have passed."""
    for slot in sorted(open_slots(world), key=lambda slot: (slot["starts_at"], slot["name"])):
        if not slot["has_run"]:
            _begin_job(world, slot, now)
        if time_of(slot["ends_at"]) <= now:
            slot["is_closed"] = True


def _begin_job(world: World, slot: World, now: datetime) -> None:
    """One job a slot: it begins in the first twentieth and takes 80 to 97 hundredths of the slot."""
    rng = Random(slot["name"])  # noqa: S311 (figures for a demo, not secrets)
    starts_at, ends_at = time_of(slot["starts_at"]), time_of(slot["ends_at"])
    length = ends_at - starts_at
    begins_at = starts_at + _share(length, rng.randint(0, 30))
    lasts = _share(length, rng.randint(800, 970))
    if begins_at > now:
        return
    account = world["accounts"].get(slot["account"])
    left = _seconds_left(world, slot["account"])
    if account is None or not account["users"] or account["is_held"] or left < slot["gpus"]:
        slot["has_waited"] = True
        return
    begins_at = now.replace(microsecond=0) if slot["has_waited"] else begins_at
    lasts = min(lasts, ends_at - begins_at, timedelta(seconds=left // slot["gpus"]))
    if lasts <= timedelta(0):
        return
    slot["has_run"] = True
    world["jobs"].append(
        {
            "id": str(len(world["jobs"]) + 1),
            "slot": slot["name"],
            "account": slot["account"],
            "user": rng.choice(account["users"]),
            "gpus": slot["gpus"],
            "gpu_type": slot["gpu_type"],
            "starts_at": begins_at.isoformat(),
            "ends_at": (begins_at + lasts).isoformat(),
            "state": "COMPLETED",
        }
    )


def _share(length: timedelta, thousandths: int) -> timedelta:
    return timedelta(seconds=int(length.total_seconds()) * thousandths // 1000)


def _seconds_left(world: World, name: str) -> int:
    """What the limit leaves, running jobs counted to their end: a job that could pass it does not begin."""
    minutes = world["accounts"].get(name, {}).get("minutes")
    if minutes is None:
        return 10**12
    planned = sum(_planned(job) for job in world["jobs"] if job["account"] == name)
    return max(0, int(minutes) * 60 - planned)


def _planned(job: World) -> int:
    seconds = int((time_of(job["ends_at"]) - time_of(job["starts_at"])).total_seconds())
    return int(job["gpus"]) * seconds


def close_slot(world: World, slot: World, now: datetime) -> None:
    slot["is_closed"] = True
    for job in world["jobs"]:
        if job["slot"] == slot["name"]:
            stop(job, now, "CANCELLED")


def stop(job: World, now: datetime, state: str) -> None:
    if time_of(job["starts_at"]) < now < time_of(job["ends_at"]):
        job |= {"ends_at": now.replace(microsecond=0).isoformat(), "state": state}


def usage_of(job: World, now: datetime) -> JobUsage:
    starts_at, ends_at = time_of(job["starts_at"]), time_of(job["ends_at"])
    is_over = ends_at <= now
    return JobUsage(
        job_id=job["id"],
        submit_at=starts_at,
        account=job["account"],
        user=job["user"],
        state=job["state"] if is_over else "RUNNING",
        gpus=job["gpus"],
        gpu_type=job["gpu_type"],
        elapsed_seconds=int(((ends_at if is_over else now) - starts_at).total_seconds()),
        starts_at=starts_at,
        ends_at=ends_at if is_over else None,
    )
