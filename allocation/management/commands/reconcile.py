"""`manage.py reconcile CLUSTER [--dry-run]`: makes the cluster as the rows say; a second run prints nothing."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from allocation import reservations
from allocation.command import ClusterCommand
from allocation.models import Cluster


class Command(ClusterCommand):
    help = (
        "Reads the cluster, compares, applies; prints each difference. A dry run prints the exact commands."
    )
    has_dry_run = True

    def lines(self, cluster: Cluster, options: dict[str, Any]) -> Iterator[str]:
        yield from reservations.reconcile(cluster=cluster, now=timezone.now(), dry_run=options["dry_run"])
