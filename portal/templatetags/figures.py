"""Figures in templates: filters `hours` and `score`; tags `instant`, `deadline` and `day`, each `at zone`."""

from datetime import datetime

from django import template
from django.utils import formats

from portal.lib.dates import parse_zone, say_day, say_deadline, say_instant
from portal.lib.hours import say_hours

register = template.Library()


@register.filter
def hours(gpu_seconds: int | None) -> str:
    return "" if gpu_seconds is None else say_hours(gpu_seconds)


@register.filter
def score(thousandths: int | None) -> str:
    """4125 as "4.125" in the language's own writing; zeros at the end are left out down to one decimal."""
    if thousandths is None:
        return ""
    text = f"{thousandths // 1000}.{thousandths % 1000:03d}".rstrip("0")
    return (text + "0" if text.endswith(".") else text).replace(".", formats.get_format("DECIMAL_SEPARATOR"))


@register.simple_tag
def instant(at: datetime | None, zone: str) -> str:
    return "" if at is None else say_instant(at, parse_zone(zone))


@register.simple_tag
def deadline(at: datetime | None, zone: str) -> str:
    return "" if at is None else say_deadline(at, parse_zone(zone))


@register.simple_tag
def day(at: datetime | None, zone: str) -> str:
    return "" if at is None else say_day(at, parse_zone(zone))
