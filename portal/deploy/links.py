"""Checks that the relative links and anchors of the Markdown documents lead somewhere; for `make check`."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_OURS = {".git", ".venv", "var", "node_modules", ".pytest_cache", ".hypothesis"}
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINKS = [
    re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)"),
    re.compile(r"^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)", re.MULTILINE),
    re.compile(r"(?:href|src)=[\"']([^\"']+)[\"']"),
]
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
NAMED = re.compile(r"(?:id|name)=[\"']([^\"']+)[\"']")


def documents(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*.md") if not NOT_OURS.intersection(p.relative_to(root).parts))


def anchors(text: str) -> set[str]:
    """The anchors a reader on a code host gets: of headings, numbered when repeated, and written ones."""
    text = FENCE.sub("", text)
    seen: dict[str, int] = {}
    found = set(NAMED.findall(text))
    for heading in HEADING.findall(text):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def targets(text: str) -> Iterator[str]:
    text = CODE.sub("", FENCE.sub("", text))
    for pattern in LINKS:
        yield from pattern.findall(text)


def broken(document: Path, target: str, root: Path) -> str | None:
    """Says what is wrong with one link, or None. Addresses of the web and of the site are not followed."""
    if re.match(r"[a-z][a-z0-9+.-]*:|//|/", target, re.IGNORECASE):
        return None
    path, _, anchor = target.partition("#")
    found = (document.parent / unquote(path)).resolve() if path else document
    if not found.exists():
        return "no such file"
    if not found.is_relative_to(root):
        return "leads out of the repository"
    if anchor and found.suffix == ".md" and unquote(anchor) not in anchors(found.read_text(encoding="utf-8")):
        return "no such heading"
    return None


def problems(root: Path) -> list[str]:
    said = []
    for document in documents(root):
        for target in targets(document.read_text(encoding="utf-8")):
            if fault := broken(document, target, root):
                said.append(f"{document.relative_to(root)}: {target}: {fault}")
    return said


if __name__ == "__main__":
    found = problems(ROOT)
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
