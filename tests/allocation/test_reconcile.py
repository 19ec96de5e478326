"""Reconcile: the cluster follows the rows, in whatever order things break, and says only what it saw."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from allocation import award_page, awards, ledger, logins, reservations, tasks
from allocation.clusters.base import ClusterAway, ClusterState
from allocation.desired import desired_state
from allocation.drivers import driver_of
from allocation.models import Account, Award, Cluster, ClusterLogin, Reservation
from portal.models import Mail
from portal.refused import Refused
from tests import factories
from tests.allocation import awarded
from tests.allocation.killing import ends_alike
from tests.factories import HOUR

pytestmark = pytest.mark.django_db


def planned(*asks: int, now: datetime | None = None) -> tuple[Cluster, list[Award]]:
    found = awarded.some_awards(*asks)
    cluster = awarded.a_simulated_cluster()
    reservations.plan(cluster=cluster, now=now or awarded.just_now())
    return cluster, found


def on_the_cluster(cluster: Cluster, now: datetime) -> ClusterState:
    return driver_of(cluster, now).read_state()


def unreachable(cluster: Cluster) -> None:
    """Its file cannot be read: what a simulated cluster has for an outage."""
    path = settings.DATA_DIR / "simulated" / f"{cluster.settings['name']}.json"
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)


def reachable(cluster: Cluster) -> None:
    (settings.DATA_DIR / "simulated" / f"{cluster.settings['name']}.json").rmdir()


def test_account_person_limit_and_slot_are_made_and_a_second_run_says_nothing() -> None:
    now = awarded.just_now()
    cluster, (award,) = planned(100, now=now)
    lines = reservations.reconcile(cluster=cluster, now=now)
    assert len(lines) == 6
    login = ClusterLogin.objects.get(cluster=cluster, user=award.application.owner).name
    found = on_the_cluster(cluster, now)
    assert found.accounts[award.account_name].users == {login}
    assert found.accounts[award.account_name].limit_minutes == 50 * 60
    assert len(found.reservations) == 3
    award.refresh_from_db()
    assert award.state == "active"
    assert {row.state for row in Reservation.objects.all()} == {"placed"}
    assert Mail.objects.filter(key=f"placed:{award.pk}").count() == 1
    cluster.refresh_from_db()
    assert (cluster.last_seen_at, cluster.last_error) == (now, "")
    assert reservations.reconcile(cluster=cluster, now=now) == []


def test_a_dry_run_prints_the_commands_of_the_real_run_and_changes_nothing() -> None:
    now = awarded.just_now()
    cluster, (award,) = planned(10, now=now)
    wanted = desired_state(cluster, now)
    lines = reservations.reconcile(cluster=cluster, now=now, dry_run=True)
    assert f"simulated account_add {award.account_name}" in lines
    assert on_the_cluster(cluster, now) == ClusterState()
    assert not ClusterLogin.objects.exists() and award.state == "accepted"
    reservations.reconcile(cluster=cluster, now=now)
    assert desired_state(cluster, now).accounts == wanted.accounts
    assert reservations.reconcile(cluster=cluster, now=now, dry_run=True) == []


def test_while_the_cluster_is_away_all_stands_and_the_next_run_catches_up() -> None:
    now = awarded.just_now()
    cluster, (award,) = planned(10, now=now)
    unreachable(cluster)
    with pytest.raises(ClusterAway):
        reservations.reconcile(cluster=cluster, now=now)
    award.refresh_from_db()
    cluster.refresh_from_db()
    assert award.state == "accepted" and "simulated cluster" in cluster.last_error
    assert Reservation.objects.live().exists()
    late = now + timedelta(hours=1)
    (place,) = award_page.slots_and_use(award, late)["places"]
    assert place.is_late and place.last_seen_at == cluster.last_seen_at
    reachable(cluster)
    reservations.reconcile(cluster=cluster, now=late)
    award.refresh_from_db()
    cluster.refresh_from_db()
    assert (award.state, cluster.last_error, cluster.last_seen_at) == ("active", "", late)


def test_a_paused_award_is_held_and_one_that_is_over_is_emptied() -> None:
    now = awarded.just_now()
    cluster, (paused, revoked) = planned(10, 10, now=now)
    reservations.reconcile(cluster=cluster, now=now)
    awards.pause(award=paused, by=None, reason="A question.", now=now)
    awards.revoke(award=revoked, by=None, reason="Rules.", now=now)
    reservations.plan(cluster=cluster, now=now)
    reservations.reconcile(cluster=cluster, now=now)
    found = on_the_cluster(cluster, now)
    assert found.accounts[paused.account_name].is_held
    assert found.accounts[paused.account_name].limit_minutes == 5 * 60
    assert found.accounts[revoked.account_name].limit_minutes == 0
    assert found.accounts[revoked.account_name].users == frozenset()
    assert found.reservations == {}
    awards.resume(award=paused, by=None, now=now)
    reservations.plan(cluster=cluster, now=now)
    reservations.reconcile(cluster=cluster, now=now)
    found = on_the_cluster(cluster, now)
    assert not found.accounts[paused.account_name].is_held
    assert len(found.reservations) == 1


def test_who_joins_the_group_gets_a_login_and_a_login_can_be_named_by_the_site() -> None:
    now = awarded.just_now()
    cluster, (award,) = planned(10, now=now)
    joined = factories.a_co_applicant(award.application)
    reservations.reconcile(cluster=cluster, now=now)
    login = ClusterLogin.objects.get(cluster=cluster, user=joined)
    assert login.name in on_the_cluster(cluster, now).accounts[award.account_name].users
    with pytest.raises(Refused, match="begins with a letter"):
        logins.rename_login(login=login, name="a,b[1-3]", by=None, now=now)
    other = ClusterLogin.objects.get(cluster=cluster, user=award.application.owner)
    with pytest.raises(Refused, match="Somebody else"):
        logins.rename_login(login=login, name=other.name, by=None, now=now)
    logins.rename_login(login=login, name="asha", by=None, now=now)
    reservations.reconcile(cluster=cluster, now=now)
    assert on_the_cluster(cluster, now).accounts[award.account_name].users == {other.name, "asha"}


def test_slots_begin_and_end_by_the_clock_and_one_never_placed_has_failed() -> None:
    now = awarded.just_now()
    cluster, (placed, late) = planned(4, 4, now=now)
    reservations.reconcile(cluster=cluster, now=now)
    Reservation.objects.filter(award=late).update(state="planned")
    (slot,) = Reservation.objects.filter(award=placed)
    reservations.reconcile(cluster=cluster, now=slot.starts_at)
    slot.refresh_from_db()
    assert slot.state == "running"
    unreachable_after = slot.ends_at + timedelta(minutes=1)
    Reservation.objects.filter(award=late).update(state="planned")
    reservations.reconcile(cluster=cluster, now=unreachable_after)
    slot.refresh_from_db()
    assert slot.state == "ended"
    assert Reservation.objects.get(award=late).state == "failed"


def test_a_slot_that_is_given_up_leaves_the_cluster() -> None:
    now = awarded.just_now()
    cluster, (award,) = planned(4, now=now)
    reservations.reconcile(cluster=cluster, now=now)
    slot = Reservation.objects.get(award=award)
    reservations.cancel_slot(slot_name=slot.slot_name, by=None, now=now)
    (line,) = reservations.reconcile(cluster=cluster, now=now)
    assert line.startswith("Remove slot")
    assert on_the_cluster(cluster, now).reservations == {}


def test_reconcile_can_be_killed_anywhere_and_run_again() -> None:
    now = awarded.just_now()
    cluster, (award,) = planned(4, now=now)

    def fresh() -> None:
        cluster.settings["name"] = f"fresh-{uuid4().hex[:8]}"

    def state() -> list[Any]:
        found = on_the_cluster(cluster, now)
        mails = sorted(Mail.objects.filter(key__startswith="placed").values_list("key", flat=True))
        states = [*Reservation.objects.values_list("state", flat=True), Award.objects.get(pk=award.pk).state]
        limits = [(each.users, each.limit_minutes) for each in found.accounts.values()]
        return [mails, states, limits, len(found.reservations), ledger.balances(award)[Account.READY]]

    killed = ends_alike(lambda: reservations.reconcile(cluster=cluster, now=now), state, fresh=fresh)
    assert killed > 20


def test_the_task_of_an_accepted_award_may_run_twice() -> None:
    (award,) = awarded.some_awards(10)
    cluster = awarded.a_simulated_cluster()
    for _run in range(2):
        tasks.place_award(award.pk)
    award.refresh_from_db()
    assert award.state == "active"
    assert Reservation.objects.live().count() == 1
    assert Mail.objects.filter(key=f"placed:{award.pk}").count() == 1
    unreachable_cluster(cluster)
    tasks.place_award(award.pk)
    tasks.tend_cluster(cluster.pk)
    cluster.refresh_from_db()
    assert cluster.last_error != ""


def unreachable_cluster(cluster: Cluster) -> None:
    unreachable_name = f"away-{uuid4().hex[:8]}"
    cluster.settings["name"] = unreachable_name
    cluster.save()
    unreachable(cluster)


def test_a_fault_of_one_cluster_stays_with_it() -> None:
    (award,) = awarded.some_awards(10)
    broken, fine = awarded.a_simulated_cluster(), awarded.a_simulated_cluster()
    Cluster.objects.filter(pk=broken.pk).update(settings={"host": "unknown"})
    tasks.every_five_minutes()
    for cluster in (broken, fine):
        tasks.tend_cluster(cluster.pk)
        cluster.refresh_from_db()
    assert "cannot be used" in broken.last_error and fine.last_error == ""
    award.refresh_from_db()
    assert award.state == "active"


def test_the_award_page_tells_slots_zone_and_that_figures_are_simulated() -> None:
    now = awarded.just_now()
    _cluster, (award,) = planned(10, now=now)
    told = award_page.slots_and_use(award, now)
    assert told["zone"] == "Asia/Dhaka" and told["is_simulated"]
    assert [slot.state for slot in told["slots"]] == ["planned"]
    assert told["reserved_gpu_seconds"] == 5 * HOUR and told["use"] == {}
    assert any("simulated" in line for line in told["places"][0].help)
