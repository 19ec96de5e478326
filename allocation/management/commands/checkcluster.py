"""`manage.py checkcluster CLUSTER`: what must be on for limits and metering to be true, with the remedy."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from allocation.clusters import comparison
from allocation.clusters.base import Finding, NodeGpu
from allocation.command import ClusterCommand
from allocation.drivers import driver_of
from allocation.models import Cluster


class Command(ClusterCommand):
    help = "Looks at everything that must be on in a cluster; exit 1 with the line to write where one is not."

    def lines(self, cluster: Cluster, options: dict[str, Any]) -> Iterator[str]:
        found = findings(cluster)
        for finding in found:
            yield f"{'ok  ' if finding.ok else 'NO  '} {finding.what}"
            if not finding.ok and finding.remedy:
                yield f"     {finding.remedy}"
        if wrong := sum(not finding.ok for finding in found):
            raise CommandError(f"{wrong} of {len(found)} things are not right on {cluster}.")


def findings(cluster: Cluster) -> list[Finding]:
    driver = driver_of(cluster, timezone.now())
    gpus = cluster.gpus.values_list("node", "index", "gpu_type__key")
    expected = [NodeGpu(node=node, index=index, gpu_type=key) for node, index, key in gpus]
    return [*driver.check(), *comparison.inventory_differences(expected, driver.inventory())]
