"""Plans: what is reserved for whom, what the database refuses, and which moves a slot can make."""

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from allocation import awards, planning, reservations, slots
from allocation.models import (
    LIVE_RESERVATIONS,
    RESERVATION_TRANSITIONS,
    Award,
    Cluster,
    Reservation,
    ReservationState,
)
from portal.models import Mail
from portal.refused import Refused
from tests import factories
from tests.allocation import awarded
from tests.allocation.killing import ends_alike
from tests.factories import HOUR


def reserved_hours(award: Award) -> float:
    rows = Reservation.objects.live().filter(award=award)
    return sum((row.ends_at - row.starts_at).total_seconds() for row in rows) / HOUR


def double_booked() -> list[tuple[Reservation, Reservation]]:
    rows = list(Reservation.objects.live().order_by("gpu", "starts_at"))
    pairs = itertools.combinations(rows, 2)
    return [
        (one, two)
        for one, two in pairs
        if one.gpu_id == two.gpu_id and one.starts_at < two.ends_at and two.starts_at < one.ends_at
    ]


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What each thread got, or the error it met."""
    found: list[Any] = [None] * count
    together = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            together.wait()
            found[number] = work(number)
        except Exception as fault:
            found[number] = fault
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db
def test_ready_hours_are_reserved_once_and_a_second_plan_has_nothing_to_do() -> None:
    first, second = awarded.some_awards(100, 30)
    cluster = awarded.a_simulated_cluster()
    now = awarded.just_now()
    lines = reservations.plan(cluster=cluster, now=now)
    assert (reserved_hours(first), reserved_hours(second)) == (50, 15)
    assert len(lines) == Reservation.objects.values("slot_name").distinct().count()
    assert reservations.plan(cluster=cluster, now=now) == []
    longest = max(row.ends_at - row.starts_at for row in Reservation.objects.all())
    assert longest == timedelta(hours=24)


@pytest.mark.django_db
def test_a_dry_run_says_the_slots_and_writes_none() -> None:
    awarded.some_awards(10)
    cluster = awarded.a_simulated_cluster()
    lines = reservations.plan(cluster=cluster, now=awarded.just_now(), dry_run=True)
    assert len(lines) == 1 and "1 × a100 on sim1" in lines[0]
    assert not Reservation.objects.exists()


@pytest.mark.django_db
def test_a_cluster_that_reserves_nodes_rounds_up_to_whole_nodes_and_says_so() -> None:
    (award,) = awarded.some_awards(20)
    cluster = awarded.a_simulated_cluster(unit="node")
    (line,) = reservations.plan(cluster=cluster, now=awarded.just_now())
    assert "all 4 GPUs of sim1" in line
    assert Reservation.objects.count() == 4
    assert reserved_hours(award) == 10
    assert {row.gpu.node for row in Reservation.objects.all()} == {"sim1"}


@pytest.mark.django_db
def test_more_gpus_at_once_are_taken_when_the_end_is_near() -> None:
    (award,) = awarded.some_awards(100)
    cluster = awarded.a_simulated_cluster()
    late = award.ends_at - timedelta(hours=20)
    reservations.plan(cluster=cluster, now=late)
    assert Reservation.objects.values("slot_name").distinct().count() == 1
    assert Reservation.objects.count() == 3
    assert 49 <= reserved_hours(award) <= 50
    assert all(row.ends_at <= award.ends_at for row in Reservation.objects.all())


@pytest.mark.django_db
def test_maintenance_is_left_free_and_slots_in_it_are_moved_with_a_mail() -> None:
    (award,) = awarded.some_awards(8)
    cluster = awarded.a_simulated_cluster(gpus=1)
    now = awarded.just_now()
    reservations.plan(cluster=cluster, now=now)
    starts_at, ends_at = now + timedelta(hours=1), now + timedelta(hours=9)
    reservations.close_time(
        cluster=cluster, node="sim1", starts_at=starts_at, ends_at=ends_at, reason="Cooling", by=None, now=now
    )
    assert reserved_hours(award) == 0
    assert (
        Mail.objects.filter(subject__contains="moves", to_address=award.application.owner.email).count() == 1
    )
    reservations.plan(cluster=cluster, now=now)
    live = Reservation.objects.live()
    assert reserved_hours(award) == 4
    assert not live.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists()


@pytest.mark.django_db
def test_closing_names_what_is_wrong_with_the_time_or_the_node() -> None:
    cluster = awarded.a_simulated_cluster()
    now = awarded.just_now()
    later = now + timedelta(hours=1)
    times = {"starts_at": later, "ends_at": now, "reason": "", "by": None, "now": now}
    with pytest.raises(Refused, match="end must be later"):
        reservations.close_time(cluster=cluster, node="", **times)
    with pytest.raises(Refused, match="no node sim9"):
        reservations.close_time(
            cluster=cluster, node="sim9", **(times | {"starts_at": now, "ends_at": later})
        )


@pytest.mark.django_db
def test_slots_of_paused_and_revoked_awards_and_beyond_the_hours_left_are_given_up() -> None:
    paused, revoked, spent = awarded.some_awards(60, 60, 60)
    cluster = awarded.a_simulated_cluster()
    now = awarded.just_now()
    reservations.plan(cluster=cluster, now=now)
    awards.pause(award=paused, by=None, reason="A question.", now=now)
    awards.revoke(award=revoked, by=None, reason="Rules.", now=now)
    Award.objects.filter(pk=spent.pk).get().balances.filter(account="ready").update(gpu_seconds=10 * HOUR)
    lines = reservations.plan(cluster=cluster, now=now)
    assert reserved_hours(paused) == 0 and reserved_hours(revoked) == 0
    assert reserved_hours(spent) == 10
    assert any("given up" in line for line in lines)


@pytest.mark.django_db
def test_a_plan_says_why_hours_find_no_place() -> None:
    (award,) = awarded.some_awards(100)
    cluster = awarded.a_simulated_cluster(gpus=1)
    lines = reservations.plan(cluster=cluster, now=award.ends_at - timedelta(hours=2))
    assert any("find no place" in line and award.account_name in line for line in lines)


@pytest.mark.django_db
def test_the_plan_can_be_killed_anywhere_and_run_again() -> None:
    awarded.some_awards(60, 30)
    cluster = awarded.a_simulated_cluster()
    now = awarded.just_now()

    def state() -> list[Any]:
        rows = Reservation.objects.order_by("starts_at", "gpu")
        return list(rows.values_list("award", "gpu", "starts_at", "ends_at", "state"))

    assert ends_alike(lambda: reservations.plan(cluster=cluster, now=now), state) > 5


@pytest.mark.django_db
@pytest.mark.parametrize("before", ReservationState)
@pytest.mark.parametrize("after", ReservationState)
def test_only_the_moves_of_the_table_are_made(before: ReservationState, after: ReservationState) -> None:
    awarded.some_awards(2)
    cluster = awarded.a_simulated_cluster(gpus=1)
    reservations.plan(cluster=cluster, now=awarded.just_now())
    Reservation.objects.update(state=before)
    name = Reservation.objects.get().slot_name
    moved = slots.move_slot(slot_name=name, to=after, by=None, now=awarded.just_now())
    assert moved == (after in RESERVATION_TRANSITIONS[before])
    assert Reservation.objects.get().state == (after if moved else before)


@pytest.mark.django_db
def test_a_slot_that_is_over_cannot_be_given_up() -> None:
    awarded.some_awards(2)
    cluster = awarded.a_simulated_cluster(gpus=1)
    now = awarded.just_now()
    reservations.plan(cluster=cluster, now=now)
    name = Reservation.objects.get().slot_name
    reservations.cancel_slot(slot_name=name, by=factories.an_operator(), now=now)
    assert Reservation.objects.get().state == "cancelled"
    with pytest.raises(Refused, match="over or was given up"):
        reservations.cancel_slot(slot_name=name, by=None, now=now)


@pytest.mark.django_db(transaction=True)
def test_sixteen_planners_at_once_book_each_hour_once() -> None:
    found = awarded.some_awards(*[24] * 16)
    cluster = awarded.a_simulated_cluster()
    now = awarded.just_now()
    results = in_threads(16, lambda _number: reservations.plan(cluster=cluster, now=now))
    assert [each for each in results if isinstance(each, Exception)] == []
    assert [reserved_hours(award) for award in found] == [12] * 16
    assert double_booked() == []


def book_past_the_lock(cluster: Cluster) -> list[Any]:
    """Sixteen planners that all plan before any of them writes, as without the lock."""
    now = awarded.just_now()
    proposed = [planning.propose(cluster, now)[0][:8] for _each in range(16)]
    return in_threads(16, lambda number: reservations.store(proposed[number], now))


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_wall_lets_one_of_sixteen_through() -> None:
    awarded.some_awards(*[24] * 8)
    cluster = awarded.a_simulated_cluster()
    results = book_past_the_lock(cluster)
    refused = [each for each in results if each is not None]
    assert len(refused) == 15
    assert all(isinstance(each, IntegrityError) or "deadlock" in str(each) for each in refused)
    assert double_booked() == []


@pytest.mark.django_db(transaction=True)
def test_twin_without_the_wall_books_gpus_many_times() -> None:
    """Broken on purpose: shows that the test above would notice."""
    awarded.some_awards(*[24] * 8)
    cluster = awarded.a_simulated_cluster()
    with no_wall():
        book_past_the_lock(cluster)
        assert len(double_booked()) > 100
        Reservation.objects.all().delete()


class no_wall:  # noqa: N801 (reads as a word after "with")
    """Takes the database's wall out, and puts it back."""

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                name = "allocation_reservation_no_overlap"
                cursor.execute(
                    "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
                )
                self.again = [
                    f"ALTER TABLE allocation_reservation ADD CONSTRAINT {name} {cursor.fetchone()[0]}"
                ]
                cursor.execute(f"ALTER TABLE allocation_reservation DROP CONSTRAINT {name}")
                return
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE name LIKE 'allocation_reservation_no_overlap_%'"
            )
            found = cursor.fetchall()
            assert len(found) == 2
            self.again = [sql for _name, sql in found]
            for name, _sql in found:
                cursor.execute(f"DROP TRIGGER {name}")

    def __exit__(self, *fault: object) -> None:
        Reservation.objects.all().delete()
        with connection.cursor() as cursor:
            for sql in self.again:
                cursor.execute(sql)


@pytest.mark.django_db
@pytest.mark.parametrize("state", LIVE_RESERVATIONS)
def test_the_database_refuses_a_second_live_row_over_the_same_time(state: str) -> None:
    awarded.some_awards(2)
    cluster = awarded.a_simulated_cluster(gpus=1)
    reservations.plan(cluster=cluster, now=awarded.just_now())
    row = Reservation.objects.get()
    twin = Reservation(award=row.award, gpu=row.gpu, starts_at=row.starts_at, ends_at=row.ends_at)
    twin.state, twin.state_since = state, row.state_since
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()
    twin.state = "cancelled"
    twin.save()
    assert Reservation.objects.count() == 2


@pytest.mark.django_db
def test_attach_names_what_it_cannot_take() -> None:
    pool = awarded.a_decided_call(asks=[10]).pools.get()
    now = awarded.just_now()

    def attach(**changed: Any) -> Cluster:
        nodes = [{"name": "n1", "gpu_type": changed.pop("gpu_type", "a100"), "gpus": 2}]
        given = {
            "name": "new",
            "kind": "simulated",
            "settings": {"nodes": nodes},
            "zone": "UTC",
            "pools": [pool],
        }
        return reservations.attach(**(given | changed), by=None, now=now)

    with pytest.raises(Refused, match="does not know these GPU types: h900"):
        attach(gpu_type="h900")
    factories.a_gpu_type("l40")
    with pytest.raises(Refused, match="offers a100, which this cluster does not have"):
        attach(gpu_type="l40")
    with pytest.raises(Refused, match="no time zone called"):
        attach(zone="Mars")
    with pytest.raises(Refused, match="cannot be used. Unknown settings: host"):
        attach(settings={"host": "x"})
    with pytest.raises(Refused, match="does not answer"):
        attach(kind="slurm", settings={"prefix": ["/nowhere/at-all"]})
    made = attach()
    assert (made.unit, made.version, made.gpus.count(), list(made.pools.all())) == (
        "gpu",
        "simulated",
        2,
        [pool],
    )
    with pytest.raises(Refused, match="a cluster called new already"):
        attach()
