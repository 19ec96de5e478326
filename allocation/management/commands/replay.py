"""`manage.py replay RUN|FILE.json`: computes a run again; identical bytes, or exit 1 with the first difference."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from allocation import awards, bundles, engine
from allocation.models import AllocationRun


class Command(BaseCommand):
    help = "Computes a run again from its public bundle and compares every byte."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN|FILE.json", help="a run's id, or a downloaded bundle")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = engine.read(self._bytes(options["run"]))
            faults = awards.replay(found)
        except engine.BundleError as error:
            raise CommandError(str(error)) from error
        if faults:
            more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
            raise CommandError(f"{faults[0]}{more}")
        decisions = len(found["result"]["decisions"])
        self.stdout.write(
            f"The same to the last byte: {decisions} decisions, result {engine.digest(found['result'])}."
        )

    def _bytes(self, name: str) -> bytes:
        if name.endswith(".json"):
            try:
                return Path(name).read_bytes()
            except OSError as error:
                raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
        run = AllocationRun.objects.filter(public_id=name).first()
        if run is None:
            raise CommandError(f"There is no run {name}. A file's name ends in .json.")
        return bundles.as_bytes(run)
