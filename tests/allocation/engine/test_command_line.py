"""python -m allocation.engine: the same bytes each time; 0 done, 1 refused in one line, 2 wrong usage."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from allocation.engine import award, canonical_bytes

from .bundles import worked_example


def engine(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "allocation.engine", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, timeout=60)


def test_award_writes_the_canonical_bytes_and_check_accepts_them(tmp_path: Path) -> None:
    bundle, result = tmp_path / "in.json", tmp_path / "out.json"
    bundle.write_text(json.dumps(worked_example(), indent=2))
    written = engine("award", bundle, "-o", result)
    assert (written.returncode, written.stdout, written.stderr) == (0, b"", b"")
    assert result.read_bytes() == canonical_bytes(award(worked_example())) == engine("award", bundle).stdout
    told = json.loads(result.read_bytes())["input_sha256"]
    assert told == hashlib.sha256(canonical_bytes(worked_example())).hexdigest()
    assert engine("check", bundle, result).returncode == 0


def test_check_refuses_a_changed_result_in_one_line(tmp_path: Path) -> None:
    bundle, result = tmp_path / "in.json", tmp_path / "out.json"
    bundle.write_bytes(canonical_bytes(worked_example()))
    result.write_bytes(canonical_bytes(award(worked_example()) | {"value": 1}))
    checked = engine("check", bundle, result)
    assert checked.returncode == 1
    assert checked.stderr.count(b"\n") == 1
    assert b"$.value" in checked.stderr


def test_a_bad_bundle_a_missing_file_and_a_missing_rule_exit_1_with_one_line(tmp_path: Path) -> None:
    bad, rule = tmp_path / "bad.json", tmp_path / "rule.json"
    bad.write_text('{"format": 1.5}')
    rule.write_bytes(canonical_bytes(worked_example() | {"rule": "equal-shares"}))
    for path, said in (
        (bad, b"$.format: 1.5"),
        (rule, b"it has: rank-and-cut"),
        (tmp_path / "no", b"No such file"),
    ):
        refused = engine("award", path)
        assert refused.returncode == 1
        assert refused.stdout == b""
        assert refused.stderr.count(b"\n") == 1
        assert said in refused.stderr


def test_schedule_plans_from_a_file(tmp_path: Path) -> None:
    bundle = tmp_path / "in.json"
    empty = {"format": "openhours/schedule/1", "step_seconds": 900, "gpus": [], "requests": []}
    bundle.write_bytes(canonical_bytes(empty))
    assert json.loads(engine("schedule", bundle).stdout)["placed_gpu_seconds"] == 0


def test_wrong_usage_exits_2_with_one_line() -> None:
    for arguments in ((), ("guess",), ("award",), ("check", "only-one.json")):
        refused = engine(*arguments)
        assert refused.returncode == 2
        assert refused.stderr.count(b"\n") == 1


def test_the_engine_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, allocation.engine.__main__;"
        "others = {'django', 'random', 'portal', 'grants', 'highspy'};"
        "print([name for name in sys.modules if name.split('.')[0] in others])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert done.stdout.strip() == b"[]"
