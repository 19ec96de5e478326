"""Open pages: the list of calls, one call with its rubric, all twelve questions beforehand."""

from django.core.paginator import Paginator
from django.db.models import Case, F, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from grants.models import Application, Call, State
from grants.questions import QUESTIONS
from grants.rubric import anchor_words, shown
from grants.views.common import OF_THE_GROUP, arrived_at
from portal.access import get_visible, get_visible_from

OPEN, ANNOUNCED, CLOSED = range(3)


@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    now = arrived_at(request)
    rows = Call.objects.visible_to(request.user).filter(published_at__lte=now)
    rank = Case(
        When(closes_at__lte=now, then=Value(CLOSED)),
        When(opens_at__gt=now, then=Value(ANNOUNCED)),
        default=Value(OPEN),
        output_field=IntegerField(),
    )
    # Those that close next come first, of the closed ones the last.
    soonest = Case(When(closes_at__gt=now, then=F("closes_at")))
    rows = rows.annotate(rank=rank).order_by("rank", soonest, "-closes_at", "-pk")
    rows = rows.prefetch_related("pools__gpu_type", "pools__funder")
    return render(
        request, "grants/calls.html", {"page": Paginator(rows, 20).get_page(request.GET.get("page"))}
    )


@require_safe
def call(request: HttpRequest, slug: str) -> HttpResponse:
    rows = Call.objects.prefetch_related("pools__gpu_type", "pools__funder", "criteria")
    row = get_visible_from(rows, request.user, slug=slug)
    criteria = [
        {"name": shown(each.name), "row": each, "anchors": anchor_words(each.anchors)}
        for each in row.criteria.all()
    ]
    own = Application.objects.visible_to(request.user, as_=OF_THE_GROUP).filter(call=row).order_by("-pk")[:5]
    context = {
        "call": row,
        "phase": row.phase(arrived_at(request)),
        "criteria": criteria,
        "own": own,
        "has_begun": any(each.state in (State.DRAFT, State.SUBMITTED) for each in own),
    }
    return render(request, "grants/call.html", context)


@require_safe
def call_questions(request: HttpRequest, slug: str) -> HttpResponse:
    row = get_visible(Call, request.user, slug=slug)
    context = {"call": row, "questions": QUESTIONS, "is_open": row.is_open(arrived_at(request))}
    return render(request, "grants/call_questions.html", context)
