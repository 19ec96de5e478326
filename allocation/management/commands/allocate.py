"""`manage.py allocate CALL`: freezes the ranking if need be and proposes a run, which a chair then approves."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from allocation import awards, ranking, telling
from allocation.models import AllocationRun
from grants.models import Application, Call
from portal.lib.hours import plain_hours
from portal.refused import Refused

HEADERS = ("place", "application", "mean", "ask", "least", "hours", "added up", "why")


class Command(BaseCommand):
    help = "Proposes a run for a call and prints it line by line. A chair approves and releases it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("call", help="the call's name in its address")
        parser.add_argument("--rule", help="instead of the call's own rule")
        parser.add_argument("--dry-run", action="store_true", help="compute and print, store nothing")
        parser.add_argument("--json", action="store_true", help="print the engine's result as it is")

    def handle(self, *args: Any, **options: Any) -> None:
        call = Call.objects.filter(slug=options["call"]).first()
        if call is None:
            raise CommandError(f"There is no call {options['call']}.")
        try:
            with transaction.atomic():
                run = self._proposed(call, options["rule"])
                lines = [run.result] if options["json"] else self._lines(run)
                transaction.set_rollback(options["dry_run"])
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        for line in lines:
            self.stdout.write(line)
        if not options["json"]:
            stored = "Nothing was stored." if options["dry_run"] else f"Run {run.public_id} is proposed."
            self.stdout.write(stored)

    def _proposed(self, call: Call, rule: str | None) -> AllocationRun:
        now = timezone.now()
        ranking.freeze(call=call, by=None, now=now)
        return awards.propose(call=call, by=None, now=now, rule=rule)

    def _lines(self, run: AllocationRun) -> list[str]:
        proposal = telling.proposal(run, Application.objects.all())
        table = [HEADERS]
        for line in proposal.lines:
            application = line.row.application
            table.append(
                (
                    str(line.row.place),
                    application.public_id,
                    f"{line.row.mean_thousandths / 1000:.3f}",
                    plain_hours(application.ask_gpu_seconds or 0),
                    plain_hours(application.minimum_gpu_seconds or 0),
                    plain_hours(line.gpu_seconds),
                    plain_hours(line.added_up_gpu_seconds),
                    " ".join(line.reasons),
                )
            )
        widths = [max(len(row[column]) for row in table) for column in range(len(HEADERS))]
        printed = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        left = [f"{pool.name}: {plain_hours(pool.left_gpu_seconds)} hours left" for pool in proposal.pools]
        return [*printed, *left]
