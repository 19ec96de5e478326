"""`manage.py attach NAME --kind slurm --with JSON --pool ID`: takes a cluster in.

The driver's settings come by --with, since --settings names Django's own for every command.
"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from allocation import clusters, reservations
from allocation.command import plainly
from grants.models import Pool


class Command(BaseCommand):
    help = "Asks a cluster for its version and GPUs, and serves the named pools with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="how the site calls the cluster")
        parser.add_argument("--kind", choices=clusters.KINDS, required=True)
        parser.add_argument(
            "--with", default="{}", help='the driver\'s settings, JSON such as {"prefix": ["ssh", "login"]}'
        )
        parser.add_argument("--zone", default="UTC", help="the cluster's time zone, such as Asia/Dhaka")
        parser.add_argument(
            "--pool", type=int, action="append", default=[], help="a pool's number; repeatable"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        pools = list(Pool.objects.filter(pk__in=options["pool"]).order_by("pk"))
        if missing := sorted(set(options["pool"]) - {pool.pk for pool in pools}):
            raise CommandError(f"There is no pool {', '.join(map(str, missing))}.")
        with plainly():
            cluster = reservations.attach(
                name=options["name"],
                kind=options["kind"],
                settings=settings_of(options["with"]),
                zone=options["zone"],
                pools=pools,
                by=None,
                now=timezone.now(),
            )
        unit = cluster.get_unit_display()
        self.stdout.write(f"{cluster}: {cluster.version}, {cluster.gpus.count()} GPUs, reserves by {unit}")


def settings_of(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError as fault:
        raise CommandError(f"--with is no JSON: {fault}") from fault
    if not isinstance(read, dict):
        raise CommandError('--with must be an object such as {"login": "login.example.org"}.')
    return read
