"""The parsers on output that Slurm 22.05 and 24.11 really printed."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocation.clusters import slurm_parse
from allocation.clusters.slurm_parse import Unreadable

RECORDED = Path(__file__).parent / "recorded"
VERSIONS = ["22.05", "24.11"]


def recorded(what: str, version: str) -> str:
    return (RECORDED / f"{what}-{version}.txt").read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_configuration_tells_version_cluster_and_clock(version: str) -> None:
    config = slurm_parse.config(recorded("config", version))
    assert config.version.startswith(version)
    assert config.cluster == "box"
    assert config.read_at > datetime(2026, 1, 1, tzinfo=UTC)
    assert config.values["PriorityDecayHalfLife"] == "00:00:00"


@pytest.mark.parametrize("version", VERSIONS)
def test_accounts_come_with_mark_people_limit_and_hold(version: str) -> None:
    accounts = slurm_parse.accounts(recorded("accounts", version), "box")
    ours, held, foreign = accounts["gabcdefgh"], accounts["gabcdefgi"], accounts["physics"]
    assert (ours.is_marked, ours.limit_minutes, ours.is_held) == (True, 600, False)
    assert ours.users >= {"games"}
    assert ours.closed_users == {"daemon"}
    assert (held.is_held, held.limit_minutes) == (True, 10)
    assert (foreign.is_marked, foreign.limit_minutes, foreign.users) == (False, None, {"games", "daemon"})


@pytest.mark.parametrize("version", VERSIONS)
def test_accounts_of_another_cluster_are_not_taken_for_ours(version: str) -> None:
    with pytest.raises(Unreadable, match="root of cluster"):
        slurm_parse.accounts(recorded("accounts", version), "elsewhere")


@pytest.mark.parametrize(("version", "gpus"), [("22.05", ()), ("24.11", (("a100", 2),))])
def test_reservations_come_with_times_and_gpus_by_type(
    version: str, gpus: tuple[tuple[str, int], ...]
) -> None:
    found = slurm_parse.reservations(recorded("reservations", version))
    assert set(found) == {"gabcdefgh-s1", "gabcdefgi-s2", "upkeep"}
    coming = found["gabcdefgi-s2"]
    assert (coming.nodes, coming.accounts, coming.gpus) == ("box1", {"gabcdefgi"}, gpus)
    assert (coming.ends_at - coming.starts_at).total_seconds() == 90
    assert found["upkeep"].accounts == frozenset()


def test_no_reservation_is_an_answer_and_half_an_answer_is_none() -> None:
    assert slurm_parse.reservations("No reservations in the system\n") == {}
    with pytest.raises(Unreadable):
        slurm_parse.reservations("ReservationName=gabcdefgh-s1 StartTime=2026-11")


@pytest.mark.parametrize("version", VERSIONS)
def test_nodes_give_the_inventory(version: str) -> None:
    nodes = slurm_parse.nodes(recorded("nodes", version))
    assert [node.cores_per_gpu for node in nodes] == [4, 4]
    rows = slurm_parse.inventory(nodes)
    assert [(row.node, row.index) for row in rows] == [(f"box{n}", i) for n in (1, 2) for i in range(4)]
    assert {row.gpu_type for row in rows} == {"a100"}


@pytest.mark.parametrize("version", VERSIONS)
def test_jobs_are_counted_once_with_their_type_and_requeues_kept(version: str) -> None:
    jobs = slurm_parse.jobs(recorded("jobs", version))
    pair = next(job for job in jobs if job.job_id == "5")
    assert (pair.gpus, pair.gpu_type, pair.elapsed_seconds, pair.gpu_seconds) == (2, "a100", 3, 6)
    assert "REQUEUED" in {job.state for job in jobs}
    assert {job.state for job in jobs} <= {"COMPLETED", "CANCELLED", "REQUEUED", "RUNNING"}
    assert {job.account for job in jobs} == {"gabcdefgh"}  # the other's waited, and physics is not ours


def test_a_running_job_has_no_end() -> None:
    jobs = slurm_parse.jobs(recorded("jobs", "24.11"))
    assert [job.ends_at for job in jobs if job.state == "RUNNING"] == [None]


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("billing=1,cpu=1,gres/gpu:a100=2,gres/gpu=2,node=1", (("a100", 2),)),
        ("cpu=1,gres/gpu=3", (("", 3),)),
        ("gres/gpu=3,gres/gpu:a100=1,gres/gpu:h100=2", (("a100", 1), ("h100", 2))),
        ("gres/gpu=3,gres/gpu:a100=1", (("", 2), ("a100", 1))),
        ("gres/gpu:a100=1", (("a100", 1),)),
        ("cpu=4", ()),
        ("", ()),
    ],
)
def test_gpus_are_never_added_twice(text: str, gpus: tuple[tuple[str, int], ...]) -> None:
    assert slurm_parse.gpus(text) == gpus


@given(st.text())
def test_nonsense_is_refused_and_never_half_understood(text: str) -> None:
    for parse in (slurm_parse.config, slurm_parse.nodes, slurm_parse.jobs, slurm_parse.reservations):
        with suppress(Unreadable):
            assert not parse(text)


@given(st.integers(min_value=1, max_value=400))
def test_accounts_that_were_cut_off_are_never_taken_for_all(length: int) -> None:
    whole = recorded("accounts", "22.05")
    try:
        found = slurm_parse.accounts(whole[:length], "box")
    except Unreadable:
        return
    assert "root" in found
