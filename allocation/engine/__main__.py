"""The engine's command line: award, schedule, check.

Exit 0 done, 1 refused with one line on stderr, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from . import BundleError, award, canonical_bytes, check, read, schedule


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    try:
        bundle = _read(chosen.bundle)
        if chosen.command == "check":
            return _check(bundle, _read(chosen.result))
        result = award(bundle) if chosen.command == "award" else schedule(bundle)
        _write(canonical_bytes(result), chosen.output)
    except (BundleError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog="python -m allocation.engine", description="Decides, plans and checks bundles."
    )
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_OneLineParser)
    for name, about in (("award", "decide an award bundle"), ("schedule", "plan a schedule bundle")):
        command = commands.add_parser(name, help=about)
        command.add_argument("bundle", metavar="IN.json", type=Path)
        command.add_argument("-o", dest="output", metavar="OUT.json", type=Path)
    command = commands.add_parser("check", help="check that a result follows from its bundle")
    command.add_argument("bundle", metavar="IN.json", type=Path)
    command.add_argument("result", metavar="OUT.json", type=Path)
    return parser


def _read(path: Path) -> Any:
    try:
        value = read(path.read_bytes())
        if not isinstance(value, dict):
            raise BundleError("$", "this must be an object")
    except BundleError as error:
        raise BundleError(f"{path}: {error.path}", error.message) from error
    return value


def _write(data: bytes, output: Path | None) -> None:
    """Exactly the canonical bytes, so that a digest of the file is the digest of the result."""
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(data)


def _check(bundle: dict[str, Any], result: Any) -> int:
    faults = check(bundle, result)
    for fault in faults:
        print(fault)
    if faults:
        print(
            f"The result does not follow from the bundle ({len(faults)} faults): {faults[0]}", file=sys.stderr
        )
        return 1
    print("The result follows from the bundle.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
