"""`python -m tests.bench NAME [--json]`: runs one benchmark, or `all`, and prints its figures.

Each benchmark is a module beside this one with `run() -> dict`. Figures are compared by eye or by a program; no
test fails by them. Nothing is stored outside a temporary folder.
"""

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

NAMES = sorted(
    module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name != "__main__"
)


def show(figures: Any, indent: str = "") -> None:
    for key, value in figures.items():
        if isinstance(value, dict):
            print(f"{indent}{key}")
            show(value, indent + "    ")
        else:
            print(f"{indent}{key:<36} {value}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("name", choices=[*NAMES, "all"])
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    given = parser.parse_args()
    names = NAMES if given.name == "all" else [given.name]
    figures = {name: importlib.import_module(f"tests.bench.{name}").run() for name in names}
    if given.json:
        json.dump(figures if given.name == "all" else figures[given.name], sys.stdout, indent=1)
        print()
    else:
        show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
