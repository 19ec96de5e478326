"""`manage.py report call|award ID [-o FILE.pdf|.html|.csv]`: freezes the figures now and writes the report."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from allocation import reports
from allocation.models import Award, Report
from grants.models import Call


class Command(BaseCommand):
    help = "Makes a report of a call (by its name in the address) or of an award (by its account)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["call", "award"])
        parser.add_argument("id", help="the call's name in the address, or the award's account")
        parser.add_argument("-o", "--output", type=Path, help="FILE.pdf, FILE.html or FILE.csv")
        parser.add_argument("--language", default="en")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path | None = options["output"]
        if target is not None and target.suffix not in (".pdf", ".html", ".csv"):
            raise CommandError(f"{target} should end in .pdf, .html or .csv.", returncode=2)
        subject = find(options["kind"], options["id"])
        now = timezone.now()
        report = reports.request(
            kind=options["kind"], subject=subject, by=None, language=options["language"], now=now
        )
        reports.make(report=report, now=now)
        report.refresh_from_db()
        if report.pdf is None:
            raise CommandError(f"The PDF was not made: {report.last_error}")
        if target is not None:
            target.write_bytes(content(report, target.suffix))
        self.stdout.write(
            f"{report.public_id}  data to {report.cutoff_at:%Y-%m-%d %H:%M} UTC  {report.digest}"
        )


def find(kind: str, name: str) -> Call | Award:
    if kind == "call":
        call = Call.objects.filter(slug=name).first()
        if call is None:
            raise CommandError(f"There is no call named {name} in its address.")
        return call
    award = Award.objects.filter(account_name=name).select_related("pool__call", "application").first()
    if award is None:
        raise CommandError(f"There is no award with the account {name}.")
    return award


def content(report: Report, suffix: str) -> bytes:
    if suffix == ".csv":
        return reports.as_csv(report)
    if suffix == ".html":
        return reports.as_html(report, is_paper=False).encode()
    return bytes(report.pdf or b"")
