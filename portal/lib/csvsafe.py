"""Writes tables as CSV that no spreadsheet runs as formulas; reports, the register and exports call it."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

BOM = "\ufeff"
# A spreadsheet reads a cell that begins so as a formula; the wide forms count in East Asian versions.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Cell = str | int | Decimal | date | bool | None


def csv_text(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The table as text with CRLF line ends. Text is always quoted, so that no separator can split a cell."""
    return "".join(csv_lines(headers, rows))


def csv_lines(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """As `csv_text`, a line at a time, for tables that are sent while they are read."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    for row in itertools.chain([headers], rows):
        if len(row) != len(headers):
            raise ValueError(f"A row has {len(row)} cells under {len(headers)} headers.")
        writer.writerow([safe_cell(cell) for cell in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def csv_bytes(headers: Sequence[str], rows: Iterable[Sequence[Cell]], *, with_bom: bool = False) -> bytes:
    """The table as UTF-8; with a mark at its start for spreadsheets that would guess another encoding."""
    return ((BOM if with_bom else "") + csv_text(headers, rows)).encode()


def safe_cell(cell: Cell) -> str | int | Decimal:
    """One cell: real numbers stay numbers, text that would start a formula gets an apostrophe before it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return cell
    if isinstance(cell, Decimal):
        return cell if cell.is_finite() else ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    # Some programs skip blanks before they look for a formula, so we do too.
    starts = cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS)
    return f"'{cell}" if starts else cell
