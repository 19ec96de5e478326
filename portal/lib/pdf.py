"""Draws a report's HTML as PDF in a walled-off process of its own; the worker calls it, never a request.

The only place that knows WeasyPrint. This file is also the program that the child process runs: it must
import nothing of the site, so that neither settings nor secrets can reach the renderer.
"""

import base64
import ctypes
import hashlib
import json
import logging
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

FONTS = Path(__file__).resolve().parent / "fonts"
REPORT_STATIC = Path(__file__).resolve().parent.parent / "static" / "report"
# An address that cannot exist: everything under it is looked up in our own folders.
ORIGIN = "https://report.invalid/"
MEBIBYTE = 1024 * 1024
MEDIA_TYPES = {
    ".css": "text/css",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
EMBEDDED = re.compile(r"data:(image/(?:svg\+xml|png));base64,([A-Za-z0-9+/=\s]*)\Z")
# Text of these scripts is drawn right, but comes broken when copied out: no PDF/UA is claimed for it.
UNREADABLE_BY_MACHINE = re.compile("[\u0590-\u109f\u1780-\u18af\ufb1d-\ufdff\ufe70-\ufeff]")
EXIT_MEMORY, EXIT_TIME, EXIT_DRAWING = 3, 4, 5
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
KEPT_ENVIRONMENT = (
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
)


class PdfFailed(Exception):
    """A report could not be drawn; `reason` is memory, time or drawing, the message is plain words."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


def render_pdf(html: str, *, base: Path = REPORT_STATIC, seconds: int = 60, megabytes: int = 600) -> bytes:
    """Draws one page of HTML as a tagged PDF; the same HTML gives the same bytes.

    Relative addresses are looked up in `base`; nothing else can be fetched, neither files nor addresses.
    Raises PdfFailed when it takes more than `seconds` or `megabytes`, or cannot be drawn.
    """
    order = {"base": str(base.resolve()), "seconds": seconds, "megabytes": megabytes}
    with tempfile.TemporaryDirectory(prefix="report-") as scratch:
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(Path(__file__).resolve())],
                input=json.dumps(order).encode() + b"\n" + html.encode(),
                capture_output=True,
                timeout=seconds,
                env=_environment(scratch),
                cwd=scratch,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _failure("time", order) from None
    if done.returncode == 0 and done.stdout.startswith(b"%PDF-"):
        return done.stdout
    raise _failure(_reason(done.returncode), order, done.stderr.decode(errors="replace"))


def _environment(scratch: str) -> dict[str, str]:
    """What the child may know: no secrets, no database; a fixed clock and hash seed for equal bytes."""
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    fixed = {"SOURCE_DATE_EPOCH": "0", "PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1", "LC_ALL": "C.UTF-8"}
    return kept | fixed | {"HOME": scratch, "TMPDIR": scratch}


def _reason(returncode: int) -> str:
    if returncode in (EXIT_TIME, -signal.SIGXCPU, -signal.SIGKILL):
        return "time"
    # The C libraries of the renderer end themselves when memory is refused to them.
    if returncode in (EXIT_MEMORY, -signal.SIGABRT, -signal.SIGTRAP, -signal.SIGSEGV):
        return "memory"
    return "drawing"


def _failure(reason: str, order: dict[str, object], details: str = "") -> PdfFailed:
    words = {
        "time": f"The report took longer than {order['seconds']} seconds to draw, so it was stopped.",
        "memory": f"The report needed more than {order['megabytes']} MB of memory, so it was stopped.",
    }
    if reason in words:
        return PdfFailed(reason, words[reason])
    last_line = (details.strip().splitlines() or ["the renderer ended without a word"])[-1]
    return PdfFailed(reason, f"The report could not be drawn: {last_line[:300]}")


# From here on: the child process.


def main() -> int:
    """Reads an order and HTML from stdin, writes the PDF to stdout, one line of trouble to stderr."""
    order = json.loads(sys.stdin.buffer.readline())
    _wall_off(seconds=order["seconds"], megabytes=order["megabytes"])
    html = sys.stdin.buffer.read().decode()
    try:
        pdf = _draw(html, Path(order["base"]))
    except MemoryError:
        return EXIT_MEMORY
    except Exception as error:  # whatever it was, the parent tells it to people as PdfFailed
        memory = "allocate memory" in str(error).lower()
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return EXIT_MEMORY if memory else EXIT_DRAWING
    sys.stdout.buffer.write(pdf)
    return 0


def _wall_off(*, seconds: int, megabytes: int) -> None:
    """Takes away memory, time and, where the system lets us, the network."""
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * MEBIBYTE, megabytes * MEBIBYTE))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * MEBIBYTE, 64 * MEBIBYTE))
    if sys.platform == "linux":
        # A second wall: the fetcher below refuses every address even where this is not allowed.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _draw(html: str, base: Path) -> bytes:
    from weasyprint import CSS, HTML, svg
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OwnFilesOnly(URLFetcher):  # type: ignore[misc, unused-ignore]  # the package has no types
        """Hands out the report's own files and embedded pictures; refuses every other address."""

        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
            media_type, body = read_allowed(url, (base, FONTS))
            return URLFetcherResponse(url, body, {"Content-Type": media_type})

    _join_letters(svg)
    trouble = _Trouble()
    logging.getLogger("weasyprint").addHandler(trouble)
    fetcher = OwnFilesOnly(allowed_protocols=(), allow_redirects=False)
    fonts = FontConfiguration()
    own_type = CSS(
        string=(FONTS / "fonts.css").read_text(encoding="utf-8"),
        base_url=ORIGIN,
        url_fetcher=fetcher,
        font_config=fonts,
    )
    page = HTML(string=html, base_url=ORIGIN, url_fetcher=fetcher)
    pdf: bytes = page.write_pdf(
        stylesheets=[own_type],
        font_config=fonts,
        pdf_identifier=hashlib.sha256(html.encode()).hexdigest()[:32].encode(),
        pdf_tags=True,
        pdf_variant=None if UNREADABLE_BY_MACHINE.search(html) else "pdf/ua-1",
    )
    if trouble.words:
        raise ValueError(trouble.words[0])
    return pdf


class _Trouble(logging.Handler):
    """A chart that could not be drawn would leave a silent gap in a report: no report is better."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message.startswith("Failed to render"):
            self.words.append(f"a picture failed ({message[:80]})")


def _join_letters(svg: Any) -> None:
    """Has the words of charts drawn whole: WeasyPrint 70 draws them letter by letter, which tears Bengali
    conjuncts and joined Arabic apart. It walks over a text's letters, so the text offers itself as one.
    """
    draw_letters = svg.TAGS["text"]

    class Whole(str):
        def __iter__(self) -> Iterator[str]:
            yield str(self)

    def draw_whole(picture: object, node: Any, font_size: float) -> None:
        if node.text:
            node._etree_node.text = Whole(node.text)
        draw_letters(picture, node, font_size)

    svg.text = svg.TAGS["text"] = draw_whole


def read_allowed(url: str, folders: tuple[Path, ...]) -> tuple[str, bytes]:
    """The media type and bytes behind an address, if it is one of our own; ValueError otherwise."""
    if url.startswith("data:"):
        embedded = EMBEDDED.match(unquote(url))
        if not embedded:
            raise ValueError("Only pictures may be embedded in a report.")
        return embedded[1], base64.b64decode(embedded[2])
    path = unquote(urlsplit(url).path).lstrip("/")
    media_type = MEDIA_TYPES.get(Path(path).suffix)
    if not url.startswith(ORIGIN) or not media_type:
        raise ValueError(f"A report may not fetch {url[:120]}")
    for folder in folders:
        file = (folder / path).resolve()
        if file.is_relative_to(folder) and file.is_file():
            return media_type, file.read_bytes()
    raise ValueError(f"A report may only fetch its own files; it has no file of its own called {path[:80]}")


if __name__ == "__main__":
    sys.exit(main())
