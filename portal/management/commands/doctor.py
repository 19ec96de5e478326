"""`manage.py doctor`: everything that must be right on this installation, with the remedy for what is not."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import allauth
import django
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from allocation.models import Cluster
from portal.lib import pdf
from portal.models import Heartbeat, Mail, User

LEAST_DJANGO, LEAST_ALLAUTH = (5, 2, 19), (65, 19, 4)


@dataclass(frozen=True)
class Finding:
    """`remedy` says what to do; it matters only where `is_well` is false."""

    what: str
    is_well: bool
    remedy: str


def environment() -> Iterator[Finding]:
    key = settings.DATA_DIR / "secret_key"
    is_private = not key.exists() or stat.S_IMODE(key.stat().st_mode) == 0o600
    yield Finding("the secret key is private (OPENHOURS_SECRET_KEY)", is_private, f"chmod 600 {key}")
    yield Finding(
        f"the site's address is {settings.SITE_URL} (OPENHOURS_URL)",
        settings.IS_DEMO or settings.IS_HTTPS,
        "Set OPENHOURS_URL to the https address that people type.",
    )
    is_written_to_files = "filebased" in settings.EMAIL_BACKEND
    yield Finding(
        "mail leaves this machine (EMAIL_URL)",
        settings.IS_DEMO or not is_written_to_files,
        "Set EMAIL_URL, such as smtp+tls://name:password@mail.example.org:587.",
    )
    yield Finding(
        f"data lie in {settings.DATA_DIR} (OPENHOURS_DATA), this is {'' if settings.IS_DEMO else 'not '}the demo "
        "(OPENHOURS_DEMO)",
        True,
        "",
    )


def versions() -> Iterator[Finding]:
    for name, found, least in (
        ("Django", django.VERSION[:3], LEAST_DJANGO),
        ("allauth", allauth.VERSION[:3], LEAST_ALLAUTH),
    ):
        shown = ".".join(map(str, found))
        yield Finding(f"{name} {shown}", found >= least, "make setup")


def database() -> Iterator[Finding]:
    kind = connection.vendor
    try:
        plan = MigrationExecutor(connection).migration_plan(
            MigrationExecutor(connection).loader.graph.leaf_nodes()
        )
    except DatabaseError as fault:
        yield Finding(f"{kind} answers (DATABASE_URL)", False, f"{fault}".strip() or "Start the database.")
        return
    yield Finding(f"{kind} answers (DATABASE_URL)", True, "")
    yield Finding("all migrations are applied", not plan, "manage.py migrate")
    if plan:
        return
    is_there = settings.CACHES["default"]["LOCATION"] in connection.introspection.table_names()
    yield Finding("the cache's table is there", is_there, "manage.py createcachetable")
    yield Finding(
        "an operator is named",
        User.objects.filter(is_operator=True, is_active=True).exists(),
        "manage.py createsuperuser",
    )
    yield from running_parts()


def running_parts() -> Iterator[Finding]:
    now = timezone.now()
    beat = Heartbeat.objects.filter(name="queue").values_list("beat_at", flat=True).first()
    lives = beat is not None and now - beat < timedelta(minutes=5)
    yield Finding("the worker gives signs of life", lives, "Start manage.py worker.")
    parked = Mail.objects.filter(state="parked").count()
    yield Finding("no mail is parked", not parked, f"{parked} mails failed five times; see their last error.")
    for cluster in Cluster.objects.all():
        remedy = f"{cluster.last_error or 'It was never reached.'} Then: manage.py checkcluster {cluster}"
        is_seen = cluster.last_seen_at is not None and not cluster.last_error
        yield Finding(f"cluster {cluster} answers", is_seen, remedy)


def reports() -> Iterator[Finding]:
    try:
        pdf.render_pdf("<h1>1</h1>", base=settings.BASE_DIR / "portal" / "static" / "report")
    except pdf.PdfFailed as failed:
        yield Finding("PDFs can be made", False, f"{failed} On Debian: apt-get install libpangoft2-1.0-0")
        return
    yield Finding("PDFs can be made", True, "")


class Command(BaseCommand):
    help = "Looks at everything that must be right here, and says the remedy for what is not."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = [*environment(), *versions(), *database(), *reports()]
        for finding in findings:
            mark = "ok  " if finding.is_well else "NO  "
            self.stdout.write(
                f"{mark} {finding.what}" + ("" if finding.is_well else f"\n     {finding.remedy}")
            )
        wrong = sum(not finding.is_well for finding in findings)
        if wrong:
            raise CommandError(f"{wrong} things are not right; the remedy stands under each.")
