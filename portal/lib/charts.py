"""Where the parts of a chart stand, in whole units of its own grid; portal.templatetags.charts draws them.

Pure and free of language: numbers come as integers, their words come ready from the caller. A grid is 440
units wide, so that its text is as large as the text around it on paper and still readable on a phone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

WIDTH = 440
FILLS = ("#0c4f45", "#f2ab2c", "#dcebe3")  # pine, lamp, tint: apart in grey too
INK_ON = ("#ffffff", "#13231f", "#13231f")
LETTER = 7  # a generous mean width at size 13
LINE = 18
ROW = 46


@dataclass(frozen=True)
class Datum:
    """One figure: its name, its amount, that in words ("9,872 h"); for bars, the share `filled` of it."""

    label: str
    value: int
    text: str
    filled: int | None = None


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    width: int
    height: int
    fill: str


@dataclass(frozen=True)
class Words:
    x: int
    y: int
    text: str
    anchor: str = "start"
    ink: str = "#13231f"
    is_strong: bool = False


@dataclass(frozen=True)
class Rule:
    """A level line across the chart."""

    y: int
    is_dashed: bool


@dataclass(frozen=True)
class Drawing:
    """All that a chart's template needs."""

    height: int
    boxes: tuple[Box, ...] = ()
    words: tuple[Words, ...] = ()
    rules: tuple[Rule, ...] = ()
    baseline: int | None = None
    width: int = WIDTH
    is_rtl: bool = False

    @property
    def direction(self) -> str:
        return "rtl" if self.is_rtl else "ltr"


def scaled(value: int, total: int, length: int) -> int:
    """`value` of `total` on a line of `length`, to the nearest unit; something is never drawn as nothing."""
    if value <= 0 or total <= 0:
        return 0
    return min(length, max(1, (2 * value * length + total) // (2 * total)))


def meter(parts: Sequence[Datum], *, is_rtl: bool = False) -> Drawing:
    """One bar of at most three parts that together are the whole, each with its words under it."""
    if not 1 <= len(parts) <= len(FILLS):
        raise ValueError("A meter has one to three parts.")
    total = sum(max(0, part.value) for part in parts)
    edges = [0]
    running = 0
    for part in parts:
        running += max(0, part.value)
        edges.append((2 * running * WIDTH + total) // (2 * total) if total else 0)
    boxes = [
        Box(start, 4, end - start, 30, fill)
        for start, end, fill in zip(edges, edges[1:], FILLS, strict=False)
        if end > start
    ]
    words, keys = _meter_words(parts, edges)
    height = max(word.y for word in words) + 8
    return _turned(Drawing(height=height, boxes=(*boxes, *keys), words=tuple(words), is_rtl=is_rtl))


def _meter_words(parts: Sequence[Datum], edges: Sequence[int]) -> tuple[list[Words], list[Box]]:
    """Each name starts under its part or, if long, further left; a line lower where two would meet."""
    words: list[Words] = []
    keys: list[Box] = []
    ends_by_line: list[int] = []
    for part, start, fill in zip(parts, edges, FILLS, strict=False):
        text = f"{part.label} {part.text}"
        length = len(text) * LETTER + 16
        x = max(0, min(start, WIDTH - length))
        line = next((line for line, end in enumerate(ends_by_line) if end + 12 <= x), len(ends_by_line))
        ends_by_line[line:] = [x + length]
        y = 54 + LINE * line
        keys.append(Box(x, y - 10, 10, 10, fill))
        words.append(Words(x + 16, y, text))
    return words, keys


def bars(rows: Sequence[Datum], *, is_rtl: bool = False) -> Drawing:
    """One bar a row under its name, longest possible for the largest; `filled` is drawn darker inside it."""
    largest = max((max(row.value, row.filled or 0) for row in rows), default=0)
    room = WIDTH - 16 - LETTER * max((len(row.text) for row in rows), default=0)
    boxes: list[Box] = []
    words: list[Words] = []
    for number, row in enumerate(rows):
        top = number * ROW
        length = scaled(row.value, largest, room)
        if row.filled is None:
            boxes.append(Box(0, top + 20, length, 13, FILLS[0]))
        else:
            boxes.append(Box(0, top + 20, length, 13, FILLS[2]))
            boxes.append(Box(0, top + 20, scaled(row.filled, largest, room), 13, FILLS[0]))
        words.append(Words(0, top + 14, row.label))
        words.append(Words(length + 8, top + 31, row.text, is_strong=True))
    shown = tuple(box for box in boxes if box.width)
    return _turned(Drawing(height=max(8, ROW * len(rows)), boxes=shown, words=tuple(words), is_rtl=is_rtl))


def cumulative(points: Sequence[Datum], *, lines: Sequence[Datum] = (), is_rtl: bool = False) -> Drawing:
    """Totals that grow, a bar each, against at most two levels (funded, promised).

    Names are left out where they would touch; the last one always stands.
    """
    if len(lines) > 2:
        raise ValueError("At most two levels can be told apart.")
    top, floor = 34, 190
    highest = max([1, *(item.value for item in (*points, *lines))])
    step = WIDTH // max(1, len(points))
    breadth = max(2, step * 2 // 3)
    levels = [floor - scaled(line.value, highest, floor - top) for line in lines]
    boxes: list[Box] = []
    words: list[Words] = []
    shown = _spaced([point.label for point in points], step), _spaced([point.text for point in points], step)
    for number, point in enumerate(points):
        height = scaled(point.value, highest, floor - top)
        middle = number * step + step // 2
        boxes.append(Box(middle - breadth // 2, floor - height, breadth, height, FILLS[0]))
        if number in shown[0]:
            words.append(_centred(middle, floor + LINE, point.label))
        if number in shown[1]:
            words.append(_value_words(middle, floor - height, point.text, breadth, levels))
    rules = tuple(Rule(y, number > 0) for number, y in enumerate(levels))
    names, keys = _off_the_bars(_level_words(lines, levels), boxes, floor + LINE)
    drawing = Drawing(
        height=max([floor + LINE, *(name.y for name in names)]) + 8,
        boxes=(*(box for box in boxes if box.height), *keys),
        words=(*words, *names),
        rules=rules,
        baseline=floor,
        is_rtl=is_rtl,
    )
    return _turned(drawing)


def _spaced(texts: Sequence[str], step: int) -> set[int]:
    """Which of the texts can stand in a row without touching, counted back from the last."""
    longest = max((len(text) for text in texts), default=0) * LETTER + 8
    every = max(1, -(-longest // max(1, step)))
    return set(range(len(texts) - 1, -1, -every))


def _centred(middle: int, y: int, text: str) -> Words:
    """Words around a middle, moved in where they would leave the chart."""
    half = len(text) * LETTER // 2
    return Words(min(max(middle, half), WIDTH - half), y, text, anchor="middle")


def _value_words(middle: int, top: int, text: str, breadth: int, levels: Iterable[int]) -> Words:
    """The amount above its bar, or inside it where a level line would run through the words."""
    is_crossed = any(top - LINE <= level + 2 and level <= top + 2 for level in levels)
    fits_inside = len(text) * LETTER + 4 <= breadth
    if is_crossed and fits_inside:
        return replace(_centred(middle, top + LINE, text), ink=INK_ON[0], is_strong=True)
    return replace(_centred(middle, top - 5, text), is_strong=True)


def _level_words(lines: Sequence[Datum], levels: Sequence[int]) -> list[Words]:
    """The name of a level stands on its line at the start, where totals are low; under it if squeezed."""
    words: list[Words] = []
    for number, (line, y) in enumerate(zip(lines, levels, strict=True)):
        others = [*levels[:number], *levels[number + 1 :]]
        is_squeezed = any(0 < y - other < LINE or (other == y and number) for other in others)
        words.append(Words(0, y + 14 if is_squeezed else y - 6, f"{line.text} {line.label}", ink="#5b2c83"))
    return words


def _off_the_bars(names: Sequence[Words], bars: Sequence[Box], below: int) -> tuple[list[Words], list[Box]]:
    """A level's name that would stand on a bar goes under the chart, with a piece of its line as the key."""
    kept: list[Words] = []
    keys: list[Box] = []
    for number, name in enumerate(names):
        ground = Box(name.x, name.y - 13, len(name.text) * LETTER, 17, "")
        if any(_meet(ground, bar) for bar in bars):
            below += LINE
            name = replace(name, x=28, y=below)
            parts = ((0, 8), (12, 8)) if number else ((0, 20),)
            keys += [Box(x, below - 5, width, 2, name.ink) for x, width in parts]
        kept.append(name)
    return kept, keys


def _meet(one: Box, other: Box) -> bool:
    return one.x < other.x + other.width and other.x < one.x + one.width and other.y < one.y + one.height


def _turned(drawing: Drawing) -> Drawing:
    """For languages that run from right to left everything is mirrored; the words themselves are not."""
    if not drawing.is_rtl:
        return drawing
    return replace(
        drawing,
        boxes=tuple(replace(box, x=drawing.width - box.x - box.width) for box in drawing.boxes),
        words=tuple(replace(word, x=drawing.width - word.x) for word in drawing.words),
    )
