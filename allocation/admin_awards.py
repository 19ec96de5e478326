"""The chair's page about one award in the workroom: its hours, and pausing, resuming or taking it back."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from allocation import awards, telling
from allocation.forms import ReasonForm
from allocation.models import Award
from portal.access import get_visible_from
from portal.admin_base import workroom_page
from portal.once import once
from portal.refused import Refused

CHAIR = frozenset({"chair"})


def rows() -> Any:
    """Awards with all that a line or a page shows of them."""
    return Award.objects.select_related("application__group", "pool__call", "pool__gpu_type", "pool__funder")


def award_page(request: HttpRequest, award: Award, form: ReasonForm | None = None) -> HttpResponse:
    context: dict[str, Any] = {
        "award": award,
        "call": award.pool.call,
        "hours": telling.hours_of(award),
        "movements": award.movements.order_by("pk")[:200],
        "form": form or ReasonForm(),
        "runs": award.state in ("accepted", "active"),
        "is_over": award.state in ("finished", "expired", "revoked"),
    }
    title = _("Award %(name)s") % {"name": award.account_name}
    return workroom_page(request, "admin/allocation/award.html", title=title, **context)


def _with_a_reason(stage: Callable[..., None], said: Callable[[], str]) -> Callable[..., HttpResponse]:
    """A view that changes an award by a stage function which needs a reason."""

    @require_POST
    @once
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        award = get_visible_from(rows(), request.user, "write", as_=CHAIR, pk=pk)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return award_page(request, award, form)
        now, reason = request.arrived_at, form.cleaned_data["reason"]  # type: ignore[attr-defined]
        try:
            stage(award=award, by=request.user, reason=reason, now=now)
        except Refused as refused:
            form.add_error("reason" if "reason" in refused.fields else None, str(refused))
            return award_page(request, award, form)
        messages.success(request, said())
        return redirect("admin:allocation_award_change", pk)

    return view


pause = _with_a_reason(awards.pause, lambda: _("Paused. The group has a mail with your reason."))
resume = _with_a_reason(awards.resume, lambda: _("Resumed. The group has a mail."))
revoke = _with_a_reason(awards.revoke, lambda: _("Taken back. What was left is in the pool again."))
