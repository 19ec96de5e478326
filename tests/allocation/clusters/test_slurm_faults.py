"""The driver against tools that fail before, fail after the effect, lose, repeat, answer old news or are down."""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from allocation.clusters import comparison
from allocation.clusters.base import ClusterAway, DesiredState, Kind
from allocation.clusters.comparison import compare
from allocation.clusters.names import new_account_name
from allocation.clusters.slurm import SlurmDriver
from tests.allocation.clusters import builders
from tests.allocation.clusters.builders import FIRST, reconcile

FAKE = Path(__file__).parent / "fake_slurm.py"
FAULTS = ["", "", "before", "after", "lost", "twice", "stale", "down"]
FOREIGN_ACCOUNT = {"organization": "university", "users": {"ana": ""}, "minutes": "", "jobs": ""}
FOREIGN_SLOT = {
    "starttime": "2030-01-01T00:00:00",
    "endtime": "2030-01-02T00:00:00",
    "nodes": "box[1-2]",
    "accounts": "physics",
}


def utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Fake:
    """The world of the fake tools, in a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "world.json"
        cluster = {"accounts": {"physics": FOREIGN_ACCOUNT}, "slots": {"upkeep": FOREIGN_SLOT}}
        self.write({"cluster": cluster, "previous": cluster, "faults": [], "calls": 0})
        prefix = [sys.executable, "-S", "-I", str(FAKE), str(self.file)]
        self.driver = SlurmDriver(prefix=prefix, limit_seconds=5)

    def read(self) -> dict[str, Any]:
        world: dict[str, Any] = json.loads(self.file.read_text())
        return world

    def write(self, world: dict[str, Any]) -> None:
        self.file.write_text(json.dumps(world))

    def break_next(self, faults: list[str]) -> None:
        self.write({**self.read(), "faults": faults})


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


def some_wish(rng: Random) -> DesiredState:
    parts: list[builders.DesiredAccount | builders.DesiredReservation] = []
    start = utc_now() + timedelta(minutes=rng.choice([-10, 600]))
    for number in range(rng.randint(1, 4)):
        name = new_account_name(rng)
        people = tuple(rng.sample(["ana", "ben", "cleo"], rng.randint(0, 3)))
        parts.append(
            builders.account(name, users=people, hours=rng.randint(0, 3), is_held=rng.random() < 0.3)
        )
        parts.append(builders.slot(name, number + 1, node=rng.choice(["box1", "box2"]), starts_at=start))
    return builders.desired(*parts)


@pytest.mark.parametrize("seed", range(12))
def test_two_rounds_of_any_faults_and_a_third_without_end_as_desired(fake: Fake, seed: int) -> None:
    rng = Random(seed)
    reconcile(fake.driver, some_wish(rng), utc_now())  # what an earlier call left
    wanted = some_wish(rng)
    for _round in range(2):
        fake.break_next(rng.choices(FAULTS, k=14))
        try:
            reconcile(fake.driver, wanted, utc_now())
        except ClusterAway as away:
            assert away.remedy
    fake.break_next([])
    reconcile(fake.driver, wanted, utc_now())

    fake.driver.read_state()
    calls = fake.read()["calls"]
    assert compare(wanted, fake.driver.read_state(), fake.driver.capabilities(), utc_now()) == []
    assert reconcile(fake.driver, wanted, utc_now()) == []
    assert fake.read()["calls"] == calls + 6  # two readings, nothing written
    assert fake.read()["cluster"]["accounts"]["physics"] == FOREIGN_ACCOUNT
    assert fake.read()["cluster"]["slots"]["upkeep"] == FOREIGN_SLOT


READING = ["", "", ""]


@pytest.mark.parametrize("fault", ["before", "lost"])
def test_a_command_without_effect_is_told_as_not_done(fake: Fake, fault: str) -> None:
    fake.break_next([*READING, fault])
    applied = reconcile(fake.driver, builders.desired(builders.account()), utc_now())
    failed = next(done for done in applied if not done.ok)
    assert failed.change.kind is Kind.ACCOUNT_ADD
    assert all(done.failure for done in applied)


@pytest.mark.parametrize("fault", ["after", "twice"])
def test_a_command_that_did_its_work_is_told_as_done_whatever_it_says(fake: Fake, fault: str) -> None:
    fake.break_next([*READING, fault])
    applied = reconcile(fake.driver, builders.desired(builders.account()), utc_now())
    assert [done for done in applied if not done.ok] == []


def test_without_reading_back_a_lost_command_would_count_as_done(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "holds", lambda *_anything: True)
    fake.break_next([*READING, "lost", "lost", "lost"])
    applied = reconcile(fake.driver, builders.desired(builders.account()), utc_now())
    assert all(done.ok for done in applied)
    assert FIRST not in fake.read()["cluster"]["accounts"]


def test_a_reading_that_fails_changes_nothing(fake: Fake) -> None:
    before = fake.read()["cluster"]
    fake.break_next(["", "down"])
    with pytest.raises(ClusterAway, match="sacctmgr"):
        reconcile(fake.driver, builders.desired(builders.account()), utc_now())
    assert fake.read()["cluster"] == before


def test_a_thousand_hostile_names_never_reach_an_argument(fake: Fake) -> None:
    rng = Random(5)
    signs = "gab2,[]'\"\\;$`\n -=%*é‮|root"
    hostile = {"".join(rng.choices(signs, k=rng.randint(0, 12))) for _each in range(1000)}
    accounts = [builders.account(name, users=(name, "ben,root")) for name in hostile]
    wanted = builders.desired(builders.account(users=("ben",)), *accounts)
    changes = compare(wanted, fake.driver.read_state(), fake.driver.capabilities(), utc_now())
    commands = fake.driver.commands_for(changes)
    assert len(commands) == 3
    clean = " ".join(word for command in commands for word in command)
    assert not any(sign in clean for sign in "[]'\"\\;$`\n%*é|")
    refused = [done for done in fake.driver.apply(changes) if not done.ok]
    assert len(refused) == len(changes) - 3


def test_a_tool_that_hangs_is_ended_at_the_time_limit(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    began = time.monotonic()
    with pytest.raises(ClusterAway, match="no answer in time"):
        SlurmDriver(prefix=[str(slow)], limit_seconds=0.5).read_state()
    assert time.monotonic() - began < 3


def test_a_prefix_that_leads_nowhere_says_what_to_look_at() -> None:
    with pytest.raises(ClusterAway) as away:
        SlurmDriver(prefix=["/nowhere/at/all"]).read_state()
    assert "prefix" in away.value.remedy


def test_a_login_that_fails_is_told_as_such(tmp_path: Path) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\necho 'Permission denied (publickey).' >&2; exit 255\n")
    ssh.chmod(0o755)
    with pytest.raises(ClusterAway, match=r"Permission denied.*login"):
        SlurmDriver(prefix=[str(ssh), "login.example.org"]).read_state()
