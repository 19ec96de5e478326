"""Opening a driver from a cluster's kind and settings."""

from pathlib import Path
from typing import Any

import pytest

from allocation.clusters import BadSettings, open_driver
from allocation.clusters.base import Change, Kind
from allocation.clusters.words import describe
from tests.allocation.clusters.builders import FIRST, slot

BAD = [
    ("cloud", {}, "no driver"),
    ("slurm", {"prefix": "ssh login"}, "list of words"),
    ("slurm", {"prefix": ["ssh", 5]}, "list of words"),
    ("slurm", {"limit_seconds": 0}, "between 0 and 120"),
    ("slurm", {"limit_seconds": True}, "between 0 and 120"),
    ("slurm", {"prefx": []}, "Unknown settings: prefx"),
    ("simulated", {"unit": "rack"}, "must be"),
    ("simulated", {"nodes": []}, "must be a list"),
    ("simulated", {"nodes": [{"name": "a"}]}, "must be a list"),
    ("simulated", {"name": "../../etc"}, "without slashes"),
]


@pytest.mark.parametrize(("kind", "settings", "told"), BAD)
def test_bad_settings_are_told_in_plain_words(
    kind: str, settings: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSettings, match=told):
        open_driver(kind, settings, tmp_path)


def test_a_slurm_driver_puts_its_prefix_in_front_and_tells_how_to_run_a_job(tmp_path: Path) -> None:
    settings = {"name": "lab", "prefix": ["ssh", "login"], "login": "login.example.org", "limit_seconds": 5}
    driver = open_driver("slurm", settings, tmp_path)
    assert (driver.name, driver.is_simulated) == ("lab", False)
    lines = driver.connect_help(FIRST)
    assert lines[0].endswith("ssh login.example.org")
    assert f"--account={FIRST}" in lines[1]


def test_opening_writes_and_runs_nothing(tmp_path: Path) -> None:
    assert open_driver("simulated", {}, tmp_path).inventory()[0].node == "sim1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_change_has_its_sentence(kind: Kind) -> None:
    change = Change(kind=kind, target=FIRST, user="ana", limit_minutes=60, reservation=slot())
    assert FIRST in describe(change)
    assert "%(" not in describe(change)
