"""Geometry of charts: nothing leaves the grid, lengths tell the truth, right to left is a mirror."""

import base64
import itertools
from xml.etree import ElementTree

import pytest
from django.template import Context, Template
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from portal.lib import charts
from portal.lib.charts import Datum, Drawing

from . import sample

AMOUNTS = st.integers(min_value=0, max_value=10**15)
DATA = st.builds(Datum, label=st.text(max_size=12), value=AMOUNTS, text=st.just("1,234"))
PARTS = st.lists(DATA, min_size=1, max_size=3)
ROWS = st.lists(DATA, max_size=40)


def drawings(rows: list[Datum], parts: list[Datum]) -> list[Drawing]:
    return [charts.meter(parts), charts.bars(rows), charts.cumulative(rows, lines=parts[:2])]


@given(rows=ROWS, parts=PARTS)
def test_no_box_leaves_the_grid(rows: list[Datum], parts: list[Datum]) -> None:
    for drawing in drawings(rows, parts):
        for box in drawing.boxes:
            assert box.x >= 0
            assert box.x + box.width <= drawing.width
            assert box.y >= 0
            assert box.y + box.height <= drawing.height
            assert box.width > 0
            assert box.height > 0
        assert all(0 <= word.x <= drawing.width and 0 < word.y <= drawing.height for word in drawing.words)


@given(parts=PARTS)
def test_parts_of_a_meter_touch_and_fill_it(parts: list[Datum]) -> None:
    bar = [box for box in charts.meter(parts).boxes if box.height == 30]
    if any(part.value for part in parts):
        assert sum(box.width for box in bar) == charts.WIDTH
        assert all(left.x + left.width == right.x for left, right in itertools.pairwise(bar))
    else:
        assert bar == []


@given(first=AMOUNTS, second=AMOUNTS, total=st.integers(min_value=1, max_value=10**15))
def test_more_is_never_drawn_shorter_and_something_never_as_nothing(
    first: int, second: int, total: int
) -> None:
    less, more = sorted((first, second))
    assert charts.scaled(less, total, 400) <= charts.scaled(more, total, 400) <= 400
    assert (charts.scaled(first, total, 400) > 0) == (first > 0)


@given(rows=ROWS, parts=PARTS)
def test_right_to_left_is_the_mirror_image(rows: list[Datum], parts: list[Datum]) -> None:
    pairs = [
        (charts.meter(parts), charts.meter(parts, is_rtl=True)),
        (charts.bars(rows), charts.bars(rows, is_rtl=True)),
        (charts.cumulative(rows), charts.cumulative(rows, is_rtl=True)),
    ]
    for plain, mirrored in pairs:
        assert [plain.width - box.x - box.width for box in mirrored.boxes] == [box.x for box in plain.boxes]
        assert [plain.width - word.x for word in mirrored.words] == [word.x for word in plain.words]
        assert mirrored.direction == "rtl"


def test_names_under_a_year_of_bars_do_not_touch() -> None:
    points = [Datum(f"Month {number}", number, f"{number},000") for number in range(1, 25)]
    words = [word for word in charts.cumulative(points).words if word.text.startswith("Month")]
    assert words[-1].text == "Month 24" or words[0].text == "Month 24"
    places = sorted((word.x - len(word.text) * charts.LETTER // 2, word) for word in words)
    for (_start, one), (next_start, _other) in itertools.pairwise(places):
        assert one.x + len(one.text) * charts.LETTER // 2 <= next_start


def test_a_fourth_part_or_a_third_level_is_refused() -> None:
    four = [Datum("a", 1, "1")] * 4
    with pytest.raises(ValueError, match="one to three parts"):
        charts.meter(four)
    with pytest.raises(ValueError, match="two levels"):
        charts.cumulative(four, lines=four[:3])


def drawn(tag: str, **context: object) -> tuple[str, ElementTree.Element]:
    html = Template("{% load charts %}" + tag).render(Context(context))
    encoded = html.split("data:image/svg+xml;base64,")[1].split('"')[0]
    return html, ElementTree.fromstring(base64.b64decode(encoded))  # noqa: S314 - it is our own


@override_settings(USE_THOUSAND_SEPARATOR=True)
@pytest.mark.parametrize("kind", [sample.HOURS, sample.PARTS, sample.COUNTRIES])
def test_every_chart_is_a_picture_with_words_for_it_and_a_table_of_its_figures(kind: object) -> None:
    html, svg = drawn("{% chart chart %}", chart=kind)
    assert f'alt="{kind.alt}"' in html  # type: ignore[attr-defined]
    for datum in kind.data:  # type: ignore[attr-defined]
        assert f">{datum.label}</th>" in html
        assert f">{datum.text}</td>" in html
    assert "<details>" in html
    assert "style=" not in html
    places = [
        value for item in svg.iter() for name, value in item.items() if name in ("x", "y", "width", "height")
    ]
    assert places
    assert all(place.isdigit() for place in places)


def test_on_paper_the_table_lies_open() -> None:
    html, _svg = drawn("{% chart chart %}", chart=sample.HOURS, is_paper=True)
    assert "<details>" not in html
    assert "<table>" in html


def test_each_tag_takes_plain_data() -> None:
    data = [Datum("Used", 3, "3"), Datum("Left", 1, "1")]
    for tag in ("chart_meter", "chart_bars", "chart_cumulative"):
        html, _svg = drawn("{% " + tag + " data alt %}", data=data, alt="3 of 4 used")
        assert 'alt="3 of 4 used"' in html


def test_words_of_people_cannot_break_out_of_a_chart() -> None:
    nasty = Datum('</text><script>alert("1")</script>', 3, '"><b>')
    html, svg = drawn("{% chart_bars data alt %}", data=[nasty], alt='"><script>')
    assert "<script" not in html
    assert not [item for item in svg.iter() if item.tag.endswith("script")]


@override_settings(LANGUAGE_CODE="en")
def test_fills_are_apart_in_grey() -> None:
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    tones = sorted(grey(fill) for fill in charts.FILLS)
    assert min(right - left for left, right in itertools.pairwise(tones)) > 40


def test_the_name_of_a_level_never_stands_on_a_bar() -> None:
    early = [charts.Datum("Week 1", 90, "90 h"), charts.Datum("Week 2", 95, "95 h")]
    levels = [charts.Datum("Even pace", 50, "50 h"), charts.Datum("Awarded", 200, "200 h")]
    drawing = charts.cumulative(early, lines=levels)
    even, awarded = (
        next(word for word in drawing.words if name in word.text) for name in ("Even", "Awarded")
    )
    assert drawing.baseline is not None
    assert even.y > drawing.baseline + charts.LINE
    assert awarded.y < drawing.baseline
    assert drawing.height > even.y
