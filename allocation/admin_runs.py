"""The chair's pages about rankings and runs in the workroom: freeze, propose, look, approve, release."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from allocation import awards, ranking, telling, words
from allocation.engine.rules import RULES
from allocation.models import AllocationRun, Ranking
from grants.models import Application, Call
from portal.access import get_visible_from
from portal.admin_base import workroom_page
from portal.models import User
from portal.once import once
from portal.refused import Refused

CHAIR = frozenset({"chair"})
RANKING, RUN = "admin:allocation_ranking_change", "admin:allocation_allocationrun_change"


@once
def freeze_page(request: HttpRequest) -> HttpResponse:
    """The chair's calls that are closed and not decided, with what each still waits for."""
    if request.method == "POST":
        return _freeze(request)
    now = request.arrived_at  # type: ignore[attr-defined]
    sent = Count("applications", filter=Q(applications__state="submitted"))
    calls = Call.objects.visible_to(request.user, "write", as_=CHAIR).closed_at(now).filter(released_at=None)
    waiting = [(call, len(ranking.missing_reviews(call))) for call in calls.annotate(sent=sent)[:20]]
    return workroom_page(
        request, "admin/allocation/freeze.html", title=_("Freeze a ranking"), waiting=waiting
    )


def _freeze(request: HttpRequest) -> HttpResponse:
    call = get_visible_from(
        Call.objects.all(), request.user, "write", as_=CHAIR, pk=request.POST.get("call", "")
    )
    try:
        frozen = ranking.freeze(
            call=call,
            by=cast(User, request.user),
            now=request.arrived_at,  # type: ignore[attr-defined]
            without_missing="without_missing" in request.POST,
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("admin:allocation_ranking_add")
    messages.success(request, _("The ranking is frozen. Nobody is told anything yet."))
    return redirect(RANKING, frozen.pk)


def ranking_page(request: HttpRequest, frozen: Ranking) -> HttpResponse:
    """Where everybody stands, and why somebody cannot be funded."""
    criteria = telling.criteria_of(frozen.call)
    seen = set(_seen(request).filter(call=frozen.call).values_list("pk", flat=True))
    lines = []
    for row in telling.ranked_rows(frozen):
        facts = telling.facts_of(row.application, row, 0, criteria, {})
        lines.append((row, row.application_id in seen, words.to_chair(row.reasons, facts)))
    context: dict[str, Any] = {
        "ranking": frozen,
        "call": frozen.call,
        "lines": lines,
        "is_current": ranking.is_current(frozen),
        "rules": [(key, words.rule_words(key), key == frozen.call.rule) for key in sorted(RULES)],
        "runs": AllocationRun.objects.visible_to(request.user, as_=CHAIR).filter(ranking=frozen),
    }
    title = _("Ranking: %(call)s") % {"call": frozen.call}
    return workroom_page(request, "admin/allocation/ranking.html", title=title, **context)


@require_POST
@once
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    frozen = get_visible_from(Ranking.objects.select_related("call"), request.user, as_=CHAIR, pk=pk)
    get_visible_from(Call.objects.all(), request.user, "write", as_=CHAIR, pk=frozen.call_id)
    try:
        run = awards.propose(
            call=frozen.call,
            by=cast(User, request.user),
            now=request.arrived_at,  # type: ignore[attr-defined]
            rule=request.POST.get("rule") or None,
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(RANKING, pk)
    return redirect(RUN, run.pk)


def run_page(request: HttpRequest, run: AllocationRun) -> HttpResponse:
    """The proposal line by line, with the line below which nothing is left, and what can be done now."""
    context: dict[str, Any] = {
        "run": run,
        "call": run.call,
        "rule": words.rule_words(run.rule),
        "proposal": telling.proposal(run, _seen(request)),
        "others": AllocationRun.objects.visible_to(request.user, as_=CHAIR)
        .filter(call=run.call_id)
        .exclude(pk=run.pk),
    }
    title = _("Run %(run)s: %(call)s") % {"run": run, "call": run.call}
    return workroom_page(request, "admin/allocation/run.html", title=title, **context)


def _done_by(stage: Callable[..., None], said: Callable[[], str]) -> Callable[..., HttpResponse]:
    """A view that moves a run by a stage function, and says what came of it."""

    @require_POST
    @once
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        run = get_visible_from(
            AllocationRun.objects.select_related("call"), request.user, "write", as_=CHAIR, pk=pk
        )
        now = request.arrived_at  # type: ignore[attr-defined]
        try:
            stage(run=run, by=request.user, now=now)
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, said())
        return redirect(RUN, pk)

    return view


approve = _done_by(awards.approve, lambda: _("Approved. Nothing is sent until you release it."))
release = _done_by(awards.release, lambda: _("Released: every applicant has a mail with the decision."))
discard = _done_by(awards.discard, lambda: _("Discarded. You can propose again."))


def _seen(request: HttpRequest) -> Any:
    """Applications that the chair may look at: not their own, none they stood back from."""
    return Application.objects.visible_to(request.user, as_=CHAIR)
