"""Fields that take what people type, in any script, and refuse in words what a database would choke on.

Called by the forms beside. No field sets `maxlength`: a browser would cut what is pasted without a word.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.lib.hours import HoursRefused, parse_hours, plain_hours
from portal.lib.textsafe import TextRefused, clean_email, clean_text

Words = str | Promise
GROUPED = re.compile(r"\d{1,3}(?:[,.'’٬\s]\d{2,3})*[,.'’٬\s]\d{3}")
LARGEST_NUMBER = 1_000_000_000
PHONE = re.compile(r"\+?[\d\s()./-]{5,40}")


class TextField(forms.CharField):
    """One line or several, in one normal form."""

    def __init__(self, *, most: int, least: int = 0, is_one_line: bool = False, **fields: Any) -> None:
        self.most, self.least, self.is_one_line = most, least, is_one_line
        if not is_one_line:
            fields.setdefault("widget", forms.Textarea(attrs={"rows": 6}))
        super().__init__(**fields)

    def to_python(self, value: Any) -> str:
        try:
            return clean_text(str(value or ""), is_one_line=self.is_one_line)
        except TextRefused as refused:
            raise ValidationError(str(refused)) from refused

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and len(value) < self.least:
            raise ValidationError(self.error_messages.get("short", self.error_messages["required"]))
        if len(value) > self.most:
            over = len(value) - self.most
            said = ngettext(
                "This is %(over)s character too long. Shorten it to %(most)s.",
                "This is %(over)s characters too long. Shorten it to %(most)s.",
                over,
            )
            raise ValidationError(said % {"over": over, "most": self.most})


class EmailField(forms.CharField):
    """An address in the one form that is stored; empty where none is given."""

    widget = forms.EmailInput

    def to_python(self, value: Any) -> str:
        typed = str(value or "").strip()
        try:
            return clean_email(typed) if typed else ""
        except TextRefused as refused:
            raise ValidationError(str(refused)) from refused


class PhoneField(TextField):
    def __init__(self, **fields: Any) -> None:
        super().__init__(most=40, is_one_line=True, widget=forms.TextInput(attrs={"type": "tel"}), **fields)

    def validate(self, value: str) -> None:
        if value and not PHONE.fullmatch(latin_digits(value)):
            raise ValidationError(_("Write the number with its country code, such as +880 1700 000000."))


class NumberField(forms.CharField):
    """A whole number as people write it: 1500, "1,500" or "১৫০০"."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "class": "n", "autocomplete": "off"})

    def __init__(self, *, most: int = LARGEST_NUMBER, **fields: Any) -> None:
        self.most = most
        super().__init__(**fields)

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]
        typed = latin_digits(str(value or "").strip())
        if not typed:
            return None
        if GROUPED.fullmatch(typed):
            typed = re.sub(r"\D", "", typed)
        if not re.fullmatch(r"\d{1,30}", typed):
            raise ValidationError(self.error_messages.get("number", _("Write a whole number, such as 500.")))
        if not 1 <= int(typed) <= self.most:
            raise ValidationError(_("Write a number from 1 to %(most)s.") % {"most": self.most})
        return int(typed)


class HoursField(forms.CharField):
    """Hours as people type them, read as gpu_seconds."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "n", "autocomplete": "off"})

    def prepare_value(self, value: Any) -> Any:
        return plain_hours(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]
        typed = str(value or "").strip()
        if not typed:
            return None
        try:
            gpu_seconds = parse_hours(typed)
        except HoursRefused as refused:
            raise ValidationError(str(refused)) from refused
        if not gpu_seconds:
            raise ValidationError(_("Write more than zero hours."))
        return gpu_seconds


class MonthField(forms.TypedChoiceField):
    """A month out of a list: every browser and every hand can do it."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(coerce=date.fromisoformat, empty_value=None, **fields)

    def offer(self, first: date, last: date, *, also: date | None = None) -> None:
        """Sets the months to choose from; one that was chosen before stays in the list."""
        months = sorted({*_months(first, last), *([also.replace(day=1)] if also else [])})
        named = [(month.isoformat(), formats.date_format(month, "F Y")) for month in months]
        self.choices = [("", _("Choose a month")), *named]

    def prepare_value(self, value: Any) -> Any:
        return value.replace(day=1).isoformat() if isinstance(value, date) else value


def _months(first: date, last: date) -> list[date]:
    months, month = [], first.replace(day=1)
    while month <= last:
        months.append(month)
        month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    return months


def latin_digits(typed: str) -> str:
    """Digits of every script as 0 to 9."""
    return "".join(str(unicodedata.decimal(character, character)) for character in typed)


class SomeField(forms.TypedMultipleChoiceField):
    """Each choice counts a single time, however often it was posted."""

    def clean(self, value: Any) -> list[Any]:
        return list(dict.fromkeys(super().clean(value)))


def one_of(
    choices: list[Any], said: Words, *, coerce: Callable[[Any], Any] = str, **fields: Any
) -> forms.Field:
    """Cards of which one is picked."""
    errors: Any = {"required": said, "invalid_choice": said}
    fields.setdefault("widget", forms.RadioSelect)
    return forms.TypedChoiceField(choices=choices, coerce=coerce, error_messages=errors, **fields)


def some_of(
    choices: list[Any], said: Words, *, coerce: Callable[[Any], Any] = str, **fields: Any
) -> forms.Field:
    """Cards of which any number is picked."""
    errors: Any = {"required": said, "invalid_choice": said, "invalid_list": said}
    return SomeField(
        choices=choices,
        coerce=coerce,
        empty_value=[],
        error_messages=errors,
        widget=forms.CheckboxSelectMultiple,
        **fields,
    )
