"""What the cluster commands share: they take a cluster's name, and say a fault in one plain line."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from allocation.clusters.base import ClusterAway
from allocation.models import Cluster
from portal.refused import Refused


@contextmanager
def plainly() -> Iterator[None]:
    """Turns what a person may read into the command's one line on stderr, exit 1."""
    try:
        yield
    except (ClusterAway, Refused) as fault:
        raise CommandError(str(fault)) from fault


class ClusterCommand(BaseCommand):
    """A command about one cluster; what `lines` yields is printed."""

    has_dry_run = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cluster", help="the cluster's name")
        if self.has_dry_run:
            parser.add_argument("--dry-run", action="store_true", help="say what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        cluster = Cluster.objects.filter(name=options["cluster"]).first()
        if cluster is None:
            known = ", ".join(Cluster.objects.order_by("name").values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no cluster {options['cluster']}. Known: {known}.")
        with plainly():
            for line in self.lines(cluster, options):
                self.stdout.write(line)

    def lines(self, cluster: Cluster, options: dict[str, Any]) -> Iterator[str]:
        raise AssertionError("each command says its own lines")
