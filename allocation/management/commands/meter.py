"""`manage.py meter CLUSTER [--since ISO]`: reads what jobs used and moves it in the ledger."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from allocation import usage
from allocation.command import ClusterCommand
from allocation.models import Cluster


class Command(ClusterCommand):
    help = "Reads the use of jobs; may be repeated at will."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--since", help="an instant such as 2027-03-01T00:00 (UTC where no zone is given)"
        )

    def lines(self, cluster: Cluster, options: dict[str, Any]) -> Iterator[str]:
        since = instant(options["since"]) if options["since"] else None
        read = usage.meter(cluster=cluster, now=timezone.now(), since=since)
        yield f"{read.jobs} jobs read, {read.changed} new or changed, {read.gpu_seconds} GPU-seconds moved"
        for account, jobs in read.unknown.items():
            yield f"{account}: {jobs} jobs of an account that no award has; nothing is billed"


def instant(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError as fault:
        raise CommandError(f"“{text}” is no instant. Write one such as 2027-03-01T00:00.") from fault
    return read if read.tzinfo else read.replace(tzinfo=UTC)
