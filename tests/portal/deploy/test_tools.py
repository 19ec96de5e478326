"""Our own checks in `make check`, and the rule that CI skips nothing: each finds what it is for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.deploy import links, translations

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=(n > 1);\\n"

#, python-format
msgid "%(hours)s hours left"
msgstr "{left}"

msgctxt "verb"
msgid "Open"
msgstr "Ouvrir"

msgid "%(n)s hour"
msgid_plural "%(n)s hours"
msgstr[0] "{one}"
msgstr[1] "%(n)s heures"
"""
WANTED = {("", "%(hours)s hours left"), ("verb", "Open"), ("", "%(n)s hour")}


def catalogue(
    folder: Path, *, left: str = "%(hours)s heures", one: str = "une heure", more: str = ""
) -> list[str]:
    path = folder / "django.po"
    path.write_text(CATALOGUE.format(left=left, one=one) + more, encoding="utf-8")
    return list(translations.problems(WANTED, {"fr": path}))


def test_a_whole_catalogue_has_no_faults_and_a_plural_may_leave_its_number_out(tmp_path: Path) -> None:
    assert catalogue(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"left": "heures"}, "other placeholders"),
        ({"left": ""}, "not translated"),
        ({"one": "%(m)s heure"}, "other placeholders"),
        ({"more": '\nmsgid "Gone"\nmsgstr "Parti"\n'}, "no longer in the code"),
        ({"more": '\n#, fuzzy\nmsgid "Near"\nmsgstr "Loin"\n'}, "marked fuzzy"),
    ],
)
def test_a_fault_in_a_catalogue_is_named(tmp_path: Path, changes: dict[str, str], fault: str) -> None:
    assert any(fault in said for said in catalogue(tmp_path, **changes))


def test_a_text_without_an_entry_is_missing(tmp_path: Path) -> None:
    catalogue(tmp_path)
    said = translations.problems({*WANTED, ("", "Close")}, {"fr": tmp_path / "django.po"})
    assert list(said) == ["fr: 'Close' is missing; make messages adds it"]


def test_links_and_anchors_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# One, two & three\n\n## Again\n\n## Again\n", encoding="utf-8")
    (tmp_path / "README.md").write_text(
        "[a](other.md#one-two--three) [b](other.md#again-1) [c](https://example.org/x) `[d](gone.md)`\n"
        "[e](gone.md) [f](other.md#three) ![g](../outside.png)\n",
        encoding="utf-8",
    )
    assert links.problems(tmp_path) == [
        "README.md: gone.md: no such file",
        "README.md: other.md#three: no such heading",
        "README.md: ../outside.png: no such file",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "import pytest\npytest.skip('why', allow_module_level=True)",
        "import pytest\n@pytest.mark.skip(reason='why')\ndef test_it(): assert True",
        "import pytest\ndef test_it(): pytest.skip('why')",
        "import pytest\n@pytest.mark.xfail(reason='why')\ndef test_it(): assert False",
    ],
)
@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_what_is_skipped_fails_under_ci_only(tmp_path: Path, body: str, ci: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import *", encoding="utf-8")
    (tmp_path / "test_skipped.py").write_text(body, encoding="utf-8")
    (tmp_path / "test_passed.py").write_text("def test_it(): assert True", encoding="utf-8")
    plain = ["-p", "no:cacheprovider", "-p", "no:django", "-p", "no:playwright"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == bool(code), done.stdout
    assert ("which CI does not allow: " in done.stdout) == bool(code)


def test_a_throw_away_postgresql_answers_and_leaves_nothing() -> None:
    program = "import os; print(os.environ['DATABASE_URL'])"
    done = subprocess.run(
        [sys.executable, "-m", "tests.postgres", sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(done.stdout.strip().removeprefix("postgres://openhours@/").removesuffix("/postgres"))
    assert folder.name.startswith("openhours-postgres-")
    assert not folder.exists()
