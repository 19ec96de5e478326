"""CSV: no cell is run as a formula, real numbers stay numbers, text comes back whole."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.csvsafe import FORMULA_STARTS, csv_bytes, csv_text

WRITABLE = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_text_that_would_start_a_formula_is_made_text(start: str) -> None:
    assert read(csv_text(["a"], [[f"{start}1+1"]]))[1] == [f"'{start}1+1"]


@pytest.mark.parametrize("cell", ["  =1+1", "\n=1+1", "\u00a0@SUM(A1)", '=HYPERLINK("http://x","y")'])
def test_blanks_before_a_formula_do_not_hide_it(cell: str) -> None:
    assert read(csv_text(["a"], [[cell]]))[1][0].startswith("'")


def test_headers_are_made_safe_too() -> None:
    assert read(csv_text(["=a"], []))[0] == ["'=a"]


def test_numbers_stay_numbers_even_below_zero() -> None:
    assert csv_text(["a", "b", "c"], [[-5, Decimal("-0.25"), 1150]]).splitlines()[1] == "-5,-0.25,1150"


def test_a_separator_of_another_country_cannot_split_text() -> None:
    assert csv_text(["a"], [["x;=1+1"]]).splitlines()[1] == '"x;=1+1"'


def test_dates_truths_and_gaps_have_one_form() -> None:
    row = [date(2027, 6, 30), datetime(2027, 6, 30, 1, tzinfo=UTC), True, None]
    assert read(csv_text(list("abcd"), [row]))[1] == ["2027-06-30", "2027-06-30T01:00:00+00:00", "yes", ""]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells under 1 headers"):
        csv_text(["a"], [["x", "y"]])


def test_mark_of_encoding_is_there_when_asked_for() -> None:
    assert csv_bytes(["ঘণ্টা"], [], with_bom=True).startswith(b"\xef\xbb\xbf")
    assert csv_bytes(["ঘণ্টা"], []).decode() == '"ঘণ্টা"\r\n'


@given(cells=st.lists(WRITABLE, min_size=1, max_size=5))
def test_text_comes_back_whole_and_never_starts_a_formula(cells: list[str]) -> None:
    back = read(csv_text(["h"] * len(cells), [cells]))[1]
    for written, cell in zip(back, cells, strict=True):
        assert written in (cell, f"'{cell}")
        assert not written.lstrip().startswith(FORMULA_STARTS)
