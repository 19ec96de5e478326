"""The browser of the tests: the system's own Chromium, not one that Playwright would download."""

import shutil
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch_arguments() -> dict[str, Any]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found, "no Chromium found; make setup-test installs it"
    return {"executable_path": found, "args": ARGUMENTS}
