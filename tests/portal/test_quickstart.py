"""`make run` from nothing: the demo loads through the stage functions, links sign in, a second start keeps the data."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.pure


def environment(folder: Path) -> dict[str, str]:
    dropped = ("DATABASE_URL", "OPENHOURS_SECRET_KEY", "OPENHOURS_DEMO", "OPENHOURS_URL", "SLURM_CONF")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"OPENHOURS_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "portal.settings"}


def manage(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def accounts(folder: Path) -> set[str]:
    """The generated account names of the demo's awards: others each time it is loaded."""
    with contextlib.closing(sqlite3.connect(folder / "openhours.sqlite3")) as database:
        return {name for (name,) in database.execute("SELECT account_name FROM allocation_award")}


def read(url: str) -> tuple[int, str, str]:
    with urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(url, timeout=20) as answer:
        return answer.status, answer.url, answer.read().decode()


def wait_for_line(process: Any, pattern: str) -> list[str]:
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if re.search(pattern, line):
            return lines
    raise AssertionError("".join(lines))


def test_the_demo_runs_on_the_next_free_port_and_stops_cleanly(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "manage.py", "quickstart", "--port", str(port)],
            cwd=ROOT,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            lines = wait_for_line(process, "Openhours runs")
            links = dict(re.findall(r"^(\w+) +(http\S+/enter/\S+/)$", "".join(lines), re.M))
            assert set(links) == {"applicant", "reviewer", "chair", "funder", "operator"}
            assert f"Port {port} is taken" in "".join(lines)
            for link in links.values():
                status, url, page = read(link)
                assert (status, url.endswith("/my/")) == (200, True)
                assert "demonstration" in page
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(40) == 0
            process.stdout.close()
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_second_start_keeps_the_data_and_fresh_begins_anew(tmp_path: Path) -> None:
    first = manage(tmp_path, "quickstart", "--no-serve")
    assert first.returncode == 0, first.stderr
    assert manage(tmp_path, "signin", "chair@demo.example").returncode == 0
    before = accounts(tmp_path)
    assert manage(tmp_path, "quickstart", "--no-serve").returncode == 0
    assert accounts(tmp_path) == before
    verified = manage(tmp_path, "audit", "verify")
    assert "hold" in verified.stdout, verified.stdout + verified.stderr
    assert manage(tmp_path, "quickstart", "--no-serve", "--fresh").returncode == 0
    assert not accounts(tmp_path) & before
    assert manage(tmp_path, "signin", "nobody@example.org").returncode == 1
