"""`manage.py checkcluster CLUSTER`: what must be on for limits and metering to be true, with the remedy."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from allocation import checks
from allocation.command import ClusterCommand
from allocation.models import Cluster


class Command(ClusterCommand):
    help = "Looks at everything that must be on in a cluster; exit 1 with the line to write where one is not."

    def lines(self, cluster: Cluster, options: dict[str, Any]) -> Iterator[str]:
        found = checks.findings(cluster, timezone.now())
        for finding in found:
            yield f"{'ok  ' if finding.ok else 'NO  '} {finding.what}"
            if not finding.ok and finding.remedy:
                yield f"     {finding.remedy}"
        if wrong := sum(not finding.ok for finding in found):
            raise CommandError(f"{wrong} of {len(found)} things are not right on {cluster}.")
