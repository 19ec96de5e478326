"""Forms about awards and runs: validation only; the stage functions decide."""

from django import forms
from django.utils.translation import gettext_lazy as _

LINE_MOST = 450


class ProgressNoteForm(forms.Form):
    """Three lines; together they open the second half."""

    worked = forms.CharField(
        label=_("What worked?"), max_length=LINE_MOST, widget=forms.Textarea({"rows": 3})
    )
    failed = forms.CharField(
        label=_("What did not?"), max_length=LINE_MOST, widget=forms.Textarea({"rows": 3})
    )
    next = forms.CharField(
        label=_("What comes next?"), max_length=LINE_MOST, widget=forms.Textarea({"rows": 3})
    )

    def text(self) -> str:
        """One line each, in the order of the page."""
        lines = (self.cleaned_data[name] for name in ("worked", "failed", "next"))
        return "\n".join(" ".join(line.split()) for line in lines)


class ReasonForm(forms.Form):
    """Why an award is paused, resumed or taken back; the group reads it in the mail."""

    reason = forms.CharField(
        label=_("Reason, which the group will read"), max_length=500, widget=forms.Textarea({"rows": 3})
    )
