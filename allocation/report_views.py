"""The funder's page, and reports as PDF, page and CSV."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from allocation import funding, reports
from allocation.models import Award, Report
from grants.models import Call, Funder
from portal.access import get_visible, get_visible_from
from portal.lib.paper import Link
from portal.models import User
from portal.once import once


@login_required
@require_safe
def funder(request: HttpRequest) -> HttpResponse:
    """What a person's funders gave, and what became of it; 404 for people without a seat."""
    funders = Funder.objects.visible_to(request.user, as_={"funder"})
    if not funders.exists():
        raise Http404
    rows = Report.objects.visible_to(request.user, as_={"funder"})
    reports_shown = list(rows.select_related("call", "award__application").defer("data", "pdf")[:30])
    context = {
        "funders": funders,
        "pools": funding.pools(request.user),
        "watched": funding.awards_to_watch(request.user, request.arrived_at),  # type: ignore[attr-defined]
        "reports": reports_shown,
        "is_waiting": any(report.state in ("queued", "making") for report in reports_shown),
    }
    return render(request, "allocation/funder.html", context)


@login_required
@require_POST
@once
def ask_for_report(request: HttpRequest, slug: str) -> HttpResponse:
    funded = Call.objects.filter(pools__funder__in=Funder.objects.visible_to(request.user, as_={"funder"}))
    return _ask(request, "call", get_visible_from(funded.distinct(), request.user, slug=slug))


@login_required
@require_POST
@once
def ask_for_award_report(request: HttpRequest, account_name: str) -> HttpResponse:
    rows = Award.objects.select_related("application", "pool__call", "pool__funder")
    award = get_visible_from(rows, request.user, as_={"funder"}, account_name=account_name)
    return _ask(request, "award", award)


def _ask(request: HttpRequest, kind: str, subject: Call | Award) -> HttpResponse:
    reports.request(
        kind=kind,
        subject=subject,
        by=cast(User, request.user),
        language=get_language() or "en",
        now=request.arrived_at,  # type: ignore[attr-defined]
    )
    messages.success(request, _("The report is being made. It stands below within a minute or so."))
    return redirect("funder")


def _report(request: HttpRequest, public_id: str) -> Report:
    return get_visible(Report, request.user, public_id=public_id)


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=kind, headers=headers)


@login_required
@require_safe
def report_pdf(request: HttpRequest, public_id: str) -> HttpResponse:
    """The PDF; while it is being made, or parked, 404: the lists say where it stands."""
    report = _report(request, public_id)
    if report.pdf is None:
        raise Http404
    return _download(bytes(report.pdf), "application/pdf", f"openhours-{report.public_id}.pdf")


@login_required
@require_safe
def report_html(request: HttpRequest, public_id: str) -> HttpResponse:
    report = _report(request, public_id)
    links = [Link("CSV", reverse("report_csv", args=[public_id]))]
    if report.pdf is not None:
        links.insert(0, Link("PDF", reverse("report_pdf", args=[public_id])))
    return HttpResponse(reports.as_html(report, is_paper=False, files=tuple(links)))


@login_required
@require_safe
def report_csv(request: HttpRequest, public_id: str) -> HttpResponse:
    report = _report(request, public_id)
    return _download(reports.as_csv(report), "text/csv; charset=utf-8", f"openhours-{public_id}.csv")
