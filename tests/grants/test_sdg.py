"""The 17 goals and the countries: complete, readable, in order."""

import re
from pathlib import Path

from grants.countries import countries, country_choices, country_name
from grants.sdg import GOALS, goal

TOKENS = Path(__file__).parents[2] / "portal" / "static" / "tokens.css"


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_there_are_17_goals_in_order_with_different_names_and_colours() -> None:
    assert [each.number for each in GOALS] == list(range(1, 18))
    assert len({str(each.name) for each in GOALS}) == len({each.colour for each in GOALS}) == 17
    assert all(str(each.plain).endswith(".") for each in GOALS)


def test_the_number_on_each_colour_is_readable() -> None:
    for each in GOALS:
        low, high = sorted((luminance(each.colour), luminance(each.text_colour)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, each.number


def test_the_style_sheet_shows_the_same_colours_and_text_colours() -> None:
    sheet = TOKENS.read_text(encoding="utf-8")
    found = dict(re.findall(r"\.s(\d+)\{--g:(#\w{6})\}", sheet))
    assert found == {str(each.number): each.colour for each in GOALS}
    white = re.search(r"((?:\.s\d+ b,?)+)\{color:#fff\}", sheet)
    assert white is not None
    assert set(re.findall(r"\d+", white[1])) == {
        str(each.number) for each in GOALS if each.text_colour == "#ffffff"
    }


def test_a_goal_reads_as_number_and_name() -> None:
    assert str(goal(2)) == "2 Zero hunger"


def test_countries_are_all_of_iso_3166_and_sorted_by_name_for_a_select() -> None:
    assert len(countries()) == 249
    assert all(re.fullmatch("[A-Z]{2}", code) for code in countries())
    names = [name for _code, name in country_choices()]
    assert names == sorted(names)
    assert country_name("BD") == "Bangladesh"
    assert country_name("XX") == "XX"
