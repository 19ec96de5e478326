"""The forms of all questions but the sixth, which has a file of its own. Called by the question pages."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.utils import formats, timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from grants.countries import country_choices
from grants.forms.base import AnswerForm
from grants.forms.fields import EmailField, MonthField, NumberField, PhoneField, TextField, one_of, some_of
from grants.forms.size import SizeForm
from grants.questions import (
    DATA_RIGHTS,
    GROUP_KINDS,
    JOB_KINDS,
    PROMISES,
    SHARES,
    STEADINESS,
    TEXT_MOST,
    TITLE_LEAST,
    TITLE_MOST,
    Choice,
    picks,
)
from grants.sdg import goal_choices

MONTHS_AHEAD = timedelta(days=3 * 365)
NOT_SURE = ("", Choice("", _("I’m not sure"), _("Reviewers will see which goal fits")))


class MakeForm(AnswerForm):
    number = 1
    title = TextField(
        most=TITLE_MOST,
        least=TITLE_LEAST,
        is_one_line=True,
        error_messages={
            "required": _("Write at least ten characters, so that reviewers can tell what it is.")
        },
    )


class ProblemForm(AnswerForm):
    number = 2
    problem = TextField(
        most=TEXT_MOST,
        error_messages={
            "required": _("Write what the problem is, for whom and where. Three sentences will do.")
        },
    )


class GoalForm(AnswerForm):
    number = 3
    sdg_main = one_of(
        [*goal_choices(), NOT_SURE],
        _("Choose one of the goals, or “I’m not sure”."),
        coerce=int,
        required=False,
        empty_value=None,
    )
    sdg_others = some_of(goal_choices(), _("Choose from the goals of the list."), coerce=int, required=False)

    def clean_sdg_others(self) -> list[int]:
        main = self.cleaned_data.get("sdg_main")
        others = [number for number in self.cleaned_data["sdg_others"] if number != main]
        if len(others) > 2:
            raise forms.ValidationError(_("Choose two other goals at most."))
        if others and main is None and "sdg_main" not in self.errors:
            raise forms.ValidationError(_("Choose a main goal first; the others come beside it."))
        return others


class OutcomeForm(AnswerForm):
    number = 4
    outcome_number = NumberField(required=False)
    outcome_unit = TextField(most=80, is_one_line=True, required=False)
    outcome_month = MonthField(
        required=False, error_messages={"invalid_choice": _("Choose a month from the list.")}
    )
    outcome_text = TextField(most=1000, required=False)

    def offer_choices(self) -> None:
        today = timezone.localdate()
        month = cast(MonthField, self.fields["outcome_month"])
        month.offer(today, today + MONTHS_AHEAD, also=self.application.outcome_month)

    def clean(self) -> dict[str, Any]:
        parts = {
            "outcome_number": _("Write how many, or leave all three open and use your own words."),
            "outcome_unit": _("Write of what: calls answered, pupils, hectares."),
            "outcome_month": _("Choose the month by which it will be so."),
        }
        given = [name for name in parts if self.cleaned_data.get(name) or name in self.errors]
        if not given and not self.cleaned_data.get("outcome_text") and "outcome_text" not in self.errors:
            self.add_error(
                "outcome_number", _t("Give a number, of what, and a month; or say it in your own words.")
            )
        elif given:
            for name in parts.keys() - given:
                self.add_error(name, parts[name])
        return self.cleaned_data


class JobForm(AnswerForm):
    number = 5
    job_kind = one_of(picks(JOB_KINDS), _("Choose a kind of job. “I’m not sure” is an answer too."))


class SoFarForm(AnswerForm):
    number = 7
    done_so_far = TextField(most=TEXT_MOST, required=False)


class DataForm(AnswerForm):
    number = 8
    data_rights = some_of(picks(DATA_RIGHTS), _("Choose whose data it is; all that fit."))


class ShareForm(AnswerForm):
    number = 9
    shares = some_of(picks(SHARES), _("Choose what you will share. “Nothing” is an answer too."))
    shares_why = TextField(most=500, required=False)

    def clean(self) -> dict[str, Any]:
        shares = self.cleaned_data.get("shares", [])
        if "nothing" in shares and len(shares) > 1:
            self.add_error("shares", _t("You chose “Nothing” and something. Untick one of them."))
        elif "nothing" in shares and not self.cleaned_data.get("shares_why"):
            self.add_error("shares_why", _t("Tell us in a sentence why you share nothing."))
        return self.cleaned_data


class WhenForm(AnswerForm):
    number = 10
    start_month = MonthField()
    weeks = NumberField(
        most=104,
        error_messages={
            "required": _("Give the weeks as a number, such as 6."),
            "number": _("Give the weeks as a number, such as 6."),
        },
    )
    steadiness = one_of(picks(STEADINESS), _("Choose how steady power and internet are."))

    def offer_choices(self) -> None:
        call = self.application.call
        month = cast(MonthField, self.fields["start_month"])
        first, last = timezone.localdate(call.award_starts_at), timezone.localdate(call.award_ends_at)
        month.offer(first, last)
        said = _t("Choose a month from %(month)s on: the hours start then.") % {
            "month": formats.date_format(first, "F Y")
        }
        month.error_messages.update(required=said, invalid_choice=said)


class WhoForm(AnswerForm):
    number = 11
    country = forms.ChoiceField(
        choices=lambda: [("", _t("Choose a country")), *country_choices()],
        error_messages={
            "required": _("Choose your country."),
            "invalid_choice": _("Choose a country from the list."),
        },
    )
    group_name = TextField(
        most=120,
        is_one_line=True,
        error_messages={"required": _("Write the name of your group; your own name will do.")},
    )
    group_kind = one_of(picks(GROUP_KINDS), _("Choose what kind of group you are."))
    group_size = NumberField(
        most=1_000_000, error_messages={"required": _("Write how many people you are, such as 4.")}
    )
    contact_phone = PhoneField(required=False)
    contact_email = EmailField(required=False)

    def clean(self) -> dict[str, Any]:
        names = ("contact_phone", "contact_email")
        if not any(self.cleaned_data.get(name) or name in self.errors for name in names):
            self.add_error("contact_phone", _t("Give a phone number or an e-mail address; one is enough."))
        return self.cleaned_data


class PromisesForm(AnswerForm):
    number = 12
    promises = some_of(picks(PROMISES), _("Read the five promises and tick each."))
    known_reviewers = TextField(most=1000, required=False)

    def clean_promises(self) -> list[str]:
        ticked: list[str] = self.cleaned_data["promises"]
        if len(ticked) < len(PROMISES):
            raise forms.ValidationError(
                _("Tick all five. If one does not fit you, write to us before you send.")
            )
        return ticked


FORMS: Mapping[int, type[AnswerForm]] = {
    form.number: form
    for form in (
        MakeForm,
        ProblemForm,
        GoalForm,
        OutcomeForm,
        JobForm,
        SizeForm,
        SoFarForm,
        DataForm,
        ShareForm,
        WhenForm,
        WhoForm,
        PromisesForm,
    )
}
