"""What is special about question 6: the estimator inside it. Called by the question pages."""

from typing import Any

from django.http import HttpRequest, QueryDict

from grants import estimator
from grants.forms import EstimateForm, SizeForm
from grants.forms.estimate import models_for
from grants.models import Application, GpuType
from grants.views.estimate import estimate_words

NUMBER = SizeForm.number
PREFIX = "est"
CHEAPER = "cheaper:"


def unasked(application: Application) -> dict[str, Any]:
    """The estimator before anything was typed into it; nothing where it knows no such job."""
    if not models_for(application):
        return {}
    return {"estimate_form": EstimateForm(prefix=PREFIX, application=application)}


def is_only_asking(request: HttpRequest) -> bool:
    """True where the estimator is asked and nothing is to be saved."""
    return request.POST.get("do", "save") != "save"


def bound(request: HttpRequest, application: Application) -> tuple[SizeForm, dict[str, Any]]:
    """The form to save, which knows the estimate made in the same visit, and what the page shows beside it."""
    shown, found = _estimated(request.POST, application, is_asked=False)
    return SizeForm(request.POST, application=application, estimate=found), shown


def worked_out(request: HttpRequest, application: Application) -> dict[str, Any]:
    """The page with an estimate and all that was typed, nothing judged yet."""
    posted, does = request.POST.copy(), request.POST["do"]
    if does.startswith(CHEAPER):
        posted[f"{PREFIX}-model"] = does.removeprefix(CHEAPER)
    shown, found = _estimated(posted, application, is_asked=True)
    is_taken = does != "estimate" or not posted.get("ask_gpu_seconds", "").strip()
    return {**shown, "form": _as_typed(posted, application, found if is_taken else None)}


def _estimated(
    posted: QueryDict, application: Application, *, is_asked: bool
) -> tuple[dict[str, Any], estimator.Estimate | None]:
    if not models_for(application):
        return {}, None
    if not is_asked and not posted.get(f"{PREFIX}-amount", "").strip():
        # Saved without an estimate: what was typed stays, and nobody asks for the rest.
        typed = {name: posted.get(f"{PREFIX}-{name}", "") for name in ("model", "passes")}
        return {"estimate_form": EstimateForm(prefix=PREFIX, application=application, initial=typed)}, None
    form = EstimateForm(posted, prefix=PREFIX, application=application)
    if not form.is_valid():
        return {"estimate_form": form}, None
    found = estimator.estimate(form.job(_gpu_type(posted, application)))
    return {"estimate_form": form, **estimate_words(found)}, found


def _gpu_type(posted: QueryDict, application: Application) -> GpuType | None:
    offered = GpuType.objects.filter(pools__call=application.call).distinct().order_by("name")
    return next((each for each in offered if str(each.pk) == posted.get("gpu_type")), offered.first())


def _as_typed(posted: QueryDict, application: Application, taken: estimator.Estimate | None) -> SizeForm:
    """The form of the page with what stands in it; hours from the estimate where they are taken over."""
    names = ("gpu_type", "ask_gpu_seconds", "minimum_gpu_seconds", "ask_reason")
    typed: dict[str, Any] = {name: posted.get(name, "") for name in names}
    typed["wants_help"] = bool(posted.get("wants_help"))
    if taken is not None:
        most = application.call.largest_ask_gpu_seconds
        typed["ask_gpu_seconds"] = min(taken.ask_seconds, most)
        typed["minimum_gpu_seconds"] = min(taken.smallest_seconds, most)
    return SizeForm(application=application, initial=typed)
