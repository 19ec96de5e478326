"""The estimator's page, open to all, and what question 6 shows of an estimate."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from grants import estimator
from grants.estimate_words import route_words, step_words
from grants.forms import EstimateForm


@require_safe
def estimate(request: HttpRequest) -> HttpResponse:
    """Its questions stand in the address, so that an estimate can be kept and passed on."""
    asked = "amount" in request.GET
    form = EstimateForm(request.GET if asked else None)
    context: dict[str, Any] = {"form": form}
    if asked and form.is_valid():
        job = form.job()
        context |= estimate_words(estimator.estimate(job))
        context["again"] = request.GET.dict()
    return render(request, "grants/estimate.html", context)


def estimate_words(found: estimator.Estimate) -> Mapping[str, Any]:
    """What the card of an estimate and the cheaper ways beside it show."""
    values = {
        "low": _figure(found.low_hours),
        "high": _figure(found.high_hours),
        "card": estimator.cards()[found.job.card].name,
        "ask": _figure(found.ask_hours),
    }
    return {
        "estimate": found,
        "headline": _("One run takes %(low)s to %(high)s hours on an %(card)s. Ask for %(ask)s.") % values,
        "kwh": number_format(round(found.energy_kwh, 1), 1),
        "co2": number_format(round(found.co2_kg, 1), 1),
        "steps": [step_words(step) for step in found.steps],
        "routes": [
            {"route": route, "words": route_words(route), "ask": _hours(route.ask_seconds)}
            for route in found.cheaper
        ],
    }


def _figure(hours: Any) -> str:
    return number_format(hours, force_grouping=True)


def _hours(gpu_seconds: int) -> str:
    return _figure(estimator.hours_above(gpu_seconds)) if gpu_seconds else ""
