"""Pages about decisions, awards and runs."""

from datetime import datetime
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allocation import awards, bundles, telling
from allocation.award_page import slots_and_use
from allocation.forms import ProgressNoteForm
from allocation.models import AllocationRun, Award, Decision
from grants.models import Application, Call
from portal.access import get_visible_from
from portal.models import User
from portal.once import once
from portal.refused import Refused


@login_required
@require_safe
def decision(request: HttpRequest, public_id: str) -> HttpResponse:
    """What an applicant is told; before the release there is no such page."""
    seen = Application.objects.visible_to(request.user)
    rows = Decision.objects.filter(application__in=seen, run__state="released").select_related(
        "run", "application__call", "award"
    )
    row = get_visible_from(rows, request.user, application__public_id=public_id)
    now = _now(request)
    context = {
        "decision": row,
        "application": row.application,
        "told": telling.tell(row),
        "award": getattr(row, "award", None),
        "open_calls": Call.objects.visible_to(request.user).open_at(now)[:2],
        "announced_calls": Call.objects.visible_to(request.user).announced_at(now)[:2],
    }
    return render(request, "allocation/decision.html", context)


@login_required
@require_safe
def award(request: HttpRequest, account_name: str) -> HttpResponse:
    row = _award(request, account_name, "read")
    context = {
        "award": row,
        "application": row.application,
        "call": row.pool.call,
        "hours": telling.hours_of(row),
        "may_act": telling.leads_the_group(cast(User, request.user), row),
        "is_offer_open": row.state == "offered" and _now(request) < row.offer_ends_at,
    }
    if row.state != "offered":
        context |= slots_and_use(row, _now(request))
    return render(request, "allocation/award.html", context)


@login_required
@require_POST
@once
def accept_award(request: HttpRequest, account_name: str) -> HttpResponse:
    row = _award(request, account_name, "write")
    try:
        awards.accept(award=row, by=cast(User, request.user), now=_now(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The hours are yours. A mail comes when your first slot is placed."))
    return redirect("award", account_name)


@login_required
@require_POST
@once
def give_back(request: HttpRequest, account_name: str) -> HttpResponse:
    row = _award(request, account_name, "write")
    try:
        awards.give_back(award=row, by=cast(User, request.user), now=_now(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Thank you. The hours are back in the pool, for another group."))
    return redirect("award", account_name)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def progress_note(request: HttpRequest, account_name: str) -> HttpResponse:
    row = _award(request, account_name, "write")
    form = ProgressNoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by = cast(User, request.user)
        try:
            awards.write_progress_note(award=row, by=by, text=form.text(), now=_now(request))
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Thank you. The second half of your hours is open."))
            return redirect("award", account_name)
    return render(request, "allocation/progress_note.html", {"award": row, "form": form})


@require_safe
def run(request: HttpRequest, public_id: str) -> HttpResponse:
    """A released run, for everybody: what was decided, and how to check it."""
    row = _released_run(request, public_id)
    lot = bundles.lot_of(row.call)
    asked = request.GET.get("receipt", "")
    context = {
        "run": row,
        "call": row.call,
        "totals": telling.public_totals(row),
        "pools": telling.public_pools(row),
        "page": Paginator(telling.public_decisions(row), 50).get_page(request.GET.get("page")),
        "lot": lot,
        "asked_receipt": asked,
        "place": telling.find_receipt(lot["receipts"], asked) if asked else None,
    }
    return render(request, "allocation/run.html", context)


@require_safe
def run_bundle(request: HttpRequest, public_id: str) -> HttpResponse:
    row = _released_run(request, public_id)
    answer = HttpResponse(bundles.as_bytes(row), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{row.public_id}.json"'
    return answer


def _award(request: HttpRequest, account_name: str, right: str) -> Award:
    rows = Award.objects.select_related("application__group", "pool__call", "pool__gpu_type", "pool__funder")
    return get_visible_from(rows, request.user, right, account_name=account_name)


def _released_run(request: HttpRequest, public_id: str) -> AllocationRun:
    rows = AllocationRun.objects.released().select_related("call", "ranking")
    return get_visible_from(rows, request.user, public_id=public_id)


def _now(request: HttpRequest) -> datetime:
    arrived_at: datetime = request.arrived_at  # type: ignore[attr-defined]
    return arrived_at
