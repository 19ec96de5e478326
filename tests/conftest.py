"""What holds for every test: nothing is skipped under CI, which are pure, which browser is driven."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from tests import chromium, flush

# The synchronous Playwright runs inside an event loop, which Django would take for an asynchronous caller.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

TESTS = Path(__file__).parent
PURE = [TESTS / name for name in ("allocation/engine", "allocation/clusters", "portal/deploy", "portal/lib")]
NOTHING_SKIPPED = os.environ.get("CI", "").lower() in {"true", "1"}

# No deadline: CI shares its machines. Under CI the examples are the same each time, so a red build repeats.
hypothesis_settings.register_profile("house", deadline=None, derandomize=NOTHING_SKIPPED)
hypothesis_settings.load_profile("house")
flush.install()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(folder in item.path.parents for folder in PURE):
            item.add_marker(pytest.mark.pure)


def turn_skip_into_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    """A test that did not run has shown nothing; CI says so instead of staying green."""
    if NOTHING_SKIPPED and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", "")
        report.outcome = "failed"
        report.longrepr = f"skipped or expected to fail, which CI does not allow: {reason}"
        if hasattr(report, "wasxfail"):
            del report.wasxfail


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    turn_skip_into_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    turn_skip_into_failure(report)
    return report


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, **chromium.launch_arguments()}
