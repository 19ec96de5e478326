"""The Slurm driver on two real clusters: what limits, slots and metering truly do there."""

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allocation.clusters.base import ClusterAway, DesiredReservation, DesiredState
from allocation.clusters.comparison import compare
from allocation.clusters.names import new_account_name
from tests.allocation.clusters import builders
from tests.allocation.clusters.builders import reconcile
from tests.slurm.fixtures import PORT, Box, run_script

pytestmark = pytest.mark.xdist_group("slurm")

ONE_GPU = ("--gres=gpu:1", "--time=1")


def utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def awarded() -> str:
    return new_account_name()


@pytest.fixture(params=["slurm_box", "slurm_modern"])
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    """Each cluster in turn, left empty: jobs ended, slots gone, accounts without hours."""
    found: Box = request.getfixturevalue(request.param)
    yield found
    found.call("scancel", "--user=games")
    found.call("scancel", "--user=nobody")
    for _attempt in range(50):
        if all(done.ok for done in reconcile(found.driver, DesiredState(), utc_now())):
            return
        time.sleep(0.1)


def whole_slot(name: str, box: Box, *, starts_at: datetime, hours: float = 1) -> DesiredReservation:
    """Two GPUs where single ones can be reserved, the node where not."""
    gpus = 2 if box.driver.capabilities().unit == "gpu" else 4
    return builders.slot(name, gpus=gpus, starts_at=starts_at, hours=hours)


def assert_settled(box: Box, wanted: DesiredState) -> None:
    applied = reconcile(box.driver, wanted, utc_now())
    assert [done.failure for done in applied if not done.ok] == []
    left = compare(wanted, box.driver.read_state(), box.driver.capabilities(), utc_now())
    assert left == []


def test_an_award_is_made_and_a_second_reconcile_reads_thrice_and_writes_nothing(
    box: Box, awarded: str, tmp_path: Path
) -> None:
    now = utc_now()
    later = builders.slot(awarded, 2, node="box2", gpus=4, starts_at=now + timedelta(days=1))
    present = whole_slot(awarded, box, starts_at=now - timedelta(minutes=5))
    people = builders.account(awarded, users=("games", "nobody"))
    wanted = builders.desired(people, present, later)
    assert_settled(box, wanted)

    log = tmp_path / "commands"
    assert reconcile(box.counted(log), wanted, utc_now()) == []
    assert len(log.read_text().splitlines()) == 3


def test_a_job_of_the_award_runs_in_its_slot_and_another_account_is_refused(box: Box, awarded: str) -> None:
    other = new_account_name()
    slot = whole_slot(awarded, box, starts_at=utc_now())
    people = builders.account(other, users=("nobody",))
    assert_settled(box, builders.desired(builders.account(awarded), people, slot))

    job_id = box.submit(user="games", account=awarded, options=ONE_GPU, seconds=30)
    assert box.wait_until_running(job_id)["Reservation"] == slot.name
    options = (*ONE_GPU, f"--reservation={slot.name}")
    refused, complaint = box.try_submit(user="nobody", account=other, options=options, seconds=1)
    assert refused == ""
    assert "Access denied to requested reservation" in complaint
    box.driver.cancel_jobs(awarded)
    assert box.wait_until_over(job_id)["JobState"] == "CANCELLED"


def test_a_job_that_could_pass_the_limit_does_not_start_until_hours_are_added(box: Box, awarded: str) -> None:
    short = builders.DesiredAccount(name=awarded, users=frozenset({"games"}), limit_gpu_seconds=61)
    assert_settled(box, builders.desired(short))
    assert box.driver.read_state().accounts[awarded].limit_minutes == 2

    options = ("--gres=gpu:2", "--time=2")
    job_id = box.submit(user="games", account=awarded, options=options, seconds=20)
    box.wait_for(job_id, lambda job: job["Reason"] == "AssocGrpGRESMinutes")
    assert_settled(box, builders.desired(builders.account(awarded, hours=1)))
    box.wait_until_running(job_id)


def test_a_held_account_starts_nothing_and_a_release_starts_what_waits(box: Box, awarded: str) -> None:
    assert_settled(box, builders.desired(builders.account(awarded, is_held=True)))
    job_id = box.submit(user="games", account=awarded, options=ONE_GPU, seconds=20)
    box.wait_for(job_id, lambda job: job["Reason"] == "AssocGrpJobsLimit")
    assert_settled(box, builders.desired(builders.account(awarded)))
    box.wait_until_running(job_id)


def test_who_left_the_group_can_start_nothing_until_they_come_back(box: Box, awarded: str) -> None:
    assert_settled(box, builders.desired(builders.account(awarded)))
    running = box.submit(user="games", account=awarded, options=ONE_GPU, seconds=20)
    box.wait_until_running(running)
    assert_settled(box, builders.desired(builders.account(awarded, users=())))
    refused, complaint = box.try_submit(user="games", account=awarded, options=ONE_GPU, seconds=1)
    assert refused == ""
    assert "violates accounting" in complaint
    assert_settled(box, builders.desired(builders.account(awarded)))
    assert box.submit(user="games", account=awarded, options=ONE_GPU, seconds=1)


def test_usage_is_exact_to_the_gpu_second_also_across_a_requeue(box: Box, awarded: str) -> None:
    since = utc_now() - timedelta(minutes=1)
    assert_settled(box, builders.desired(builders.account(awarded)))
    pair = box.submit(user="games", account=awarded, options=("--gres=gpu:2", "--time=1"), seconds=2)
    typed = box.submit(user="games", account=awarded, options=("--gres=gpu:a100:1", "--time=1"), seconds=1)
    again = box.submit(user="games", account=awarded, options=(*ONE_GPU, "--requeue"), seconds=60)
    box.wait_until_running(again)
    box.wait_until_over(pair)
    box.told("scontrol", "requeue", again)
    fields = "-oJobIDRaw,State,ElapsedRaw"
    span = (f"-S{since:%Y-%m-%dT%H:%M:%S}", f"-E{utc_now() + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}")
    for _attempt in range(100):
        raw = box.told("sacct", "-nPDXa", f"-A{awarded}", *span, fields).splitlines()
        over = {
            line.split("|")[0]: int(line.split("|")[2]) for line in raw if "COMPL" in line or "REQ" in line
        }
        if len(over) == 3:
            break
        time.sleep(0.1)

    jobs = box.driver.read_usage(since, utc_now() + timedelta(minutes=1), [awarded])
    found = {job.job_id: (job.gpus, job.gpu_type, job.gpu_seconds) for job in jobs if job.ends_at}
    assert found == {
        pair: (2, "a100", 2 * over[pair]),
        typed: (1, "a100", over[typed]),
        again: (1, "a100", over[again]),
    }
    assert over[pair] >= 2


def test_a_changed_slot_is_changed_there_and_a_foreign_one_is_left_alone(box: Box, awarded: str) -> None:
    now = utc_now()
    foreign = ["reservationname=upkeep", "starttime=now+3days", "duration=60", "users=root", "nodes=box2"]
    box.call("scontrol", "delete", "reservationname=upkeep")
    box.told("scontrol", "create", "reservation", *foreign)
    people = builders.account(awarded)
    first = whole_slot(awarded, box, starts_at=now)
    assert_settled(box, builders.desired(people, first))
    box.wait_until_running(box.submit(user="games", account=awarded, options=ONE_GPU, seconds=20))
    assert_settled(box, builders.desired(people, whole_slot(awarded, box, starts_at=now, hours=2)))
    box.driver.cancel_jobs(awarded)
    moved = builders.slot(awarded, gpus=4, node="box2", starts_at=now + timedelta(days=1))
    assert_settled(box, builders.desired(people, moved))
    assert box.driver.read_state().reservations[moved.name].nodes == "box2"
    assert_settled(box, builders.desired(people))
    assert set(box.driver.read_state().reservations) == {"upkeep"}


def test_one_slot_that_cannot_be_had_does_not_stop_the_next(box: Box, awarded: str) -> None:
    now = utc_now()
    people = builders.account(awarded)
    nowhere = builders.slot(awarded, 7, node="box9", starts_at=now + timedelta(days=2))
    fine = builders.slot(awarded, 8, gpus=4, starts_at=now + timedelta(days=2))
    applied = reconcile(box.driver, builders.desired(people, nowhere, fine), now)
    failed = [done for done in applied if not done.ok]
    assert [done.change.target for done in failed] == [nowhere.name]
    assert "invalid" in failed[0].failure.lower()
    assert fine.name in box.driver.read_state().reservations


def test_the_check_finds_everything_right_and_the_inventory_is_whole(box: Box) -> None:
    findings = box.driver.check()
    assert len(findings) >= 8
    assert [finding for finding in findings if not finding.ok] == []
    assert [gpu.node for gpu in box.driver.inventory()] == ["box1"] * 4 + ["box2"] * 4


def test_a_thousand_accounts_cost_three_commands_when_nothing_changed(slurm_box: Box, tmp_path: Path) -> None:
    people = [("games",) if number < 100 else () for number in range(1000)]
    wanted = builders.desired(*(builders.account(new_account_name(), users=users) for users in people))
    log = tmp_path / "commands"
    driver = slurm_box.counted(log)
    assert all(done.ok for done in reconcile(driver, wanted, utc_now()))
    assert len(log.read_text().splitlines()) <= 20
    log.unlink()
    began = time.monotonic()
    assert reconcile(driver, wanted, utc_now()) == []
    print(f"1,000 unchanged accounts: {time.monotonic() - began:.2f} s")
    assert len(log.read_text().splitlines()) == 3


@pytest.mark.parametrize("daemon", ["slurmctld", "slurmdbd"])
def test_a_dead_daemon_is_told_at_once_and_nothing_is_changed(
    slurm_box: Box, awarded: str, daemon: str
) -> None:
    pid = (slurm_box.folder / "pids" / daemon).read_text().strip()
    subprocess.run(["kill", "-KILL", pid], check=True)
    began = time.monotonic()
    try:
        with pytest.raises(ClusterAway):
            reconcile(slurm_box.driver, builders.desired(builders.account(awarded)), utc_now())
        assert time.monotonic() - began < 4
    finally:
        run_script("box-up.sh", str(slurm_box.folder), port=PORT)
    assert awarded not in slurm_box.driver.read_state().accounts
