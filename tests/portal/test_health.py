"""What monitors read at /healthz: 200 while database and queue live, else 503."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from allocation.models import Cluster
from portal.models import Heartbeat
from portal.views import QUEUE_IS_LATE_AFTER
from tests.allocation.awarded import a_simulated_cluster

pytestmark = pytest.mark.django_db


def beat(**ago: float) -> None:
    Heartbeat.objects.update_or_create(name="queue", defaults={"beat_at": timezone.now() - timedelta(**ago)})


def test_all_is_well_while_the_queue_beats(client: Client) -> None:
    beat(seconds=7)
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["database"] == answer.json()["queue"] == "ok"
    assert 7 <= answer.json()["queue_beat_seconds_ago"] <= 60
    assert "no-store" in answer["Cache-Control"]


def test_a_queue_that_never_beat_is_a_fault(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["queue"] == "silent"
    assert answer.json()["queue_beat_seconds_ago"] is None


@pytest.mark.parametrize(("late_by", "status"), [(timedelta(seconds=-20), 200), (timedelta(seconds=1), 503)])
def test_the_queue_may_be_silent_for_five_minutes(client: Client, late_by: timedelta, status: int) -> None:
    beat(seconds=(QUEUE_IS_LATE_AFTER + late_by).total_seconds())
    assert timedelta(minutes=5) == QUEUE_IS_LATE_AFTER
    assert client.get("/healthz").status_code == status


def test_a_cluster_that_is_away_is_told_and_is_no_fault(client: Client) -> None:
    beat(seconds=1)
    cluster = a_simulated_cluster()
    Cluster.objects.filter(pk=cluster.pk).update(last_seen_at=timezone.now() - timedelta(hours=6))
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["cluster_seconds_ago"][cluster.name] >= 6 * 3600


def test_a_database_that_is_away_is_a_fault(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(connection, "ensure_connection", away)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "away"}


def test_health_tells_nothing_of_people_or_places(client: Client) -> None:
    beat(seconds=1)
    assert set(client.get("/healthz").json()) == {
        "database",
        "queue",
        "queue_beat_seconds_ago",
        "cluster_seconds_ago",
    }
    assert client.post("/healthz").status_code == 405
