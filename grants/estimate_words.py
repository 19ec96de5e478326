"""Words for what grants.estimator says as data. Called by the estimate page and question 6."""

from dataclasses import dataclass
from fractions import Fraction

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.estimator import HOUR, Model, Route, Step, models

MODEL_NAMES: dict[str, str | Promise] = {
    "lora_1b": gettext_lazy("1B model, fine-tuned (LoRA)"),
    "lora_3b": gettext_lazy("3B model, fine-tuned (LoRA)"),
    "lora_7b": gettext_lazy("7B model, fine-tuned (LoRA)"),
    "lora_7b_4bit": gettext_lazy("7B model, fine-tuned in 4 bits (QLoRA)"),
    "lora_13b": gettext_lazy("13B model, fine-tuned (LoRA)"),
    "lora_13b_4bit": gettext_lazy("13B model, fine-tuned in 4 bits (QLoRA)"),
    "full_1b": gettext_lazy("1B model, all of it trained"),
    "full_7b": gettext_lazy("7B model, all of it trained"),
    "speech_small": gettext_lazy("Speech recogniser, small (Whisper-small)"),
    "answers_7b": gettext_lazy("7B model that answers"),
    "answers_7b_4bit": gettext_lazy("7B model that answers, in 4 bits"),
}
UNIT_QUESTIONS: dict[str, str | Promise] = {
    "examples": gettext_lazy("How many examples (sentences or pairs)?"),
    "audio_hours": gettext_lazy("How many hours of audio?"),
    "answers": gettext_lazy("How many answers?"),
}
# Which lines of the estimator each kind of job (question 5) offers; the others are worked out with a person.
MODELS_FOR_JOB: dict[str, tuple[str, ...]] = {
    "fine_tune": tuple(key for key, model in models().items() if model.unit == "examples"),
    "speech": ("speech_small",),
    "run_model": ("answers_7b", "answers_7b_4bit"),
}


@dataclass(frozen=True)
class StepWords:
    """One row of "How we worked this out"."""

    name: str
    working: str
    result: str


def model_name(key: str) -> str:
    return str(MODEL_NAMES[key])


def model_choices() -> list[tuple[str, str | Promise]]:
    return [(key, MODEL_NAMES[key]) for key in models()]


def unit_question(model: Model) -> str:
    return str(UNIT_QUESTIONS[model.unit])


def step_words(step: Step) -> StepWords:
    worded = {"formula": _formula, "measured": _measured, "ask": _ask, "energy": _energy, "carbon": _carbon}
    name, working = worded[step.kind](step)
    return StepWords(name=name, working=working, result=_result(step))


def route_words(route: Route) -> str:
    if route.kind == "smaller_model" and route.model:
        return _("Use a smaller job: %(model)s") % {"model": model_name(route.model)}
    words = {
        "existing_model": _("Look for a model that already does it, and test it on twenty of your examples"),
        "prompting": _("Give a ready model good instructions, or let it look things up in your texts"),
        "batches": _("Collect the questions and answer many at once"),
    }
    return words[route.kind]


def _formula(step: Step) -> tuple[str, str]:
    values = {
        "each": _number(step.values["tokens_each"], 0),
        "percent": _number(step.values["percent"], 0),
        "peak": _number(step.values["peak_tflops"], 0),
    }
    return _("By formula"), _("%(each)s tokens each, %(percent)s %% of %(peak)s TFLOP/s") % values


def _measured(step: Step) -> tuple[str, str]:
    is_audio = step.values["unit"] == "audio_hours"
    minutes = Fraction(step.values["seconds_per_1000"]) / 60
    values = {
        "units": _number(step.values["units"], 0),
        "minutes": _number(minutes / 1000 if is_audio else minutes, 1 if is_audio else 2),
        "card": step.values["measured_on"],
    }
    if is_audio:
        working = _("%(units)s hours of audio at %(minutes)s minutes each, measured on %(card)s") % values
    else:
        working = _("%(units)s at %(minutes)s minutes per 1,000, measured on %(card)s") % values
    if step.values["scale"] != 1:
        working += _("; × %(scale)s for your card") % {"scale": _number(step.values["scale"], 2)}
    return _("By measured table"), working


def _ask(step: Step) -> tuple[str, str]:
    values = {
        "hours": _hours(Fraction(step.values["seconds"])),
        "tries": _number(step.values["tries"], 0),
        "interruptions": _number(step.values["interruptions"], 2),
    }
    return _("Ask"), _("%(hours)s × %(tries)s × %(interruptions)s, rounded up") % values


def _energy(step: Step) -> tuple[str, str]:
    values = {
        "hours": _number(step.values["hours"], 0),
        "kilowatts": _number(Fraction(step.values["watts"]) / 1000, 2),
        "pue": _number(step.values["pue"], 2),
    }
    return _("Energy"), _("%(hours)s h × %(kilowatts)s kW × %(pue)s") % values


def _carbon(step: Step) -> tuple[str, str]:
    values = {
        "energy": _number(Fraction(step.values["wh"]) / 1000, 2),
        "grams": _number(step.values["grams_per_kwh"], 0),
    }
    return _("CO₂"), _("%(energy)s kWh × %(grams)s g") % values


def _result(step: Step) -> str:
    if step.unit == "seconds":
        return _("%(hours)s h") % {"hours": _hours(step.result)}
    if step.unit == "wh":
        return _("%(energy)s kWh") % {"energy": _number(step.result / 1000, 1)}
    return _("%(mass)s kg") % {"mass": _number(step.result / 1000, 1)}


def _hours(seconds: Fraction) -> str:
    hours = seconds / HOUR
    if hours.denominator == 1:
        return _number(hours, 0)
    return _number(hours, 1 if hours >= 1 else 2)


def _number(value: int | str | Fraction, places: int) -> str:
    return number_format(round(Fraction(value) * 10**places) / 10**places, places, force_grouping=True)
