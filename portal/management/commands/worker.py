"""`manage.py worker`: the queue under a supervisor with a heartbeat (portal.supervisor)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.supervisor import Supervisor


class Command(BaseCommand):
    help = "Runs the queue and restarts it whenever it gives no sign of life."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--beat", type=float, default=15, help="seconds between two signs of life")
        parser.add_argument("--stale", type=float, default=120, help="seconds of silence before a restart")

    def handle(self, *args: Any, **options: Any) -> None:
        Supervisor(beat_seconds=options["beat"], stale_seconds=options["stale"]).run()
