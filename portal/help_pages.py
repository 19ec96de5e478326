"""The help pages: Markdown by role in portal/help/<language>/, shown at /help/; English where one is missing."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from markdown_it import MarkdownIt

FOLDER = Path(__file__).parent / "help"
PAGES = {
    "applicant": _("For applicants"),
    "reviewer": _("For reviewers"),
    "chair": _("For chairs"),
    "funder": _("For funders"),
    "operator": _("For operators"),
    "check": _("Check a decision yourself"),
}


@dataclass(frozen=True)
class HelpPage:
    """`html` is made from our own files only, with raw HTML switched off."""

    title: str
    language: str
    html: SafeString


@lru_cache(maxsize=64)
def _page(name: str, language: str) -> HelpPage:
    path = FOLDER / language / f"{name}.md"
    if not path.exists():
        language, path = "en", FOLDER / "en" / f"{name}.md"
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(path.read_text(encoding="utf-8"))
    return HelpPage(title=str(PAGES[name]), language=language, html=SafeString(html))


def help_page(name: str) -> HelpPage:
    """The page called so, in the present language. Raises KeyError for a name that is none of PAGES."""
    if name not in PAGES:
        raise KeyError(name)
    return _page(name, get_language() or "en")
