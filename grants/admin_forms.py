"""Forms of the workroom's pages: they read what was typed; the stage functions decide."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.calls import CallDates
from grants.countries import country_choices
from grants.forms.fields import HoursField, TextField
from grants.models import Call, Criterion, Funder, GpuType, Harm, Pool, RecusalKind
from grants.presets import PRESETS
from grants.rubric import LEAST, MOST, shown
from grants.sdg import GOALS
from portal.lib.dates import DateRefused, instant_at, parse_zone
from portal.models import User

WALL_CLOCK = "%Y-%m-%dT%H:%M"
ANCHORED = ("0", "1", "3", "5")
DATES = tuple(CallDates.__dataclass_fields__)


class WallClockField(forms.Field):
    """A day and a time as clocks show it somewhere; the form says where."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=WALL_CLOCK)

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return datetime.fromisoformat(value).replace(tzinfo=None)
        except ValueError as fault:
            raise ValidationError(_("Write a day and a time, such as 2 May 2028, 23:59.")) from fault


def textarea(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class CallForm(forms.Form):
    """A call's own columns. `call` fills it for a change; without one it makes a new call."""

    preset = forms.ChoiceField(
        label=gettext_lazy("Preset"), choices=lambda: [(key, each.name) for key, each in PRESETS.items()]
    )
    title = TextField(label=gettext_lazy("Title"), most=120, is_one_line=True)
    slug = forms.SlugField(
        label=gettext_lazy("Name in the address"),
        max_length=60,
        help_text=gettext_lazy("Small letters and hyphens, such as spring-2028"),
    )
    summary = TextField(label=gettext_lazy("What it is for"), most=2000, widget=textarea(5))
    zone = forms.CharField(
        label=gettext_lazy("Time zone of the dates"),
        max_length=64,
        help_text=gettext_lazy("Such as Asia/Dhaka, UTC, or AoE for “anywhere on Earth”"),
    )
    opens_at = WallClockField(label=gettext_lazy("Opens"))
    closes_at = WallClockField(label=gettext_lazy("Closes"))
    scoring_ends_at = WallClockField(label=gettext_lazy("Scores are due"))
    decides_at = WallClockField(label=gettext_lazy("Decisions are due"))
    award_starts_at = WallClockField(label=gettext_lazy("Hours start"))
    award_ends_at = WallClockField(label=gettext_lazy("Hours end"))
    largest_ask = HoursField(label=gettext_lazy("Largest ask, in hours"))
    is_blind = forms.BooleanField(
        label=gettext_lazy("Names are hidden from reviewers"), required=False, initial=True
    )
    reviewers_per_application = forms.IntegerField(
        label=gettext_lazy("Reviewers per application"), min_value=1, max_value=9
    )

    def __init__(self, *args: Any, call: Call | None = None, **kwargs: Any) -> None:
        if call is not None:
            kwargs.setdefault("initial", _initial(call))
        super().__init__(*args, **kwargs)
        fixed = ("slug", "preset") if call is not None else ("reviewers_per_application",)
        for name in fixed:
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            zone = parse_zone(cleaned.get("zone", ""))
        except DateRefused as fault:
            self.add_error("zone", str(fault))
            return cleaned
        for name in DATES:
            self._to_instant(name, zone, cleaned)
        if not self.errors:
            cleaned["dates"] = CallDates(**{name: cleaned[name] for name in DATES})
        return cleaned

    def _to_instant(self, name: str, zone: ZoneInfo, cleaned: dict[str, Any]) -> None:
        if cleaned.get(name) is None:
            return
        try:
            cleaned[name] = instant_at(cleaned[name], zone)
        except DateRefused as fault:
            self.add_error(name, str(fault))

    def for_stage(self) -> dict[str, Any]:
        """What the stage functions take."""
        given = {name: value for name, value in self.cleaned_data.items() if name not in DATES}
        return given | {"largest_ask_gpu_seconds": given.pop("largest_ask")}


def _initial(call: Call) -> dict[str, Any]:
    zone = parse_zone(call.zone)
    plain = ("title", "summary", "zone", "is_blind", "reviewers_per_application")
    return (
        {name: getattr(call, name) for name in plain}
        | {name: getattr(call, name).astimezone(zone).strftime(WALL_CLOCK) for name in DATES}
        | {"largest_ask": call.largest_ask_gpu_seconds}
    )


class RubricForm(forms.Form):
    """Weights, floors and anchored words of a call's criteria."""

    def __init__(self, *args: Any, criteria: list[Criterion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.criteria = criteria
        for criterion in criteria:
            self._add(criterion)

    def _add(self, criterion: Criterion) -> None:
        key = criterion.key
        self.fields[f"name_{key}"] = TextField(
            label=_("Name"), most=80, is_one_line=True, initial=criterion.name
        )
        self.fields[f"weight_{key}"] = forms.IntegerField(
            label=_("Weight"), min_value=0, max_value=100, initial=criterion.weight
        )
        self.fields[f"floor_{key}"] = forms.IntegerField(
            label=_("Least mean"), min_value=LEAST, max_value=MOST, initial=criterion.floor
        )
        for points in ANCHORED:
            self.fields[f"words_{key}_{points}"] = TextField(
                label=_("Words for %(points)s") % {"points": points},
                most=200,
                is_one_line=True,
                initial=criterion.anchors.get(points, ""),
            )

    def groups(self) -> list[tuple[Criterion, list[forms.BoundField]]]:
        """Each criterion with its fields, for the page."""
        names = [(each, self._names(each.key)) for each in self.criteria]
        return [(criterion, [self[name] for name in fields]) for criterion, fields in names]

    def _names(self, key: str) -> list[str]:
        words = [f"words_{key}_{points}" for points in ANCHORED]
        return [f"name_{key}", f"weight_{key}", f"floor_{key}", *words]

    def for_stage(self) -> dict[str, dict[str, Any]]:
        given = self.cleaned_data
        return {
            key: {
                "name": given[f"name_{key}"],
                "weight": given[f"weight_{key}"],
                "floor": given[f"floor_{key}"],
                "anchors": {points: given[f"words_{key}_{points}"] for points in ANCHORED},
            }
            for key in (criterion.key for criterion in self.criteria)
        }


class PoolForm(forms.Form):
    funder = forms.ModelChoiceField(label=gettext_lazy("Funder"), queryset=Funder.objects.none())
    gpu_type = forms.ModelChoiceField(label=gettext_lazy("GPU"), queryset=GpuType.objects.order_by("name"))
    hours = HoursField(label=gettext_lazy("Hours"))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["funder"].queryset = Funder.objects.visible_to(user).order_by("name")  # type: ignore[attr-defined]


class EarmarkForm(forms.Form):
    """Hours kept for some: every condition that is filled must hold."""

    pool = forms.ModelChoiceField(label=gettext_lazy("Of the pool"), queryset=Pool.objects.none())
    hours = HoursField(label=gettext_lazy("Hours kept"))
    sdg = forms.TypedMultipleChoiceField(
        label=gettext_lazy("For these goals"),
        coerce=int,
        required=False,
        choices=lambda: [(each.number, str(each)) for each in GOALS],
    )
    country = forms.MultipleChoiceField(
        label=gettext_lazy("For these countries"), required=False, choices=country_choices
    )
    first_timer = forms.BooleanField(
        label=gettext_lazy("For groups that never had hours before"), required=False
    )

    def __init__(self, *args: Any, call: Call, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pool"].queryset = call.pools.select_related("funder", "gpu_type")  # type: ignore[attr-defined]

    def where(self) -> dict[str, Any]:
        filled = {name: self.cleaned_data[name] for name in ("sdg", "country", "first_timer")}
        return {name: value for name, value in filled.items() if value}


class ReasonForm(forms.Form):
    reason = TextField(
        label=gettext_lazy("Reason"),
        most=500,
        widget=textarea(3),
        help_text=gettext_lazy("The group reads it. Say what would have fitted."),
    )


class StandBackForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("What is the conflict?"), choices=RecusalKind.choices, widget=forms.RadioSelect
    )


class ReviewForm(forms.Form):
    """A review as far as it is written: nothing is required until it is sent."""

    strength = TextField(label=gettext_lazy("One strength"), most=1000, required=False, widget=textarea(3))
    fix = TextField(label=gettext_lazy("One thing to mend"), most=1000, required=False, widget=textarea(3))
    harm = forms.ChoiceField(
        label=gettext_lazy("Harm"), choices=Harm.choices, required=False, widget=forms.RadioSelect
    )
    harm_note = TextField(label=gettext_lazy("What harm"), most=1000, required=False, widget=textarea(2))

    def __init__(self, *args: Any, criteria: list[Criterion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for criterion in criteria:
            self.fields[f"score_{criterion.key}"] = forms.TypedChoiceField(
                label=shown(criterion.name),
                coerce=int,
                empty_value=None,
                required=False,
                choices=[(str(points), str(points)) for points in range(LEAST, MOST + 1)],
                error_messages={"invalid_choice": _("Choose 0 to 5.")},
            )

    def for_stage(self) -> dict[str, Any]:
        given = {
            name.removeprefix("score_"): points
            for name, points in self.cleaned_data.items()
            if name.startswith("score_") and points is not None
        }
        words = {name: self.cleaned_data[name] for name in ("strength", "fix", "harm", "harm_note")}
        return {"scores": given, **words}


class ReviewersField(forms.ModelMultipleChoiceField):
    """Reviewers by name, each with how many applications wait for them."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        return _("%(name)s (%(count)s waiting)") % {"name": obj, "count": obj.waiting}


class AssignForm(forms.Form):
    reviewers = ReviewersField(label=gettext_lazy("Reviewers"), queryset=User.objects.none())

    def __init__(self, *args: Any, reviewers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewers"].queryset = reviewers  # type: ignore[attr-defined]


def show_faults(form: forms.Form, fields: dict[str, str], text: str) -> None:
    """Puts a stage function's no beside the fields that it names, or on top of the form."""
    known = {name: remedy for name, remedy in fields.items() if name in form.fields}
    for name, remedy in known.items():
        form.add_error(name, remedy)
    if not known:
        form.add_error(None, text)
