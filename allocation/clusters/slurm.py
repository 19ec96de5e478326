"""The Slurm driver, and the only place that starts Slurm's tools. open_driver makes it.

A failed reading raises ClusterAway and changes nothing. Whether a change took hold is read back, because
Slurm's exit codes call a repeated success a failure.
"""

import os
import re
import signal as signals
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from allocation.clusters import comparison, names, slurm_check, slurm_commands, slurm_parse, words
from allocation.clusters.base import (
    AppliedChange,
    Capabilities,
    Change,
    ClusterAway,
    ClusterState,
    Finding,
    JobUsage,
    Kind,
    NodeGpu,
)
from allocation.clusters.slurm_commands import Argv, Batch, Site

Parsed = TypeVar("Parsed")

OLDEST = (22, 5)
SINGLE_GPUS_SINCE = (24, 11)
PATIENCE_SECONDS = 1.0
"""After this long without an answer the controller is asked whether it is there at all."""

NOTHING_TO_DO = re.compile(r"nothing (new )?(added|modified)|didn't affect anything", re.IGNORECASE)
BUSY = re.compile(r"nodes are busy", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Output:
    """A finished command."""

    code: int
    text: str
    errors: str

    @property
    def said(self) -> str:
        """The line that tells most: the first complaint."""
        lines = (self.errors.strip() or self.text.strip()).splitlines()
        return lines[0].strip() if lines else f"exit status {self.code}"


class Shell:
    """Runs commands behind the prefix, each to its end or to its time limit."""

    def __init__(self, prefix: Sequence[str], limit_seconds: float) -> None:
        self.prefix = tuple(prefix)
        self.limit_seconds = limit_seconds

    def run(self, argv: Argv) -> Output:
        """Reads all that the command prints: a tool that is cut off early does not save what it did."""
        full = slurm_commands.wrapped(self.prefix, argv)
        process = self._start(full, argv)
        patience = min(PATIENCE_SECONDS, self.limit_seconds) if argv[0] == "scontrol" else self.limit_seconds
        try:
            text, errors = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            text, errors = self._wait_on(process, argv, self.limit_seconds - patience)
        if process.returncode == 255 and argv != full[-len(argv) :]:
            raise _away(argv, errors.strip(), "Check the login in the cluster's prefix.")
        return Output(code=process.returncode, text=text, errors=errors)

    def _start(self, full: Argv, argv: Argv) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                full,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise _away(argv, str(error), "Check the prefix, and that slurm-client is there.") from error

    def _wait_on(self, process: subprocess.Popen[str], argv: Argv, seconds: float) -> tuple[str, str]:
        """A dead controller keeps its clients for nine seconds; ping tells at once."""
        if seconds > 0 and self._answers_ping():
            try:
                return process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                pass
        os.killpg(process.pid, signals.SIGKILL)
        process.communicate()
        raise _away(argv, "no answer in time.", "See whether slurmctld and slurmdbd run and can be reached.")

    def _answers_ping(self) -> bool:
        full = slurm_commands.wrapped(self.prefix, slurm_commands.PING)
        try:
            ping = subprocess.run(
                full, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=self.limit_seconds
            )
        except subprocess.TimeoutExpired:
            return False
        return ping.returncode == 0 and " is UP" in ping.stdout


def _away(argv: Argv, said: str, remedy: str) -> ClusterAway:
    return ClusterAway(" ".join(argv[:4]), said, remedy)


class SlurmDriver:
    """Speaks to one Slurm cluster, 22.05 (whole nodes) or 24.11 and later (single GPUs)."""

    is_simulated = False

    def __init__(
        self,
        *,
        name: str = "slurm",
        prefix: Sequence[str] = (),
        partition: str = "",
        login: str = "",
        limit_seconds: float = 15,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self.partition = partition
        self.login = login
        self._shell = Shell(prefix, limit_seconds)
        self._clock = clock
        self._config: slurm_parse.Config | None = None

    def capabilities(self) -> Capabilities:
        config = self._config or self._read_config()
        numbers = self._parse(slurm_commands.SHOW_CONFIG, slurm_parse.version_numbers, config.version)
        if numbers < OLDEST:
            remedy = "Openhours needs Slurm 22.05 or later."
            raise _away(slurm_commands.SHOW_CONFIG, f"this is Slurm {config.version}.", remedy)
        return Capabilities(version=config.version, unit="gpu" if numbers >= SINGLE_GPUS_SINCE else "node")

    def inventory(self) -> list[NodeGpu]:
        return slurm_parse.inventory(self._read(slurm_commands.SHOW_NODES, slurm_parse.nodes))

    def read_state(self) -> ClusterState:
        cluster = self._read_config().cluster
        argv = slurm_commands.show_accounts(cluster)
        accounts = self._read(argv, lambda text: slurm_parse.accounts(text, cluster))
        reservations = self._read(slurm_commands.SHOW_RESERVATIONS, slurm_parse.reservations)
        return ClusterState(accounts=accounts, reservations=reservations)

    def commands_for(self, changes: Sequence[Change]) -> list[list[str]]:
        clean = [change for change in changes if not comparison.refusal(change)]
        return [
            slurm_commands.wrapped(self._shell.prefix, argv)
            for batch in slurm_commands.batches(clean, self._site(clean))
            for argv in batch.commands
        ]

    def apply(self, changes: Sequence[Change]) -> list[AppliedChange]:
        told = [change for change in changes if change.kind is not Kind.UNKNOWN]
        failures = {change: words.refused(why) for change in told if (why := comparison.refusal(change))}
        clean = [change for change in told if change not in failures]
        if clean:
            failures |= self._settle(clean)
        return [AppliedChange(change=change, failure=failures.get(change, "")) for change in told]

    def _settle(self, clean: Sequence[Change]) -> dict[Change, str]:
        """Runs the batches, then keeps only the failures that a fresh reading confirms."""
        said: dict[Change, str] = {}
        try:
            for batch in slurm_commands.batches(clean, self._site(clean)):
                said |= self._run_batch(batch)
            state = self.read_state()
        except ClusterAway as away:
            return {change: words.not_tried(str(away)) for change in clean}
        can, now = self.capabilities(), self._clock()
        missing = [change for change in clean if not comparison.holds(change, state, can, now)]
        return {change: said.get(change) or words.not_shown() for change in missing}

    def _run_batch(self, batch: Batch) -> dict[Change, str]:
        """One bad name fails a whole command; then each change gets its own."""
        failure = self._run_all(batch.commands)
        if failure and len(batch.changes) > 1:
            site = self._site(batch.changes)
            singles = [slurm_commands.batches([change], site)[0] for change in batch.changes]
            return {single.changes[0]: why for single in singles if (why := self._run_all(single.commands))}
        return dict.fromkeys(batch.changes, failure) if failure else {}

    def _run_all(self, commands: Sequence[Argv]) -> str:
        for argv in commands:
            output = self._shell.run(argv)
            if output.code and BUSY.search(output.errors):
                output = self._shell.run(slurm_commands.over_running_jobs(argv))
            if output.code and not NOTHING_TO_DO.search(output.errors + output.text):
                return output.said
        return ""

    def read_usage(self, since: datetime, until: datetime, accounts: Collection[str] = ()) -> list[JobUsage]:
        argv = slurm_commands.show_jobs(since, until, sorted(filter(names.is_account, accounts)))
        return self._read(argv, slurm_parse.jobs)

    def signal_jobs(self, account: str, signal: str = "TERM") -> None:
        self._end(slurm_commands.signal_jobs(account, signal), account)

    def cancel_jobs(self, account: str) -> None:
        self._end(slurm_commands.cancel_jobs(account), account)

    def _end(self, argv: Argv, account: str) -> None:
        if not names.is_account(account):
            raise ValueError(words.refused("name"))
        output = self._shell.run(argv)
        if output.code:
            raise _away(argv, output.said, "The account's jobs may still run.")

    def check(self) -> list[Finding]:
        config = self._read_config()
        whoami = self._shell.run(["id", "-un"]).text.strip()
        level = self._shell.run(slurm_commands.show_user(whoami)).text.strip().rpartition("|")[2]
        found = self._read(slurm_commands.SHOW_NODES, slurm_parse.nodes)
        rights = slurm_check.rights(config, whoami, level)
        capabilities = self.capabilities()
        return [*slurm_check.findings(config, found, capabilities, self._clock()), rights]

    def connect_help(self, account: str) -> list[str]:
        return words.slurm_help(account, self.login)

    def _site(self, changes: Sequence[Change]) -> Site:
        """The nodes are only asked for when single GPUs must be placed."""
        places = any(change.kind in (Kind.RESERVATION_CREATE, Kind.RESERVATION_REPLACE) for change in changes)
        cores: Mapping[str, int] = {}
        if places and self.capabilities().unit == "gpu":
            found = self._read(slurm_commands.SHOW_NODES, slurm_parse.nodes)
            cores = {node.name: node.cores_per_gpu for node in found}
        config = self._config or self._read_config()
        return Site(cluster=config.cluster, partition=self.partition, cores_per_gpu=cores, now=self._clock())

    def _read_config(self) -> slurm_parse.Config:
        self._config = self._read(slurm_commands.SHOW_CONFIG, slurm_parse.config)
        return self._config

    def _read(self, argv: Argv, parse: Callable[[str], Parsed]) -> Parsed:
        output = self._shell.run(argv)
        if output.code:
            raise _away(
                argv, output.said, "See whether slurmctld, slurmdbd and munge run and can be reached."
            )
        return self._parse(argv, parse, output.text)

    def _parse(self, argv: Argv, parse: Callable[[str], Parsed], text: str) -> Parsed:
        try:
            return parse(text)
        except slurm_parse.Unreadable as error:
            raise _away(argv, str(error), "The answer was cut off or is of another version.") from error
