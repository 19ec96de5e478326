"""`manage.py plan CLUSTER [--dry-run]`: reservations for the ready hours of awards."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from allocation import reservations
from allocation.command import ClusterCommand
from allocation.models import Cluster


class Command(ClusterCommand):
    help = "Plans reservations for the ready hours of awards; prints each difference."
    has_dry_run = True

    def lines(self, cluster: Cluster, options: dict[str, Any]) -> Iterator[str]:
        yield from reservations.plan(cluster=cluster, now=timezone.now(), dry_run=options["dry_run"])
