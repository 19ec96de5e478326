"""The form of question 6: hours asked for, the least that would help, on which GPU. Called by its page."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from grants.estimator import Estimate, needs_reason
from grants.forms.base import AnswerForm
from grants.forms.fields import HoursField, TextField
from grants.models import GpuType
from portal.lib.hours import say_hours


class SizeForm(AnswerForm):
    """`estimate` is what the page worked out in the same visit; an ask far above it wants a sentence."""

    number = 6
    gpu_type = forms.ModelChoiceField(
        GpuType.objects.none(),
        empty_label=None,
        error_messages={
            "required": _("Choose a GPU that this call offers."),
            "invalid_choice": _("Choose a GPU that this call offers."),
        },
    )
    ask_gpu_seconds = HoursField(required=False)
    minimum_gpu_seconds = HoursField(required=False)
    ask_reason = TextField(most=500, is_one_line=True, required=False)
    wants_help = forms.BooleanField(required=False)

    def __init__(self, *args: Any, estimate: Estimate | None = None, **more: Any) -> None:
        self.estimate = estimate
        super().__init__(*args, **more)
        self.fields["ask_reason"].label = _("Why so many? (optional)")
        self.fields["ask_reason"].help_text = _(
            "One sentence, needed when you ask for more than twice our estimate"
        )

    def offer_choices(self) -> None:
        gpu_type = cast("forms.ModelChoiceField[GpuType]", self.fields["gpu_type"])
        gpu_type.queryset = (
            GpuType.objects.filter(pools__call=self.application.call).distinct().order_by("name")
        )

    def clean(self) -> dict[str, Any]:
        told = self.cleaned_data
        ask, least = told.get("ask_gpu_seconds"), told.get("minimum_gpu_seconds")
        if not told.get("wants_help"):
            self._want(
                ask,
                "ask_gpu_seconds",
                _t("Write the hours you ask for, or let a person work it out with you."),
            )
            self._want(
                least, "minimum_gpu_seconds", _t("Write the least that would still help; it may be the same.")
            )
        if ask and least and least > ask:
            said = _t(
                "The smallest useful amount (%(least)s h) is larger than the ask (%(ask)s h). Change one of them."
            )
            self.add_error("minimum_gpu_seconds", said % {"least": say_hours(least), "ask": say_hours(ask)})
        if ask:
            self._check_size(ask)
        return told

    def _want(self, value: int | None, name: str, said: str) -> None:
        if value is None and name not in self.errors:
            self.add_error(name, said)

    def _check_size(self, ask: int) -> None:
        largest = self.application.call.largest_ask_gpu_seconds
        if ask > largest:
            said = _t("This call gives a group at most %(hours)s hours. Ask for that or less.")
            self.add_error("ask_gpu_seconds", said % {"hours": say_hours(largest)})
        wanted = self.estimate is not None and needs_reason(ask_seconds=ask, estimate=self.estimate)
        if wanted and not self.cleaned_data.get("ask_reason") and "ask_reason" not in self.errors:
            said = _t(
                "Say in one sentence why: we estimated %(hours)s hours, and you ask for more than twice that."
            )
            self.add_error("ask_reason", said % {"hours": self.estimate.ask_hours if self.estimate else ""})
