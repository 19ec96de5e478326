"""The real worker beside a test: `manage.py worker` on the test's own database and data folder."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parents[1]


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Waits until something holds, and fails when it never does."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, f"waited {seconds} s"
        time.sleep(0.1)


def database_url() -> str:
    """The test's own database as another process finds it."""
    found: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}@/{found['NAME']}?host={found['HOST']}&port={found['PORT']}"


@contextmanager
def running_worker() -> Iterator["subprocess.Popen[bytes]"]:
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "OPENHOURS_DATA": str(settings.DATA_DIR),
        "OPENHOURS_SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    command = [sys.executable, "manage.py", "worker", "--beat", "1", "--stale", "6"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)
