"""The operator's forms about clusters: validation only; the stage functions decide."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from grants.admin_forms import WallClockField
from portal.lib.dates import DateRefused, instant_at, parse_zone


class CloseTimeForm(forms.Form):
    """When a node, or the whole cluster, is closed; times as clocks show them in the cluster's zone."""

    node = forms.ChoiceField(label=_("What is closed"), required=False)
    starts_at = WallClockField(label=_("From"))
    ends_at = WallClockField(label=_("To"))
    reason = forms.CharField(
        label=_("Reason"), max_length=200, required=False, help_text=_("The groups concerned read it.")
    )

    def __init__(self, *args: Any, nodes: list[str], zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        choices = [("", _("The whole cluster")), *((node, node) for node in nodes)]
        self.fields["node"].choices = choices  # type: ignore[attr-defined]

    def clean_starts_at(self) -> datetime:
        return self._instant("starts_at")

    def clean_ends_at(self) -> datetime:
        return self._instant("ends_at")

    def _instant(self, name: str) -> datetime:
        try:
            return instant_at(self.cleaned_data[name], parse_zone(self.zone))
        except DateRefused as fault:
            raise forms.ValidationError(str(fault)) from fault


class LoginForm(forms.Form):
    name = forms.CharField(label=_("Name on the cluster"), max_length=32)
