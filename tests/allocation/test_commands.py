"""The cluster commands: what they print, and one plain line with exit 1 for what cannot be."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from allocation.models import Cluster, Reservation
from grants.models import Pool
from tests import factories
from tests.allocation import awarded
from tests.allocation.test_reconcile import unreachable_cluster

pytestmark = pytest.mark.django_db


def run(*words: str) -> list[str]:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue().splitlines()


def test_a_cluster_is_attached_planned_reconciled_and_metered_by_command() -> None:
    (award,) = awarded.some_awards(8)
    pool = Pool.objects.get()
    nodes = {
        "name": f"by-command-{award.account_name}",
        "nodes": [{"name": "n1", "gpu_type": "a100", "gpus": 2}],
    }
    told = run("attach", "here", "--kind", "simulated", "--with", json.dumps(nodes), "--pool", str(pool.pk))
    assert told == ["here: simulated, 2 GPUs, reserves by GPU"]
    dry, real = run("plan", "here", "--dry-run"), run("plan", "here")
    assert dry == real and len(real) == 1
    assert all(line.startswith("simulated ") for line in run("reconcile", "here", "--dry-run"))
    assert len(run("reconcile", "here")) == 4
    assert run("reconcile", "here") == []
    assert run("meter", "here")[0].startswith("0 jobs read")
    assert run("meter", "here", "--since", "2026-01-01T00:00") == [
        "0 jobs read, 0 new or changed, 0 GPU-seconds moved"
    ]
    assert run("checkcluster", "here") == [
        "ok   This cluster is simulated. Its jobs and figures are made up. Attach a real one."
    ]
    award.refresh_from_db()
    assert award.state == "active" and Reservation.objects.get().state in ("placed", "running")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "nowhere"), "There is no cluster nowhere. Known: "),
        (("meter", "{cluster}", "--since", "yesterday"), "“yesterday” is no instant"),
        (("attach", "new", "--kind", "simulated", "--with", "{"), "--with is no JSON"),
        (("attach", "new", "--kind", "simulated", "--with", "[]"), "--with must be an object"),
        (("attach", "new", "--kind", "simulated", "--pool", "999999"), "There is no pool 999999"),
        (("attach", "{cluster}", "--kind", "simulated"), "already. Choose another name"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(words: tuple[str, ...], said: str) -> None:
    cluster = awarded.a_simulated_cluster()
    with pytest.raises(CommandError) as fault:
        run(*(word.replace("{cluster}", cluster.name) for word in words))
    assert said in str(fault.value) and "\n" not in str(fault.value)


@pytest.mark.parametrize("command", ["reconcile", "meter"])
def test_a_cluster_that_is_away_is_one_line_too(command: str) -> None:
    cluster = awarded.a_simulated_cluster()
    unreachable_cluster(cluster)
    with pytest.raises(CommandError, match="simulated cluster"):
        run(command, cluster.name)


def test_checkcluster_exits_one_where_the_gpus_are_not_ours() -> None:
    cluster = awarded.a_simulated_cluster(gpus=4)
    cluster.gpus.filter(index=3).delete()
    with pytest.raises(CommandError, match="1 of 2 things are not right"):
        run("checkcluster", cluster.name)


def test_the_operator_sees_clusters_and_closes_a_time_in_the_workroom(client: Any, settings: Any) -> None:
    settings.STAFF_NEEDS_MFA = False
    awarded.some_awards(8)
    cluster = awarded.a_simulated_cluster()
    run("plan", cluster.name)
    run("reconcile", cluster.name)
    slot = Reservation.objects.get()
    client.force_login(factories.an_operator())
    change = f"/admin/allocation/cluster/{cluster.pk}/change/"
    for path in ("/admin/allocation/cluster/", change, f"{change}?look=1", "/admin/allocation/reservation/"):
        assert client.get(path).status_code == 200, path
    assert client.get(f"/admin/allocation/reservation/{slot.pk}/change/").status_code == 200
    login = cluster.logins.get()
    client.post(f"/admin/allocation/cluster/{cluster.pk}/logins/{login.pk}/", {"name": "asha"})
    times = {
        "node": "sim1",
        "starts_at": "2020-01-01T00:00",
        "ends_at": "2099-01-01T00:00",
        "reason": "Cooling",
    }
    assert client.post(f"/admin/allocation/cluster/{cluster.pk}/close/", times).status_code == 302
    assert cluster.logins.get().name == "asha"
    assert Reservation.objects.get().state == "cancelled" and cluster.maintenances.get().node == "sim1"
    assert "Cooling" in client.get(change).content.decode()
    wrong = client.post(
        f"/admin/allocation/cluster/{cluster.pk}/close/", times | {"ends_at": "2019-01-01T00:00"}
    )
    assert "The end must be later" in wrong.content.decode()
    client.force_login(factories.a_chair())
    assert client.get(change).status_code == 404
    assert Cluster.objects.count() == 1
