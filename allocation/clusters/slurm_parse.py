"""Reads what Slurm's tools print. Pure; slurm.py calls it, tests feed it recorded output of two versions."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from allocation.clusters import names
from allocation.clusters.base import AccountState, JobUsage, NodeGpu, ReservationState
from allocation.clusters.slurm_commands import MARK


class Unreadable(ValueError):
    """The output is not what this version of Slurm should print; it must not be acted upon."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The controller's configuration, and its clock when it answered."""

    values: dict[str, str]
    read_at: datetime

    @property
    def version(self) -> str:
        return self.values.get("SLURM_VERSION", "")

    @property
    def cluster(self) -> str:
        return self.values.get("ClusterName", "")


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node, with its GPUs by type."""

    name: str
    cores: int
    gpus: tuple[tuple[str, int], ...]
    state: str

    @property
    def cores_per_gpu(self) -> int:
        return self.cores // max(1, sum(count for _type, count in self.gpus))


def instant(text: str) -> datetime | None:
    """A time of Slurm in UTC; none for its words Unknown, None and N/A."""
    if not text or text[0].isalpha():
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise Unreadable(f"not a time: {text!r}") from error


def surely(text: str) -> datetime:
    found = instant(text)
    if found is None:
        raise Unreadable(f"a time is missing where one must be: {text!r}")
    return found


def whole(text: str) -> int:
    if not text.isdecimal():
        raise Unreadable(f"not a number: {text!r}")
    return int(text)


def config(text: str) -> Config:
    first, _newline, rest = text.partition("\n")
    told = re.fullmatch(r"Configuration data as of (\S+)", first.strip())
    if not told:
        raise Unreadable(f"not a configuration: {first[:80]!r}")
    pairs = (line.partition("=") for line in rest.splitlines() if "=" in line)
    return Config(values={key.strip(): value.strip() for key, _sign, value in pairs}, read_at=surely(told[1]))


def version_numbers(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", text)
    if not found:
        raise Unreadable(f"not a version: {text!r}")
    return int(found[1]), int(found[2])


def tres(text: str) -> dict[str, str]:
    """Takes cpu=8,gres/gpu:a100=2,gres/gpu=2 apart."""
    pairs = (item.partition("=") for item in text.split(",") if "=" in item)
    return {key: value for key, _sign, value in pairs}


def gpus(text: str) -> tuple[tuple[str, int], ...]:
    """GPUs by type. The untyped item counts the same ones once more: it serves where no type is told."""
    counted = tres(text)
    typed = {key.partition(":")[2]: whole(n) for key, n in counted.items() if key.startswith("gres/gpu:")}
    total = whole(counted.get("gres/gpu", "0"))
    if total > sum(typed.values()):
        typed[""] = total - sum(typed.values())
    return tuple(sorted((kind, count) for kind, count in typed.items() if count))


def fields(line: str) -> dict[str, str]:
    """A one-line record of scontrol -o; a value ends where the next Key= begins."""
    found = re.findall(r"(\w[\w:/-]*)=(\S*)", line)
    record: dict[str, str] = {}
    for key, value in found:
        record.setdefault(key, value)
    return record


def reservations(text: str) -> dict[str, ReservationState]:
    if text.strip() in ("", "No reservations in the system"):
        return {}
    return {slot.name: slot for slot in map(_reservation, _records(text, "ReservationName="))}


def _reservation(line: str) -> ReservationState:
    record = fields(line)
    try:
        told = record["Accounts"]
        return ReservationState(
            name=record["ReservationName"],
            accounts=frozenset() if told == "(null)" else frozenset(told.split(",")),
            nodes=record["Nodes"],
            starts_at=surely(record["StartTime"]),
            ends_at=surely(record["EndTime"]),
            gpus=gpus(record.get("TRES", "")),
        )
    except KeyError as missing:
        raise Unreadable(f"a reservation without {missing}") from missing


def nodes(text: str) -> list[Node]:
    return [_node(fields(line)) for line in _records(text, "NodeName=")]


def _node(record: dict[str, str]) -> Node:
    try:
        threads = max(1, whole(record["ThreadsPerCore"]))
        return Node(
            name=record["NodeName"],
            cores=whole(record["CPUTot"]) // threads,
            gpus=gpus(record.get("CfgTRES", "")),
            state=record["State"],
        )
    except KeyError as missing:
        raise Unreadable(f"a node without {missing}") from missing


def inventory(found: list[Node]) -> list[NodeGpu]:
    """Numbers each node's GPUs in the order of their types, as Slurm does."""
    rows = []
    for node in sorted(found, key=lambda node: node.name):
        types = [kind for kind, count in node.gpus for _each in range(count)]
        rows += [NodeGpu(node=node.name, index=i, gpu_type=kind) for i, kind in enumerate(types)]
    return rows


def _records(text: str, start: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.strip():
            continue
        if not line.startswith(start):
            raise Unreadable(f"expected {start} and found {line[:80]!r}")
        yield line


def accounts(text: str, cluster: str) -> dict[str, AccountState]:
    """Accounts of one cluster with people and limits. Without Slurm's own root the answer was cut."""
    rows: dict[str, list[list[str]]] = defaultdict(list)
    for line in text.splitlines():
        row = line.split("|")
        if len(row) != 8:
            raise Unreadable(f"expected 8 columns and found {line[:80]!r}")
        if row[0] == cluster:
            rows[row[1]].append(row)
    if "root" not in rows:
        raise Unreadable(f"the account root of cluster {cluster!r} is missing")
    return {name: _account(name, of_account) for name, of_account in rows.items()}


def _account(name: str, rows: list[list[str]]) -> AccountState:
    own = next((row for row in rows if not row[3]), None)
    people = [row for row in rows if row[3]]
    open_users = frozenset(row[3] for row in people if row[7] != "0")
    minutes = tres(own[4]).get("gres/gpu") if own else None
    return AccountState(
        name=name,
        is_marked=rows[0][2] == MARK,
        users=open_users,
        closed_users=frozenset(row[3] for row in people) - open_users,
        limit_minutes=whole(minutes) if minutes is not None else None,
        is_held=bool(own and own[5] == "0"),
    )


def jobs(text: str) -> list[JobUsage]:
    """Runs that began, of accounts with our kind of name."""
    return [job for line in text.splitlines() if (job := _job(line))]


def _job(line: str) -> JobUsage | None:
    row = line.split("|")
    if len(row) != 9:
        raise Unreadable(f"expected 9 columns and found {line[:80]!r}")
    job_id, submit, account, user, state, allocated, elapsed, start, end = row
    began = instant(start)
    if began is None or not names.is_account(account):
        return None
    held = gpus(allocated)
    return JobUsage(
        job_id=job_id,
        submit_at=surely(submit),
        account=account,
        user=user,
        state=state.split(" ")[0],  # "CANCELLED by 0"
        gpus=sum(count for _type, count in held),
        gpu_type="+".join(kind for kind, _count in held),
        elapsed_seconds=whole(elapsed),
        starts_at=began,
        ends_at=instant(end),
    )
