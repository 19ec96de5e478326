"""Keeps the catalogues in portal/locale whole: `check` for `make check`, `update` for `make messages`.

One catalogue a language holds the texts of all apps. English is the language of the code and has none.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ["manage.py", "portal", "grants", "allocation", "templates"]
CATALOGUE = Path("LC_MESSAGES") / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[#0 +-]*\d*(?:\.\d+)?[a-zA-Z]|%[sdif]|\{\w*\}")
ENTRY_LINE = re.compile(r'^(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)?\s*(".*")\s*$')


@dataclass
class Entry:
    """One text of a catalogue."""

    is_fuzzy: bool = False
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return self.parts.get("msgctxt", ""), self.parts.get("msgid", "")

    @property
    def translations(self) -> list[str]:
        return [text for name, text in self.parts.items() if name.startswith("msgstr")]


def read_catalogue(path: Path) -> dict[tuple[str, str], Entry]:
    """The entries in use, by context and text; the header is left out."""
    found = {}
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        entry, part = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#,") and "fuzzy" in line:
                entry.is_fuzzy = True
            elif matched := ENTRY_LINE.match(line):
                part = matched[1] or part
                entry.parts[part] = entry.parts.get(part, "") + ast.literal_eval(matched[2])
        if entry.parts.get("msgid"):
            found[entry.key] = entry
    return found


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text.replace("%%", "")))


def faults_of(entry: Entry) -> Iterator[str]:
    if entry.is_fuzzy:
        yield "is marked fuzzy"
    if not entry.translations or not all(entry.translations):
        yield "is not translated"
        return
    if "msgid_plural" not in entry.parts:
        if placeholders(entry.parts["msgid"]) != placeholders(entry.translations[0]):
            yield "has other placeholders in the translation"
        return
    # A form for one or two may leave its number out ("one hour"), but no form may have a name of its own.
    allowed = placeholders(entry.parts["msgid"]) | placeholders(entry.parts["msgid_plural"])
    used = [placeholders(text) for text in entry.translations]
    if any(names - allowed for names in used) or set().union(*used) != allowed:
        yield "has other placeholders in the translation"


def makemessages(folder: Path, languages: list[str]) -> None:
    """Django's own reader of texts, over the code in `folder`."""
    arguments = ["--ignore", "var", "--ignore", "tests"]
    arguments += [part for language in languages for part in ("--locale", language)]
    done = subprocess.run(
        [sys.executable, "manage.py", "makemessages", "--no-obsolete", "--add-location", "file", *arguments],
        cwd=folder,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"makemessages failed:\n{done.stdout}{done.stderr}")


def texts_of_the_code(root: Path) -> set[tuple[str, str]]:
    """Every text that the code and the templates hold now, read in a copy so that no catalogue is touched."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch)
        for name in SOURCES:
            source = root / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("*.pyc", "*.po", "*.mo"))
            elif source.exists():
                shutil.copy(source, copy / name)
        (copy / "portal" / "locale").mkdir(parents=True, exist_ok=True)
        makemessages(copy, ["eo"])
        return set(read_catalogue(copy / "portal" / "locale" / "eo" / CATALOGUE))


def catalogues(root: Path) -> dict[str, Path]:
    return {
        path.parent.parent.name: path for path in sorted((root / "portal" / "locale").glob(f"*/{CATALOGUE}"))
    }


def promised_languages() -> set[str]:
    """The languages that the site offers, as names of folders; English needs no catalogue."""
    sys.path.insert(0, str(ROOT))
    from django.conf import settings
    from django.utils.translation import to_locale

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    return {to_locale(code) for code, _name in settings.LANGUAGES} - {"en"}


def problems(wanted: set[tuple[str, str]], found: dict[str, Path]) -> Iterator[str]:
    for language, path in found.items():
        checked = subprocess.run(
            ["msgfmt", "--check", "-o", "/dev/null", str(path)], capture_output=True, text=True, check=False
        )
        if checked.returncode:
            yield f"{language}: {checked.stderr.strip()}"
        entries = read_catalogue(path)
        for key in sorted(wanted - set(entries)):
            yield f"{language}: {key[1]!r} is missing; make messages adds it"
        for key in sorted(set(entries) - wanted):
            yield f"{language}: {key[1]!r} is no longer in the code; make messages removes it"
        for key, entry in entries.items():
            yield from (f"{language}: {key[1]!r} {fault}" for fault in faults_of(entry))


def check() -> int:
    found = catalogues(ROOT)
    said = [f"{code}: has no catalogue" for code in sorted(promised_languages() - set(found))]
    said += problems(texts_of_the_code(ROOT), found)
    print("\n".join(said), end="\n" if said else "")
    return bool(said)


def update(languages: list[str]) -> int:
    wanted = sorted({*catalogues(ROOT), *languages})
    if wanted:
        makemessages(ROOT, wanted)
    print("catalogues:", " ".join(wanted) or "none; make messages NEW=fr begins one")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        sys.exit(check())
    if sys.argv[1:2] == ["update"]:
        sys.exit(update(sys.argv[2:]))
    print("usage: translations.py check | update [LANGUAGE…]", file=sys.stderr)
    sys.exit(2)
