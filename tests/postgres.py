"""A throw-away PostgreSQL: `python -m tests.postgres COMMAND…` runs COMMAND with DATABASE_URL set to it.

Called by tests/run.sh. The cluster listens on a Unix socket only and is gone when the command ends.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The cluster is thrown away, so nothing it writes has to survive a power cut.
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


def programs() -> Path:
    """The folder with initdb and pg_ctl of the newest PostgreSQL; Debian keeps them off the PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: int(found.parent.name))
    if installed:
        return installed[-1]
    found = shutil.which("pg_ctl")
    if found is None:
        raise SystemExit("tests.postgres: PostgreSQL is not installed; make setup-test installs it")
    return Path(found).parent


def unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root: the words to put before its commands."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def call(arguments: list[str], folder: Path) -> None:
    done = subprocess.run(
        unprivileged() + arguments, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        log = folder / "log"
        said = log.read_text(encoding="utf-8") if log.exists() else ""
        raise SystemExit(f"tests.postgres: {arguments[0]} failed\n{done.stdout}{done.stderr}{said}")


@contextmanager
def cluster() -> Iterator[str]:
    """Starts a cluster and gives its DATABASE_URL."""
    # Under /tmp, whatever TMPDIR says: a socket's path must be short (107 bytes).
    folder = Path(tempfile.mkdtemp(prefix="openhours-postgres-", dir="/tmp"))
    bin_folder, data = programs(), folder / "data"
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    settings = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in OPTIONS.items())
    try:
        form = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
        call([f"{bin_folder}/initdb", "-D", str(data), "-U", "openhours", *form], folder)
        start = ["-l", f"{folder}/log", "-o", f"{settings} -k {folder}", "-w", "start"]
        call([f"{bin_folder}/pg_ctl", "-D", str(data), *start], folder)
        yield f"postgres://openhours@/{folder}/postgres"
    finally:
        if (data / "postmaster.pid").exists():
            call([f"{bin_folder}/pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop"], folder)
        shutil.rmtree(folder, ignore_errors=True)


def main(command: list[str]) -> int:
    if not command:
        print("usage: python -m tests.postgres COMMAND [ARGUMENT…]", file=sys.stderr)
        return 2
    with cluster() as url:
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
