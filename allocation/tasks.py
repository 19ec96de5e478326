"""What the worker does for awards and clusters. Each task takes ids, re-reads its rows and may run twice."""

from django.utils import timezone

from allocation import awards, reports, reservations, usage
from allocation.clusters.base import ClusterAway
from allocation.models import Cluster
from portal.queue import defer
from portal.refused import Refused


def place_award(award_id: int) -> None:
    """Plans an award's hours and makes its account, on every cluster that serves its pool."""
    now = timezone.now()
    for cluster in Cluster.objects.filter(pools__awards=award_id).order_by("pk").distinct():
        reservations.plan(cluster=cluster, now=now)
        try:
            reservations.reconcile(cluster=cluster, now=now)
        except (ClusterAway, Refused):
            continue  # the reason stands at the cluster; tend_cluster tries again


def every_five_minutes() -> None:
    """Ends awards that are due, takes up lost reports, then gives each cluster a task of its own, so that a fault
    stays with it."""
    awards.end_due(now=timezone.now())
    reports.take_up(now=timezone.now())
    for cluster in Cluster.objects.order_by("pk"):
        defer("allocation.tasks.tend_cluster", cluster.pk)


def tend_cluster(cluster_id: int) -> None:
    """Plans, reconciles and meters one cluster. Accounting may answer while the controller is away."""
    now = timezone.now()
    cluster = Cluster.objects.get(pk=cluster_id)
    for step in (reservations.plan, reservations.reconcile, usage.meter):
        try:
            step(cluster=cluster, now=now)
        except ClusterAway:
            continue  # its reason stands at the cluster
        except Refused as fault:
            Cluster.objects.filter(pk=cluster_id).update(last_error=str(fault)[:500])
        cluster.refresh_from_db()
