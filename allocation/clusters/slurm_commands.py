"""Builds the commands that slurm.py runs: lists of arguments, and nothing is run here.

Equal changes go into one command, because a command costs a third of a second whether it names one account or
four hundred.
"""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath

from allocation.clusters.base import Change, DesiredReservation, Kind

Argv = list[str]

MARK = "openhours"
NAMES_IN_ONE_COMMAND = 400
PAIRS_IN_ONE_COMMAND = 100
"""People with accounts: Slurm's time for them grows with the square (400 took 4.3 s, 100 took 1 s)."""

ACCOUNT_FIELDS = "cluster,account,organization,user,grptresmins,grpjobs,maxjobs,maxsubmitjobs"
JOB_FIELDS = "JobIDRaw,Submit,Account,User,State,AllocTRES,ElapsedRaw,Start,End"
ENVIRONMENT = ["env", "-u", "SLURM_TIME_FORMAT", "-u", "SACCT_FORMAT", "TZ=UTC", "LC_ALL=C"]

SHOW_CONFIG: Argv = ["scontrol", "show", "config"]
SHOW_RESERVATIONS: Argv = ["scontrol", "-o", "show", "reservations"]
SHOW_NODES: Argv = ["scontrol", "-o", "show", "nodes"]
PING: Argv = ["scontrol", "ping"]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Commands that together do these changes."""

    commands: tuple[Argv, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Site:
    """What building a command needs to know of the cluster."""

    cluster: str
    partition: str
    cores_per_gpu: Mapping[str, int]
    """By node; empty where whole nodes are reserved."""
    now: datetime


def wrapped(prefix: Sequence[str], argv: Sequence[str]) -> Argv:
    """Puts the prefix in front. ssh hands its words to a shell over there, so they are quoted."""
    inner = [*ENVIRONMENT, *argv]
    if prefix and PurePath(prefix[0]).name == "ssh":
        return [*prefix, shlex.join(inner)]
    return [*prefix, *inner]


def show_accounts(cluster: str) -> Argv:
    """One read for accounts, our mark, people and limits."""
    where = ["where", f"cluster={cluster}"]
    return ["sacctmgr", "-nP", "show", "account", *where, "withassoc", f"format={ACCOUNT_FIELDS}"]


def show_user(user: str) -> Argv:
    return ["sacctmgr", "-nP", "show", "user", user, "format=user,adminlevel"]


def show_jobs(since: datetime, until: datetime, accounts: Sequence[str]) -> Argv:
    """Every run, also those that a requeue replaced."""
    some = [f"--accounts={','.join(accounts)}"] if accounts else []
    span = ["-S", stamp(since), "-E", stamp(until)]
    return ["sacct", "-nP", "-D", "-X", "-a", *span, *some, "-o", JOB_FIELDS]


def signal_jobs(account: str, signal: str) -> Argv:
    return ["scancel", f"--account={account}", "--state=RUNNING", "--full", f"--signal={signal}"]


def cancel_jobs(account: str) -> Argv:
    return ["scancel", f"--account={account}"]


def stamp(instant: datetime) -> str:
    """Slurm reads times without a zone; ENVIRONMENT makes that zone UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def batches(changes: Sequence[Change], site: Site) -> list[Batch]:
    """Groups changes into as few commands as possible, in the order in which they must happen."""
    by_kind: dict[Kind, list[Change]] = defaultdict(list)
    for change in changes:
        by_kind[change.kind].append(change)
    return [batch for kind in Kind for batch in _of_kind(kind, by_kind.get(kind, []), site)]


def _of_kind(kind: Kind, changes: list[Change], site: Site) -> Iterator[Batch]:
    if kind in (Kind.USER_ADD, Kind.USER_OPEN, Kind.USER_CLOSE):
        yield from _user_batches(kind, changes, site)
    elif kind in (Kind.LIMIT_SET, Kind.LIMIT_ZERO):
        by_minutes: dict[int, list[Change]] = defaultdict(list)
        for change in changes:
            by_minutes[change.limit_minutes or 0].append(change)
        for minutes, same in sorted(by_minutes.items()):
            yield from _account_batches(same, site, [f"GrpTRESMins=gres/gpu={minutes}"])
    elif kind in (Kind.HOLD, Kind.RELEASE):
        yield from _account_batches(changes, site, ["GrpJobs=0" if kind is Kind.HOLD else "GrpJobs=-1"])
    elif kind is Kind.ACCOUNT_ADD:
        for part in _parts(changes):
            name = f"name={_joined(part)}"
            marked = [f"Organization={MARK}", f"cluster={site.cluster}"]
            argv = ["sacctmgr", "-i", "add", "account", name, *marked]
            yield Batch(commands=(argv,), changes=tuple(part))
    elif kind is not Kind.UNKNOWN:
        for change in changes:
            yield Batch(commands=tuple(reservation_commands(change, site)), changes=(change,))


def _account_batches(changes: list[Change], site: Site, values: Argv) -> Iterator[Batch]:
    for part in _parts(changes):
        where = ["where", f"name={_joined(part)}", f"cluster={site.cluster}"]
        argv = ["sacctmgr", "-i", "modify", "account", *where, "set", *values]
        yield Batch(commands=(argv,), changes=tuple(part))


def _user_batches(kind: Kind, changes: list[Change], site: Site) -> Iterator[Batch]:
    """Accounts that get the same people share a command: Slurm takes each with each."""
    people: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        people[change.target].append(change)
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for account, of_account in people.items():
        alike[tuple(sorted(change.user for change in of_account))].append(account)
    for users, accounts in sorted(alike.items()):
        step = max(1, PAIRS_IN_ONE_COMMAND // len(users))
        for start in range(0, len(accounts), step):
            part = accounts[start : start + step]
            argv = _user_command(kind, ",".join(users), ",".join(part), site.cluster)
            yield Batch(commands=(argv,), changes=tuple(c for name in part for c in people[name]))


def _user_command(kind: Kind, users: str, accounts: str, cluster: str) -> Argv:
    which = [f"name={users}", f"account={accounts}", f"cluster={cluster}"]
    if kind is Kind.USER_ADD:
        return ["sacctmgr", "-i", "add", "user", *which]
    # Taking a person out fails while a job waits, and for their first account. Closing always holds.
    value = "0" if kind is Kind.USER_CLOSE else "-1"
    limits = [f"MaxJobs={value}", f"MaxSubmitJobs={value}"]
    return ["sacctmgr", "-i", "modify", "user", "where", *which, "set", *limits]


def reservation_commands(change: Change, site: Site) -> Iterator[Argv]:
    named = f"reservationname={change.target}"
    slot = change.reservation
    if change.kind in (Kind.RESERVATION_DELETE, Kind.RESERVATION_REPLACE):
        yield ["scontrol", "delete", named]
    if slot is None:
        return
    if change.kind is Kind.RESERVATION_UPDATE:
        begin = [f"starttime={stamp(slot.starts_at)}"] if slot.starts_at > site.now else []
        span = [*begin, f"endtime={stamp(slot.ends_at)}"]
        yield ["scontrol", "update", named, f"accounts={slot.account}", *span]
        return
    start = stamp(slot.starts_at) if slot.starts_at > site.now else "now"  # Slurm refuses a start in the past
    span = [f"starttime={start}", f"endtime={stamp(slot.ends_at)}"]
    part = [f"partition={site.partition}"] if site.partition else []
    place = [f"nodes={slot.node}", *_gpu_words(slot, site)]
    whom = [f"accounts={slot.account}", "flags=MAGNETIC"]  # the account's jobs find it without naming it
    yield ["scontrol", "create", "reservation", named, *whom, *span, *part, *place]


def over_running_jobs(argv: Argv) -> Argv:
    """The same reservation, laid over jobs that run now: they end in their own time, and no new ones start.

    Only the second choice, because without it Slurm takes the GPUs that are free.
    """
    if "create" in argv:
        return ["flags=MAGNETIC,IGNORE_JOBS" if word == "flags=MAGNETIC" else word for word in argv]
    return [*argv, "flags+=IGNORE_JOBS"]


def _gpu_words(slot: DesiredReservation, site: Site) -> Argv:
    """Always with the type: Slurm lays an untyped reservation over a typed one."""
    if not site.cores_per_gpu:
        return []
    count = len(slot.gpu_indexes)
    cores = max(1, site.cores_per_gpu.get(slot.node, 1)) * count
    return [f"corecnt={cores}", f"tres=gres/gpu:{slot.gpu_type}={count}"]


def _joined(changes: Sequence[Change]) -> str:
    return ",".join(change.target for change in changes)


def _parts(changes: list[Change]) -> Iterator[list[Change]]:
    for start in range(0, len(changes), NAMES_IN_ONE_COMMAND):
        yield changes[start : start + NAMES_IN_ONE_COMMAND]
