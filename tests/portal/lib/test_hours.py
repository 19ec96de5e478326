"""Hours: said without lying, read as people write them, exact both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.hours import HoursRefused, parse_hours, plain_hours, say_hours

LANGUAGES = ["en", "fr", "es", "pt-br", "ar", "bn", "hi", "sw", "de"]


@pytest.mark.parametrize(
    ("gpu_seconds", "said"),
    [
        (0, "0"),
        (1, "<0.01"),
        (35, "<0.01"),
        (36, "0.01"),
        (45000, "12.5"),
        (4140000, "1,150"),
        (4139999, "1,149.99"),
        (3600 * 1234567, "1,234,567"),
        (-900, "-0.25"),
        (-1, ">-0.01"),
    ],
)
def test_hours_are_said_in_english(gpu_seconds: int, said: str) -> None:
    assert say_hours(gpu_seconds, "en") == said
    assert plain_hours(gpu_seconds) == said.replace(",", "")


def test_hours_are_written_as_the_language_does() -> None:
    assert say_hours(4141800, "fr") == "1\u00a0150,5"
    assert say_hours(4141800, "pt-br") == "1.150,5"


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        ("1,500", 1500),
        ("12.5", 12.5),
        ("12,5", 12.5),
        ("12,50", 12.5),
        ("১২৩", 123),
        ("١٢٣", 123),
        ("١٢٫٥", 12.5),
        ("١٬٥٠٠", 1500),
        ("१,५००", 1500),
        ("1 500", 1500),
        ("1\u00a0500", 1500),
        ("1\u202f500,25", 1500.25),
        ("1'500", 1500),
        ("15,00,000", 1500000),
        ("1.500.000", 1500000),
        ("1,500.5", 1500.5),
        ("1.500,5", 1500.5),
        (" 12 h ", 12),
        ("0", 0),
        ("0.25", 0.25),
    ],
)
def test_hours_are_read_as_people_write_them(typed: str, hours: float) -> None:
    assert parse_hours(typed, "en") == hours * 3600


def test_a_number_with_two_readings_is_settled_by_the_language_or_asked_about() -> None:
    assert parse_hours("1.500", "pt-br") == 1500 * 3600
    with pytest.raises(HoursRefused, match=r"“1\.500” can be read in two ways\. Write 1500"):
        parse_hours("1.500", "en")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Write a number"),
        ("many", "Write a number"),
        ("1,2,3", "Write a number"),
        ("1,5,000,00", "Write a number"),
        ("1e9", "Write a number"),
        ("1²", "Write a number"),
        ("½", "Write a number"),
        ("12.", "Write a number"),
        ("1 5", "Write a number"),
        ("nan", "Write a number"),
        ("-5", "less than zero"),
        ("−5", "less than zero"),
        ("0.125", "two decimals"),
        ("9" * 5000, "more hours than any machine"),
        ("100000001", "more hours than any machine"),
    ],
)
def test_what_is_no_number_of_hours_is_told_so(typed: str, words: str) -> None:
    with pytest.raises(HoursRefused, match=words):
        parse_hours(typed, "en")


@given(hundredths=st.integers(min_value=0, max_value=10**9), language=st.sampled_from(LANGUAGES))
def test_what_is_said_is_read_back_exactly(hundredths: int, language: str) -> None:
    assert parse_hours(say_hours(hundredths * 36, language), language) == hundredths * 36


@given(gpu_seconds=st.integers(min_value=36, max_value=10**12))
def test_what_is_said_is_never_more_than_there_is_and_less_by_under_a_hundredth(gpu_seconds: int) -> None:
    whole, _point, decimals = plain_hours(gpu_seconds).partition(".")
    said = int(whole) * 3600 + int(decimals.ljust(2, "0")) * 36
    assert 0 <= gpu_seconds - said < 36


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(typed: str) -> None:
    try:
        read = parse_hours(typed, "en")
    except HoursRefused:
        return
    assert read >= 0
