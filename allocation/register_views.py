"""The public register as a page, as CSV and as JSON."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allocation import register
from grants.models import Call
from grants.sdg import BY_NUMBER, GOALS
from portal.lib.csvsafe import csv_bytes
from portal.lib.hours import plain_hours

MOST_ROWS = 20_000
TEXTS = ("award", "group", "country", "call", "summary", "sdg", "starts", "ends", "state", "is_simulated")
HEADERS = (*TEXTS, "hours_granted", "hours_used")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    call, sdg = _asked(request)
    found = Paginator(register.awards(call=call, sdg=sdg), 50).get_page(request.GET.get("page"))
    context = {
        "page": found,
        "lines": [(line, BY_NUMBER.get(line.sdg or 0)) for line in register.lines(found.object_list)],
        "totals": register.totals(),
        "calls": Call.objects.visible_to(request.user).filter(released_at__isnull=False)[:100],
        "goals": GOALS,
        "chosen_call": call,
        "chosen_sdg": sdg,
    }
    return render(request, "allocation/register.html", context)


@require_safe
def as_csv(request: HttpRequest) -> HttpResponse:
    call, sdg = _asked(request)
    rows = (
        [getattr(line, name) for name in TEXTS]
        + [plain_hours(line.granted_gpu_seconds), plain_hours(line.used_gpu_seconds)]
        for line in register.lines(register.awards(call=call, sdg=sdg)[:MOST_ROWS])
    )
    return HttpResponse(
        csv_bytes(HEADERS, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="register.csv"'},
    )


@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    call, sdg = _asked(request)
    return JsonResponse({"awards": register.as_dicts(register.awards(call=call, sdg=sdg)[:MOST_ROWS])})


def _asked(request: HttpRequest) -> tuple[str, str]:
    return request.GET.get("call", "")[:60].replace("\0", ""), request.GET.get("sdg", "")[:2]
