"""The chair's pages about a call in the workroom: make, change, rubric, pools, publish, and how far it is."""

from typing import Any, cast

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from grants import calls
from grants.admin_applications import stood_back_assignments
from grants.admin_forms import CallForm, EarmarkForm, PoolForm, RubricForm, show_faults
from grants.models import Application, Assignment, Call
from grants.rubric import shown
from portal.access import get_visible_from
from portal.admin_base import workroom_page
from portal.models import User
from portal.once import once
from portal.refused import Refused

PAGE = "admin:grants_call_change"
CHAIR = frozenset({"chair"})


@once
def add_call(request: HttpRequest) -> HttpResponse:
    form = CallForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            call = calls.create_from_preset(
                chair=cast(User, request.user), now=_now(request), **form.for_stage()
            )
            messages.success(request, _("The call is made. Nobody sees it before you publish it."))
            return redirect(PAGE, call.pk)
        except Refused as no:
            show_faults(form, no.fields, str(no))
    return workroom_page(request, "admin/grants/call_form.html", title=_("Add a call"), form=form)


def call_page(request: HttpRequest, call: Call) -> HttpResponse:
    """A call's desk: what is missing, its dates, rubric and pools, how far the reviews are."""
    now = _now(request)
    context = {
        "call": call,
        "phase": call.phase(now).label,
        "is_frozen": calls.is_frozen(call, now),
        "missing": [] if call.published_at else calls.missing(call),
        "criteria": [(each, shown(each.name)) for each in call.criteria.all()],
        "pools": call.pools.select_related("funder", "gpu_type").prefetch_related("earmarks"),
        "chairs": call.chairs.all(),
        "progress": progress(request, call),
        "reviewers": by_reviewer(request, call),
        "pool_form": PoolForm(user=request.user),
        "earmark_form": EarmarkForm(call=call),
    }
    return workroom_page(request, "admin/grants/call.html", title=call.title, **context)


def progress(request: HttpRequest, call: Call) -> dict[str, int]:
    """Applications by state, reviews wanted and sent."""
    seen = Application.objects.visible_to(request.user, as_=CHAIR).in_call(call)
    states = dict(seen.order_by().values_list("state").annotate(Count("pk")))
    sent = states.get("submitted", 0)
    assigned = Assignment.objects.visible_to(request.user, as_=CHAIR).standing()
    standing = assigned.filter(application__call=call).exclude(pk__in=stood_back_assignments())
    return {
        "sent": sent,
        "withdrawn": states.get("withdrawn", 0),
        "ineligible": states.get("ineligible", 0),
        "wanted": sent * call.reviewers_per_application,
        "assigned": standing.count(),
        "reviewed": standing.filter(review__submitted_at__isnull=False).count(),
    }


def by_reviewer(request: HttpRequest, call: Call) -> Any:
    """Who has how many applications of the call, and how many reviews are in."""
    assigned = Assignment.objects.visible_to(request.user, as_=CHAIR).standing()
    standing = assigned.filter(application__call=call).exclude(pk__in=stood_back_assignments())
    counted = (
        standing.order_by()
        .values("reviewer__display_name", "reviewer__email")
        .annotate(
            given=Count("pk"),
            declared=Count("pk", filter=Q(declared_at__isnull=False)),
            sent=Count("pk", filter=Q(review__submitted_at__isnull=False)),
        )
    )
    return counted.order_by("reviewer__display_name", "reviewer__email")


@once
def change_call(request: HttpRequest, pk: int) -> HttpResponse:
    call = _chaired(request, pk)
    form = CallForm(request.POST or None, call=call)
    if request.method == "POST" and form.is_valid():
        changes = form.for_stage()
        if _done(request, form, lambda by, now: calls.change(call=call, changes=changes, by=by, now=now)):
            return redirect(PAGE, call.pk)
    context: dict[str, Any] = {"form": form, "call": call}
    return workroom_page(request, "admin/grants/call_form.html", title=_("Change the call"), **context)


@once
def change_rubric(request: HttpRequest, pk: int) -> HttpResponse:
    call = _chaired(request, pk)
    form = RubricForm(request.POST or None, criteria=list(call.criteria.all()))
    if request.method == "POST" and form.is_valid():
        changes = {"criteria": form.for_stage()}
        if _done(request, form, lambda by, now: calls.change(call=call, changes=changes, by=by, now=now)):
            return redirect(PAGE, call.pk)
    return workroom_page(
        request, "admin/grants/rubric.html", title=_("Change the rubric"), form=form, call=call
    )


@once
def add_pool(request: HttpRequest, pk: int) -> HttpResponse:
    call = _chaired(request, pk)
    form = PoolForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        hours = {"gpu_seconds": given["hours"], "funder": given["funder"], "gpu_type": given["gpu_type"]}
        if _done(request, form, lambda by, now: calls.add_pool(call=call, by=by, now=now, **hours)):
            return redirect(PAGE, call.pk)
    return workroom_page(request, "admin/grants/form.html", title=_("Add a pool"), form=form, call=call)


@once
def add_earmark(request: HttpRequest, pk: int) -> HttpResponse:
    call = _chaired(request, pk)
    form = EarmarkForm(request.POST or None, call=call)
    if request.method == "POST" and form.is_valid():
        given = {"pool": form.cleaned_data["pool"], "gpu_seconds": form.cleaned_data["hours"]}
        where = form.where()
        if _done(request, form, lambda by, now: calls.add_earmark(where=where, by=by, now=now, **given)):
            return redirect(PAGE, call.pk)
    return workroom_page(
        request, "admin/grants/form.html", title=_("Keep hours for some"), form=form, call=call
    )


@require_POST
@once
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    call = _chaired(request, pk)
    try:
        calls.publish(call=call, by=cast(User, request.user), now=_now(request))
        messages.success(request, _("The call is published: everybody sees it."))
    except Refused as no:
        messages.error(request, str(no))
    return redirect(PAGE, call.pk)


def _done(request: HttpRequest, form: Any, stage: Any) -> bool:
    """Calls a stage function; a no goes to the form."""
    try:
        stage(request.user, _now(request))
    except Refused as no:
        show_faults(form, no.fields, str(no))
        return False
    messages.success(request, _("Saved."))
    return True


def _chaired(request: HttpRequest, pk: int) -> Call:
    return get_visible_from(Call.objects.all(), request.user, "write", as_=CHAIR, pk=pk)


def _now(request: HttpRequest) -> Any:
    return request.arrived_at  # type: ignore[attr-defined]
