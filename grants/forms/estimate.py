"""The estimator's questions: which model, how much, how often. Called by the estimate page and question 6."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from grants.countries import country_name
from grants.estimate_words import MODELS_FOR_JOB, model_choices, unit_question
from grants.estimator import ELSEWHERE, Job, cards, grids, models
from grants.forms.fields import NumberField
from grants.models import Application, GpuType

USUAL_CARD = "a100_40"
MOST_EXAMPLES, MOST_PASSES = 100_000_000, 100


class EstimateForm(forms.Form):
    """Stands on the estimate page with card and grid; inside question 6 these come from the application."""

    use_required_attribute = False

    model = forms.ChoiceField(
        label=_("Which model?"), error_messages={"invalid_choice": _("Choose a model from the list.")}
    )
    amount = NumberField(
        label=_("How much of it?"),
        most=MOST_EXAMPLES,
        error_messages={"required": _("Write how many; a guess is fine, such as 50,000.")},
    )
    passes = NumberField(label=_("How often through them?"), most=MOST_PASSES, required=False)
    card = forms.ChoiceField(label=_("On which GPU?"), required=False)
    grid = forms.ChoiceField(label=_("Whose electricity?"), required=False)

    def __init__(self, *args: Any, application: Application | None = None, **more: Any) -> None:
        more["initial"] = {"passes": 3, "card": USUAL_CARD, "grid": ELSEWHERE} | more.get("initial", {})
        super().__init__(*args, **more)
        self.application = application
        offered = models_for(application)
        self.fields["model"].choices = [pair for pair in model_choices() if pair[0] in offered]  # type: ignore[attr-defined]
        units = {models()[key].unit for key in offered}
        if len(units) == 1:
            self.fields["amount"].label = unit_question(models()[offered[0]])
        else:
            self.fields["amount"].help_text = _("Sentences, hours of audio or answers, by the model")
        self.fields["passes"].help_text = _("3 is usual.")
        if units and "examples" not in units:
            del self.fields["passes"]
        if application is not None:
            del self.fields["card"], self.fields["grid"]
        else:
            self.fields["card"].choices = [(key, card.name) for key, card in cards().items()]  # type: ignore[attr-defined]
            self.fields["grid"].choices = grid_choices()  # type: ignore[attr-defined]

    def job(self, gpu_type: GpuType | None = None) -> Job:
        """What the estimator is asked, once the form is valid."""
        told = self.cleaned_data
        call = self.application.call if self.application else None
        return Job(
            model=told["model"],
            amount=told["amount"],
            passes=told.get("passes") or 3,
            card=card_of(gpu_type) if self.application else told["card"] or USUAL_CARD,
            grid=told.get("grid") or ELSEWHERE,
            grams_per_kwh=call.grid_g_per_kwh if call else None,
            pue_hundredths=call.pue_hundredths if call else None,
        )


def models_for(application: Application | None) -> tuple[str, ...]:
    """The lines of the estimator that fit the kind of job; all while it is not known, none where we have none."""
    if application is None or not application.job_kind:
        return tuple(models())
    return MODELS_FOR_JOB.get(application.job_kind, ())


def card_of(gpu_type: GpuType | None) -> str:
    """The estimator's card for a GPU of the site: the same key, or the smallest card of its family."""
    key = gpu_type.key if gpu_type else USUAL_CARD
    if key in cards():
        return key
    family = [each for each in cards() if each.startswith(key.split("-")[0].split("_")[0])]
    return family[0] if family else USUAL_CARD


def grid_choices() -> list[tuple[str, str]]:
    named = sorted(
        ((code, country_name(code)) for code in grids() if code != ELSEWHERE), key=lambda pair: pair[1]
    )
    return [(ELSEWHERE, _t("Another country, or I don’t know")), *named]
