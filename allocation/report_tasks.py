"""The worker's part of reports; it may run twice, and a report that is made stays as it is."""

from django.utils import timezone

from allocation import reports
from allocation.models import Report


def make_report(report_id: int) -> None:
    reports.make(report=Report.objects.select_related("made_by").get(pk=report_id), now=timezone.now())
