"""The simulated cluster: it says what it is, keeps limits and slots, and makes the same jobs each time."""

import multiprocessing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocation.clusters import open_driver
from allocation.clusters.base import ClusterAway, DesiredState, Driver, JobUsage
from allocation.clusters.comparison import compare
from allocation.clusters.names import slot_name
from tests.allocation.clusters import builders
from tests.allocation.clusters.builders import FIRST, NOON, SECOND, reconcile

NODES = {"nodes": [{"name": "box1", "gpu_type": "a100", "gpus": 4}]}
ALWAYS = (NOON - timedelta(days=365), NOON + timedelta(days=365))


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = NOON - timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.now

    def go_to(self, hours: float) -> datetime:
        self.now = NOON + timedelta(hours=hours)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cluster(tmp_path: Path, clock: Clock) -> Driver:
    return open_driver("simulated", NODES, tmp_path, clock=clock)


def only_job(cluster: Driver) -> JobUsage:
    jobs = cluster.read_usage(*ALWAYS)
    assert len(jobs) == 1
    return jobs[0]


def test_it_says_that_it_is_simulated_wherever_a_person_looks(cluster: Driver) -> None:
    assert cluster.is_simulated
    assert "simulated" in cluster.capabilities().version
    assert "simulated" in cluster.connect_help(FIRST)[0]
    assert "simulated" in cluster.check()[0].what


def test_a_second_reconcile_changes_nothing(cluster: Driver, clock: Clock) -> None:
    wanted = builders.desired(builders.account(is_held=True), builders.slot())
    assert all(done.ok for done in reconcile(cluster, wanted, clock.now))
    assert reconcile(cluster, wanted, clock.now) == []


def test_a_slot_gets_a_job_that_runs_and_ends_inside_it(cluster: Driver, clock: Clock) -> None:
    slot = builders.slot(gpus=2, hours=10)
    reconcile(cluster, builders.desired(builders.account(hours=100), slot), clock.now)
    assert cluster.read_usage(*ALWAYS) == []
    clock.go_to(5)
    running = only_job(cluster)
    assert (running.state, running.ends_at, running.user) == ("RUNNING", None, "games")
    clock.go_to(11)
    over = only_job(cluster)
    assert over.ends_at is not None
    assert slot.starts_at <= over.starts_at < over.ends_at <= slot.ends_at
    assert 0.8 * 20 * 3600 <= over.gpu_seconds <= 20 * 3600
    assert cluster.read_state().reservations == {}


def test_two_runs_of_a_demo_show_the_same_figures(tmp_path: Path, clock: Clock) -> None:
    wanted = builders.desired(builders.account(), builders.slot())
    drivers = [
        open_driver("simulated", {**NODES, "name": name}, tmp_path, clock=clock) for name in ("a", "b")
    ]
    for driver in drivers:
        reconcile(driver, wanted, clock.now)
    clock.go_to(2)
    first, second = (driver.read_usage(*ALWAYS) for driver in drivers)
    assert first == second != []


def test_no_job_goes_past_the_limit(cluster: Driver, clock: Clock) -> None:
    slots = [builders.slot(number=n, gpus=2, hours=2) for n in (1, 2)]
    reconcile(cluster, builders.desired(builders.account(hours=5), *slots), clock.now)
    clock.go_to(3)
    assert sum(job.gpu_seconds for job in cluster.read_usage(*ALWAYS)) <= 5 * 3600


def test_a_held_account_starts_nothing_until_it_is_released(cluster: Driver, clock: Clock) -> None:
    slot = builders.slot(hours=10)
    reconcile(cluster, builders.desired(builders.account(hours=99, is_held=True), slot), clock.now)
    clock.go_to(4)
    assert cluster.read_usage(*ALWAYS) == []
    reconcile(cluster, builders.desired(builders.account(hours=99), slot), clock.now)
    clock.go_to(4.5)
    cluster.read_state()
    assert only_job(cluster).starts_at >= NOON + timedelta(hours=4)  # type: ignore[operator]


def test_a_slot_that_is_taken_away_ends_its_job(cluster: Driver, clock: Clock) -> None:
    reconcile(cluster, builders.desired(builders.account(), builders.slot(hours=4)), clock.now)
    clock.go_to(2)
    assert only_job(cluster).state == "RUNNING"
    reconcile(cluster, builders.desired(builders.account()), clock.now)
    clock.go_to(9)
    assert (only_job(cluster).state, only_job(cluster).ends_at) == ("CANCELLED", NOON + timedelta(hours=2))


def test_more_gpus_than_there_are_cannot_be_reserved(cluster: Driver, clock: Clock) -> None:
    slots = [builders.slot(name, gpus=3) for name in (FIRST, SECOND)]
    accounts = [builders.account(name) for name in (FIRST, SECOND)]
    failed = [
        done for done in reconcile(cluster, builders.desired(*accounts, *slots), clock.now) if not done.ok
    ]
    assert [done.change.target for done in failed] == [slot_name(SECOND, 1)]
    later = builders.slot(SECOND, gpus=3, starts_at=NOON + timedelta(hours=1))
    assert all(
        done.ok for done in reconcile(cluster, builders.desired(*accounts, slots[0], later), clock.now)
    )


def reserve_often(folder: Path, worker: int) -> None:
    driver = open_driver("simulated", NODES, folder, clock=Clock())
    for number in range(20):
        slot = builders.slot(
            number=worker * 100 + number + 1, gpus=1, starts_at=NOON + timedelta(hours=number)
        )
        reconcile_only_additions(driver, builders.desired(builders.account(), slot))


def reconcile_only_additions(driver: Driver, wanted: DesiredState) -> None:
    changes = compare(wanted, driver.read_state(), driver.capabilities(), NOON - timedelta(hours=1))
    driver.apply([change for change in changes if change.reservation is not None])


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    workers = [multiprocessing.Process(target=reserve_often, args=(tmp_path, n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    driver = open_driver("simulated", NODES, tmp_path, clock=Clock())
    assert len(driver.read_state().reservations) == 60


WISHES = st.builds(
    lambda hours, users, is_held, gpus, span: builders.desired(
        builders.account(users=tuple(users), hours=hours, is_held=is_held),
        builders.slot(gpus=gpus, hours=span),
    ),
    st.integers(0, 9),
    st.sets(st.sampled_from(["ana", "ben"])),
    st.booleans(),
    st.integers(1, 4),
    st.integers(1, 9),
)


@given(before=WISHES, wanted=WISHES | st.just(DesiredState()), hours=st.floats(-1, 12))
def test_any_wish_after_any_other_is_reached_in_one_round(
    tmp_path_factory: pytest.TempPathFactory, before: DesiredState, wanted: DesiredState, hours: float
) -> None:
    clock = Clock()
    cluster = open_driver("simulated", NODES, tmp_path_factory.mktemp("world"), clock=clock)
    reconcile(cluster, before, clock.now)
    clock.go_to(hours)
    assert [done for done in reconcile(cluster, wanted, clock.now) if not done.ok] == []
    assert compare(wanted, cluster.read_state(), cluster.capabilities(), clock.now) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "simulated").write_text("a file where a folder should be")
    with pytest.raises(ClusterAway, match="simulated cluster"):
        open_driver("simulated", NODES, tmp_path).read_state()
