"""The way of an award on real Slurm: accepted, planned, made there, used inside its slot, metered exactly."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allocation import awards, ledger, logins, reservations, usage
from allocation.clusters.base import DesiredState
from allocation.desired import grouped, name_there
from allocation.models import Account, Award, Cluster, Reservation, UsageRecord
from grants.models import Pool
from tests.allocation import awarded
from tests.allocation.clusters.builders import reconcile
from tests.factories import HOUR
from tests.slurm.fixtures import Box

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("slurm")]


def utc_now() -> datetime:
    return datetime.now(UTC)


def a_quarter_hour_begun() -> datetime:
    """Plans made then have slots that have begun by now."""
    now = utc_now()
    return now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)


@pytest.fixture(params=["slurm_box", "slurm_modern"])
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    """Each cluster in turn, left empty."""
    found: Box = request.getfixturevalue(request.param)
    yield found
    for user in ("games", "nobody"):
        found.call("scancel", f"--user={user}")
    for _attempt in range(50):
        if all(done.ok for done in reconcile(found.driver, DesiredState(), utc_now())):
            return
        time.sleep(0.1)


def attached(box: Box, people: dict[str, Award]) -> Cluster:
    """The box as a cluster of the site, where each award's owner is a user of that machine."""
    prefix = [*box.enter, "env", f"SLURM_CONF={box.config}"]
    cluster = reservations.attach(
        name="box",
        kind="slurm",
        settings={"prefix": prefix, "login": "login.example.org"},
        zone="UTC",
        pools=list(Pool.objects.all()),
        by=None,
        now=utc_now(),
    )
    logins.store_logins(cluster)
    for name, award in people.items():
        login = cluster.logins.get(user=award.application.owner)
        logins.rename_login(login=login, name=name, by=None, now=utc_now())
    return cluster


def metered_until_over(cluster: Cluster, jobs: int) -> list[UsageRecord]:
    """Accounting may tell a job's end some seconds late."""
    for _attempt in range(100):
        cluster.refresh_from_db()
        usage.meter(cluster=cluster, now=utc_now())
        over = list(UsageRecord.objects.filter(ends_at__isnull=False).order_by("job_id"))
        if len(over) == jobs:
            return over
        time.sleep(0.2)
    raise AssertionError(f"{len(over)} of {jobs} jobs are told as over")


def slot_of(award: Award) -> list[Reservation]:
    (slot,) = grouped(Reservation.objects.filter(award=award))
    return slot


def test_an_award_on_real_slurm_from_acceptance_to_its_page(box: Box, client: Any) -> None:
    ours, other = awarded.some_awards(8, 8)
    cluster = attached(box, {"games": ours, "nobody": other})
    assert cluster.gpus.count() == 8
    lines = reservations.plan(cluster=cluster, now=a_quarter_hour_begun())
    assert all(("all 4 GPUs" in line) == (cluster.unit == "node") for line in lines)
    dry = reservations.reconcile(cluster=cluster, now=utc_now(), dry_run=True)
    assert any("create reservation" in line for line in dry) and any(
        "GrpTRESMins=gres/gpu=240" in line for line in dry
    )
    reservations.reconcile(cluster=cluster, now=utc_now())
    cluster.refresh_from_db()
    assert cluster.last_error == ""
    assert reservations.reconcile(cluster=cluster, now=utc_now()) == []
    ours.refresh_from_db()
    assert ours.state == "active" and slot_of(ours)[0].state == "running"

    name, one_gpu = name_there(slot_of(ours)), ("--gres=gpu:1", "--time=2")
    job_id = box.submit(user="games", account=ours.account_name, options=one_gpu, seconds=3)
    assert box.wait_until_running(job_id)["Reservation"] == name
    inside = (*one_gpu, f"--reservation={name}")
    refused, complaint = box.try_submit(user="nobody", account=other.account_name, options=inside, seconds=1)
    assert refused == "" and "Access denied to requested reservation" in complaint
    box.wait_until_over(job_id)

    (record,) = metered_until_over(cluster, 1)
    raw = box.told("sacct", "-nPXD", "-j", job_id, "-oElapsedRaw")
    assert (record.job_id, record.gpu_seconds) == (job_id, int(raw)) and record.gpu_seconds >= 3
    assert_page_tells(client, ours, record.gpu_seconds)
    assert reservations.reconcile(cluster=cluster, now=utc_now()) == []

    too_long = ("--gres=gpu:1", "--time=241")
    waits = box.submit(user="games", account=ours.account_name, options=too_long, seconds=1)
    box.wait_for(waits, lambda job: job["Reason"] == "AssocGrpGRESMinutes")
    assert box.job(waits)["JobState"] == "PENDING"


def assert_page_tells(client: Any, award: Award, used: int) -> None:
    standing = ledger.balances(award)
    assert (standing[Account.USED], standing[Account.READY]) == (used, 4 * HOUR - used)
    assert list(ledger.check()) == []
    client.force_login(award.application.owner)
    page = client.get(f"/awards/{award.account_name}/")
    assert page.context["hours"].used_gpu_seconds == used
    assert page.context["use"]["points"][-1].value == used
    text = page.content.decode()
    assert "ssh login.example.org" in text and "simulated" not in text.lower()


def test_a_slot_given_up_and_an_award_revoked_leave_real_slurm(box: Box) -> None:
    ours, other = awarded.some_awards(8, 8)
    cluster = attached(box, {"games": ours, "nobody": other})
    tomorrow = a_quarter_hour_begun() + timedelta(days=1)
    reservations.plan(cluster=cluster, now=tomorrow)
    reservations.reconcile(cluster=cluster, now=utc_now())
    assert len(box.driver.read_state().reservations) == 2
    reservations.cancel_slot(slot_name=slot_of(ours)[0].slot_name, by=None, now=utc_now())
    awards.revoke(award=other, by=None, reason="Rules.", now=utc_now())
    reservations.plan(cluster=cluster, now=tomorrow)
    reservations.reconcile(cluster=cluster, now=utc_now())
    found = box.driver.read_state()
    assert [each.accounts for each in found.reservations.values()] == [frozenset({ours.account_name})]
    assert found.accounts[other.account_name].limit_minutes == 0
    assert reservations.reconcile(cluster=cluster, now=utc_now()) == []
