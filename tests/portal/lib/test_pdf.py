"""The renderer: what it refuses to fetch, equal bytes, limits, readable text, letters of four scripts."""

import base64
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from pypdf import PdfReader
from weasyprint import HTML

from portal.lib.paper import Report
from portal.lib.pdf import FONTS, REPORT_STATIC, PdfFailed, read_allowed, render_pdf

from . import sample

SECRET = "canary-f81c0b7d"


def page(report: Report, *, is_paper: bool = True) -> str:
    return render_to_string("report/base.html", {"report": report, "is_paper": is_paper})


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def fonts_of(pdf: bytes) -> set[str]:
    names = set()
    for one in PdfReader(io.BytesIO(pdf)).pages:
        for font in one["/Resources"]["/Font"].values():
            names.add(font.get_object()["/BaseFont"].split("+")[-1])
    return names


class Listener(ThreadingHTTPServer):
    """Counts who knocks; a path that says so is sent on to another."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Knock)
        self.hits: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Knock(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        self.server.hits.append(self.path)
        self.send_response(302 if "redirect" in self.path else 200)
        if "redirect" in self.path:
            self.send_header("Location", f"{self.server.address}/after")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def svg_around(inner: str) -> str:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{inner}</svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def hostile_pages(address: str) -> dict[str, str]:
    """Each way by which WeasyPrint fetches something, aimed at `address`."""
    picture = svg_around(f'<image href="{address}/in.png"/>')
    return {
        "image": f'<img alt="x" src="{address}/image.png">',
        "stylesheet": f'<link rel="stylesheet" href="{address}/style.css">',
        "import": f'<style>@import url("{address}/import.css");</style>',
        "font": f'<style>@font-face{{font-family:x;src:url("{address}/f.woff2")}}p{{font-family:x}}</style>',
        "background": f'<style>body{{background:url("{address}/b.png")}}</style>',
        "picture in a picture": f'<img alt="x" src="{picture}">',
        "attachment": f'<link rel=attachment href="{address}/f"><a rel=attachment href="{address}/a">x</a>',
        "object": f'<object data="{address}/o"></object><embed src="{address}/e">',
        "base": f'<base href="{address}/"><img alt="x" src="image.png">',
        "generated content": f'<style>p::before{{content:url("{address}/c.png")}}</style>',
        "list": f'<style>li{{list-style-image:url("{address}/l.png")}}</style><li>x</li>',
        "redirect": f'<img alt="x" src="{address}/redirect">',
    }


def test_no_page_makes_the_renderer_knock_at_an_address(listener: Listener) -> None:
    pages = "".join(hostile_pages(listener.address).values())
    pdf = render_pdf(f"<!doctype html><html lang=en><title>x</title>{pages}<p>harmless words</p>")
    assert "harmless words" in text_of(pdf)
    assert listener.hits == []


def test_the_same_pages_make_a_stock_renderer_knock(listener: Listener) -> None:
    """The twin without our fetcher: shows that the test above would see a hole."""
    pages = "".join(hostile_pages(listener.address).values())
    HTML(string=f"<!doctype html><html lang=en><title>x</title>{pages}<p>harmless words</p>").write_pdf()
    assert len(listener.hits) >= 6
    assert "/after" in listener.hits


def test_no_page_makes_the_renderer_read_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    addresses = [f"file://{tmp_path}/secret", f"file://localhost{tmp_path}/secret", f"{tmp_path}/secret"]
    for address in addresses:
        pages = "".join(
            hostile_pages(address)[name] for name in ("image", "stylesheet", "attachment", "object")
        )
        pdf = render_pdf(f"<!doctype html><html lang=en><title>x</title>{pages}<p>harmless words</p>")
        reader = PdfReader(io.BytesIO(pdf))
        streams = b"".join(bytes(stream.get_data()) for stream in streams_of(reader))
        assert SECRET.encode() not in streams + pdf
        assert not reader.attachments


def streams_of(reader: PdfReader) -> Iterator[object]:
    for number in range(1, reader.trailer["/Size"]):
        found = reader.get_object(number)
        if hasattr(found, "get_data"):
            yield found


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "https://report.invalid/../pdf.py",
        "https://report.invalid/../fonts/../../settings.css",
        "https://report.invalid/%2e%2e/%2e%2e/lib/pdf.py",
        "https://report.invalid@example.org/report.css",
        "https://report.invalid.example.org/report.css",
        "http://report.invalid/report.css",
        "ftp://report.invalid/report.css",
        "data:text/html;base64,PGI+",
        "data:text/css,p{}",
        "//example.org/report.css",
        "https://report.invalid//etc/passwd.css",
        "",
    ],
)
def test_an_address_that_is_not_our_own_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="may"):
        read_allowed(address, (REPORT_STATIC, FONTS))


def test_our_own_stylesheet_and_fonts_are_handed_out() -> None:
    folders = (REPORT_STATIC, FONTS)
    assert read_allowed("https://report.invalid/report.css", folders)[0] == "text/css"
    assert read_allowed("https://report.invalid/noto-sans-latin-400-normal.woff2", folders)[0] == "font/woff2"


def test_a_link_in_our_folder_that_leads_out_of_it_is_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside.css"
    inside.mkdir()
    outside.write_text(SECRET)
    (inside / "way-out.css").symlink_to(outside)
    with pytest.raises(ValueError, match="no file of its own"):
        read_allowed("https://report.invalid/way-out.css", (inside,))


def test_the_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    from portal.lib import pdf

    monkeypatch.setenv("OPENHOURS_SECRET_KEY", SECRET)
    monkeypatch.setenv("DATABASE_URL", f"postgres://{SECRET}")
    assert SECRET not in str(pdf._environment("/nowhere"))


def test_same_page_gives_same_bytes_and_another_page_others() -> None:
    html = page(sample.call_report())
    first = render_pdf(html)
    assert render_pdf(html) == first
    assert render_pdf(html.replace("41 groups", "42 groups")) != first


def test_a_page_that_needs_too_much_time_is_stopped() -> None:
    with pytest.raises(PdfFailed, match="longer than 2 seconds") as failure:
        render_pdf(page(sample.long_report(5000)), seconds=2)
    assert failure.value.reason == "time"


def test_a_page_that_needs_too_much_memory_is_stopped() -> None:
    with pytest.raises(PdfFailed, match="more than 150 MB") as failure:
        render_pdf(page(sample.long_report(5000)), megabytes=150)
    assert failure.value.reason == "memory"


def test_a_chart_that_cannot_be_drawn_fails_the_report_instead_of_leaving_a_gap() -> None:
    broken = svg_around('<rect width="9" height="9" fill="url(#a)"/><text font-size="9" rotate="x">a</text>')
    with pytest.raises(PdfFailed, match="picture failed") as failure:
        render_pdf(f'<!doctype html><html lang=en><title>x</title><img alt="x" src="{broken}">')
    assert failure.value.reason == "drawing"


def test_english_report_reads_back_with_its_figures_page_numbers_and_digest() -> None:
    text = " ".join(text_of(render_pdf(page(sample.call_report()))).split())
    for words in ("12,000 hours, 41 groups", "9,872", "Page 1 of 2", "Page 2 of 2", "9f3c5d0a…12ff41aa"):
        assert words in text
    assert "Data to 30 June 2027 (UTC)" in text
    assert sample.DIGEST in text


def test_pdf_is_tagged_titled_and_dated_by_its_data_not_by_the_clock() -> None:
    reader = PdfReader(io.BytesIO(render_pdf(page(sample.call_report()))))
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en"
    assert reader.metadata
    assert reader.metadata.title == "12,000 hours, 41 groups, 82 % used by June · Openhours"
    assert reader.metadata.creation_date_raw == "D:20270630220000Z"
    assert "Hours used in total: March 1,100" in " ".join(alternatives(catalog["/StructTreeRoot"]))


def alternatives(element: object) -> Iterator[str]:
    found = element.get_object() if hasattr(element, "get_object") else element
    if isinstance(found, list):
        for child in found:
            yield from alternatives(child)
    elif isinstance(found, dict):
        if "/Alt" in found:
            yield found["/Alt"]
        yield from alternatives(found.get("/K", []))


def test_readable_by_machine_is_claimed_for_latin_letters_only() -> None:
    def claims(pdf: bytes) -> bool:
        return b"pdfuaid" in PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Metadata"].get_data()

    assert claims(render_pdf(page(sample.report_in("fr"))))
    bengali = PdfReader(io.BytesIO(render_pdf(page(sample.report_in("bn")))))
    assert "/Metadata" not in bengali.trailer["/Root"]


@pytest.mark.parametrize(
    ("language", "font"),
    [("bn", "Report-Bengali"), ("ar", "Report-Arabic"), ("fr", "Report-Serif-Semi-Bold")],
)
def test_letters_come_from_our_own_fonts_and_none_is_missing(language: str, font: str) -> None:
    pdf = render_pdf(page(sample.report_in(language)))
    fonts = fonts_of(pdf)
    assert font in fonts
    # A letter that our fonts lack would pull in a font of the machine, or glyph 0, the empty box.
    assert all(name.startswith("Report-") for name in fonts)
    assert "\x00" not in text_of(pdf)


def test_words_in_charts_are_joined_as_their_script_asks() -> None:
    """Torn into letters, each of the four would be placed by itself."""
    picture = svg_around('<text x="0" y="9" font-family="Report Arabic" font-size="9">ساعة</text>')
    pdf = render_pdf(f'<!doctype html><html lang=ar><title>x</title><img alt="x" src="{picture}">')
    reader = PdfReader(io.BytesIO(pdf))
    drawn = b"".join(stream.get_data() for stream in streams_of(reader))
    assert drawn.count(b" Tm") == 1
