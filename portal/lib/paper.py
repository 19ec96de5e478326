"""What a report is made of: allocation.reports fills these, templates/report/ shows them.

Words come ready in the reader's language; figures are told once, for the page and the PDF alike.
"""

from dataclasses import dataclass

from portal.lib.charts import Datum, scaled

SDG_BAR_WIDTH = 120


@dataclass(frozen=True)
class Figure:
    """One large number of the first page: "9,872" "hours used so far"."""

    number: str
    words: str


@dataclass(frozen=True)
class Table:
    """Rows of cells in words, the first is the row's name. `numbers_from` is the first column of figures."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    numbers_from: int = 1
    is_caption_hidden: bool = False


@dataclass(frozen=True)
class SdgRow:
    """Hours under one goal, as principal goal; `awarded` and `used` are said in the two texts."""

    goal: int
    name: str
    groups: int
    awarded: int
    used: int
    awarded_text: str
    used_text: str


@dataclass(frozen=True)
class SdgBars:
    """The goals of a report with a bar each; the longest bar is the goal with the most awarded."""

    caption: str
    rows: tuple[SdgRow, ...]
    total: tuple[str, str, str] | None = None

    def bar(self, row: SdgRow) -> tuple[int, int]:
        """Widths of what was awarded and of what was used of it."""
        most = max((other.awarded for other in self.rows), default=0)
        awarded = scaled(row.awarded, most, SDG_BAR_WIDTH)
        return awarded, min(awarded, scaled(row.used, most, SDG_BAR_WIDTH))


@dataclass(frozen=True)
class Chart:
    """`kind` is meter, bars or cumulative; `alt` tells it in words, `headers` name the table beside it."""

    kind: str
    data: tuple[Datum, ...]
    alt: str
    headers: tuple[str, str]
    lines: tuple[Datum, ...] = ()


@dataclass(frozen=True)
class Link:
    words: str
    url: str


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it, in this order. `is_boxed` sets it on a tinted ground."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    chart: Chart | None = None
    sdg: SdgBars | None = None
    tables: tuple[Table, ...] = ()
    links: tuple[Link, ...] = ()
    is_boxed: bool = False
    is_half: bool = False
    starts_page: bool = False


@dataclass(frozen=True)
class Report:
    """One report in one language. `digest` is the SHA-256 of its data in hex, `cutoff_at` is ISO in UTC."""

    about: str
    heading: str
    language: str
    cutoff_at: str
    cutoff_text: str
    digest: str
    figures: tuple[Figure, ...] = ()
    sentences: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    method: tuple[str, ...] = ()
    is_rtl: bool = False
    files: tuple[Link, ...] = ()

    @property
    def digest_short(self) -> str:
        return f"{self.digest[:8]}…{self.digest[-8:]}"

    @property
    def direction(self) -> str:
        return "rtl" if self.is_rtl else "ltr"
