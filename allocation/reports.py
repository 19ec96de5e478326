"""The stage report: figures frozen at an instant, then made into a PDF by the worker; page and CSV from the same data.

Called by pages, the admin, the command `report` and the task in allocation.report_tasks.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from allocation import figures, figures_award, report_words
from allocation.models import Award, Report, ReportState
from grants.models import Call
from portal import audit, mail
from portal.lib.csvsafe import csv_bytes
from portal.lib.paper import Link
from portal.lib.pdf import PdfFailed, render_pdf
from portal.models import User
from portal.queue import defer
from portal.refused import Refused

TRIES = 3
TASK = "allocation.report_tasks.make_report"
# Longer than any try takes: what has not moved for so long was left behind.
STUCK_AFTER = timedelta(minutes=10)


def canonical(data: dict[str, Any]) -> bytes:
    """The figures as the bytes that their digest is taken of: sorted keys, no spaces, UTF-8."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def request(*, kind: str, subject: Call | Award, by: User | None, language: str, now: datetime) -> Report:
    """Freezes the figures of a call or an award now and has the PDF made; an earlier report stays as it is."""
    if isinstance(subject, Award):
        call, award, data = subject.pool.call, subject, figures_award.for_award(subject, now)
    else:
        call, award, data = subject, None, figures.for_call(subject, now)
    with transaction.atomic():
        report = Report.objects.create(
            kind=kind,
            call=call,
            award=award,
            cutoff_at=now,
            language=language,
            made_by=by,
            state_since=now,
            data=data,
            digest=hashlib.sha256(canonical(data)).hexdigest(),
        )
        audit.record(by=by, did="report.requested", subject=report, at=now)
        defer(TASK, report.pk)
    return report


def make(*, report: Report, now: datetime) -> None:
    """Makes the PDF of a report, once. The try is counted before the heavy work, so that a report which kills
    its worker is parked after three tries like one that fails."""
    claimed = Report.objects.filter(
        pk=report.pk,
        state__in=[ReportState.QUEUED, ReportState.MAKING],
        attempts=report.attempts,
        attempts__lt=TRIES,
    ).update(state=ReportState.MAKING, state_since=now, attempts=report.attempts + 1)
    if not claimed:
        _park_if_spent(report, now)
        return
    try:
        pdf = render_pdf(as_html(report, is_paper=True))
    except PdfFailed as failed:
        spent = report.attempts + 1 >= TRIES
        Report.objects.filter(pk=report.pk, state=ReportState.MAKING).update(
            state=ReportState.PARKED if spent else ReportState.QUEUED,
            state_since=now,
            last_error=str(failed)[:500],
        )
        if not spent:
            defer(TASK, report.pk)
        return
    _store(report, pdf, now)


def _store(report: Report, pdf: bytes, now: datetime) -> None:
    """The report is ready and its asker is told, both or neither; a slower twin of this try finds it done."""
    with transaction.atomic():
        made = Report.objects.filter(pk=report.pk, state=ReportState.MAKING).update(
            state=ReportState.READY, state_since=now, pdf=pdf, last_error=""
        )
        if made and report.made_by is not None:
            mail.queue(
                key=f"report_ready:{report.pk}",
                to=report.made_by,
                template="report_ready",
                context={"report": report},
                now=now,
            )


def _park_if_spent(report: Report, now: datetime) -> None:
    Report.objects.filter(pk=report.pk, state=ReportState.MAKING, attempts__gte=TRIES).update(
        state=ReportState.PARKED,
        state_since=now,
        last_error=_(
            "Three tries ended without a word: the worker was stopped, or the figures hold a fault."
        ),
    )


def take_up(*, now: datetime) -> int:
    """Gives what a lost try left behind to the worker again; returns how many."""
    left = Report.objects.filter(
        state__in=[ReportState.QUEUED, ReportState.MAKING], state_since__lt=now - STUCK_AFTER
    )
    keys = list(left.order_by("pk").values_list("pk", flat=True)[:100])
    for key in keys:
        defer(TASK, key)
    return len(keys)


def try_again(*, report: Report, by: User | None, now: datetime) -> None:
    """Takes a parked report up again with three new tries.

    Raises Refused when it is not parked (any more).
    """
    with transaction.atomic():
        moved = Report.objects.filter(pk=report.pk, state=ReportState.PARKED).update(
            state=ReportState.QUEUED, state_since=now, attempts=0, last_error=""
        )
        if not moved:
            raise Refused(_("This report is not parked: it is being made, or ready."))
        audit.record(by=by, did="report.tried_again", subject=report, at=now)
        defer(TASK, report.pk)


def as_html(report: Report, *, is_paper: bool, files: tuple[Link, ...] = ()) -> str:
    """The report as a page on its own: for the PDF when `is_paper`, else for a browser."""
    with translation.override(report.language):
        words = report_words.report(report.data, report.digest, files=files)
        return render_to_string("report/base.html", {"report": words, "is_paper": is_paper})


def as_csv(report: Report) -> bytes:
    """Every figure with its path in the data, such as "gpu_seconds.used", "1506593"."""
    return csv_bytes(("figure", "value"), [("digest", report.digest), *_flat(report.data, "")])


def _flat(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [row for key in sorted(value) for row in _flat(value[key], f"{path}.{key}".lstrip("."))]
    if isinstance(value, list):
        return [row for n, item in enumerate(value, start=1) for row in _flat(item, f"{path}.{n}")]
    return [(path, value)]
