"""Countries by ISO 3166 code, for question 11, the register and reports."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.utils.translation import gettext

FILE = Path(__file__).with_name("data") / "countries.toml"


@cache
def countries() -> Mapping[str, str]:
    """Code to English name, in the order of the codes."""
    with FILE.open("rb") as file:
        return {code: str(name) for code, name in tomllib.load(file).items()}


def country_name(code: str) -> str:
    """The name in the reader's language where the catalogue has it; the code itself where it is unknown."""
    name = countries().get(code)
    return gettext(name) if name else code


def country_choices() -> list[tuple[str, str]]:
    """For a select: sorted by the name as it is shown."""
    return sorted(((code, country_name(code)) for code in countries()), key=lambda pair: pair[1])
