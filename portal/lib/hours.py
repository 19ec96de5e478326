"""GPU-seconds said as hours, and hours typed by people read as GPU-seconds; forms and pages call it.

Inside the site there are only integers of gpu_seconds: this is the edge.
"""

import re
import unicodedata

from django.utils import formats
from django.utils.translation import gettext as _

SECONDS_AN_HOUR = 3600
MOST_HOURS = 100_000_000
# Blanks, apostrophes and the Arabic mark between groups of three digits.
GROUP_MARKS = re.compile(r"(?<=\d)[\s'\u2019\u066c](?=\d{3}(?!\d))")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class HoursRefused(ValueError):
    """The text is no number of hours; the message says what to write."""


def plain_hours(gpu_seconds: int) -> str:
    """Hours for files and programs: "1150", "12.5", "<0.01".

    Never rounded up: two decimals are shown at most, the rest is cut off.
    """
    return _written(gpu_seconds, between_groups="", point=".")


def say_hours(gpu_seconds: int, language: str | None = None) -> str:
    """Hours for people, written as their language does: "1,150" or "12,5", without the word for hours."""
    return _written(
        gpu_seconds,
        between_groups=formats.get_format("THOUSAND_SEPARATOR", language, use_l10n=True),
        point=formats.get_format("DECIMAL_SEPARATOR", language, use_l10n=True),
    )


def _written(gpu_seconds: int, *, between_groups: str, point: str) -> str:
    hundredths = abs(gpu_seconds) * 100 // SECONDS_AN_HOUR
    if gpu_seconds and not hundredths:
        return f"<0{point}01" if gpu_seconds > 0 else f">-0{point}01"
    whole, rest = divmod(hundredths, 100)
    sign = "-" if gpu_seconds < 0 else ""
    decimals = f"{point}{rest:02d}".rstrip("0") if rest else ""
    return sign + f"{whole:,}".replace(",", between_groups) + decimals


def parse_hours(typed: str, language: str | None = None) -> int:
    """The GPU-seconds meant by "12.5", "1,500", "1 500", "12,5", "১২৩" or "١٢٣".

    Exact: two decimals are taken at most, and a hundredth of an hour is 36 seconds. "1.500" is read as the
    language writes it; where that does not settle it, we ask. Raises HoursRefused.
    """
    number = GROUP_MARKS.sub("", _latin_digits(typed).removesuffix("h").strip())
    if number.startswith(("-", "\u2212")):
        raise HoursRefused(_("Hours cannot be less than zero. Write a number such as 12.5 or 1,500."))
    if not NUMBER.fullmatch(number):
        raise HoursRefused(_("Write a number of hours, such as 12.5 or 1,500."))
    whole, decimals = _whole_and_decimals(number, language)
    if len(decimals) > 2:
        raise HoursRefused(_("Write at most two decimals, such as 12.25."))
    if len(whole) > 12 or int(whole) > MOST_HOURS:
        raise HoursRefused(_("That is more hours than any machine has. Check the number."))
    return int(whole) * SECONDS_AN_HOUR + int(decimals.ljust(2, "0")) * SECONDS_AN_HOUR // 100


def _latin_digits(typed: str) -> str:
    """Digits of every script as 0 to 9, Arabic points and commas as ours."""
    text = "".join(str(unicodedata.decimal(character, character)) for character in typed.strip().lower())
    return text.replace("\u066b", ".").replace("\u060c", ",")


def _whole_and_decimals(number: str, language: str | None) -> tuple[str, str]:
    *groups, last = re.split("[.,]", number)
    marks = re.findall("[.,]", number)
    if not marks:
        return last, ""
    if marks.count(marks[-1]) > 1:
        return _joined(marks, [*groups, last]), ""
    could_be_group = len(marks) == 1 and len(last) == 3 and len(groups[0]) <= 3 and groups[0][0] != "0"
    if could_be_group:
        if marks[0] == "." != formats.get_format("THOUSAND_SEPARATOR", language, use_l10n=True):
            raise HoursRefused(
                _("“%(typed)s” can be read in two ways. Write %(large)s, or fewer decimals.")
                % {"typed": number, "large": groups[0] + last}
            )
        return groups[0] + last, ""
    return _joined(marks[:-1], groups), last


def _joined(marks: list[str], groups: list[str]) -> str:
    """The digits of all groups, if these are groups as people write them: 1,500,000 or 15,00,000."""
    is_grouped = len(groups) == 1 or (
        len(set(marks)) == 1
        and 1 <= len(groups[0]) <= 3
        and all(len(group) in (2, 3) for group in groups[1:-1])
        and len(groups[-1]) == 3
    )
    if not is_grouped:
        raise HoursRefused(_("Write a number of hours, such as 12.5 or 1,500."))
    return "".join(groups)
