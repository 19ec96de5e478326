"""The public register as a page, as CSV and as JSON."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from django.core.paginator import Paginator
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allocation import register
from grants.models import Call
from grants.sdg import BY_NUMBER, GOALS
from portal.lib.csvsafe import csv_lines
from portal.lib.hours import plain_hours

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
def as_csv(request: HttpRequest) -> StreamingHttpResponse:
    call, sdg = _asked(request)
    rows = (
        [getattr(line, name) for name in TEXTS]
        + [plain_hours(line.granted_gpu_seconds), plain_hours(line.used_gpu_seconds)]
        for line in register.all_lines(register.awards(call=call, sdg=sdg))
    )
    return StreamingHttpResponse(
        csv_lines(HEADERS, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="register.csv"'},
    )


@require_safe
def as_json(request: HttpRequest) -> StreamingHttpResponse:
    call, sdg = _asked(request)
    found = register.all_lines(register.awards(call=call, sdg=sdg))
    return StreamingHttpResponse(_json(found), content_type="application/json")


def _json(found: Iterable[register.Line]) -> Iterator[str]:
    """{"awards": [...]}, an award at a time."""
    between = '{"awards": ['
    for line in found:
        yield between + json.dumps(asdict(line), cls=DjangoJSONEncoder)
        between = ", "
    yield "]}" if between == ", " else between + "]}"


def _asked(request: HttpRequest) -> tuple[str, str]:
    return request.GET.get("call", "")[:60].replace("\0", ""), request.GET.get("sdg", "")[:2]
