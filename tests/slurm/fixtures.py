"""Real Slurm clusters for tests: slurm_box (this machine's) and slurm_modern (24.11, in a chroot).

A conftest imports the two fixtures. A lock gives each cluster to one process at a time; keep tests that use them
in few files, and run pytest-xdist with --dist loadfile, so that no worker waits for another.
The folder is outside of the repository: tools that walk through ours need not meet another system's files.
"""

import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from allocation.clusters.slurm import SlurmDriver

SCRIPTS = Path(__file__).parent
FOLDER = Path(os.environ.get("OPENHOURS_SLURM_BOXES", "/var/tmp/openhours-slurm"))
PORT = int(os.environ.get("OPENHOURS_SLURM_PORT", "16817"))
LAST_STATES = {"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT"}


@dataclass(frozen=True, kw_only=True)
class Box:
    """One cluster, and what a person or the site's own staff would do on it."""

    driver: SlurmDriver
    folder: Path
    enter: tuple[str, ...]
    config: str

    def call(self, *argv: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        become = () if user == "root" else ("runuser", "-u", user, "--")
        environment = ("env", f"SLURM_CONF={self.config}", "TZ=UTC", "LC_ALL=C")
        full = [*self.enter, *become, *environment, *argv]
        return subprocess.run(full, capture_output=True, text=True, timeout=30)

    def told(self, *argv: str) -> str:
        done = self.call(*argv)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def try_submit(
        self, *, user: str, account: str, options: tuple[str, ...], seconds: float
    ) -> tuple[str, str]:
        """Gives the job's number, or nothing and what Slurm said."""
        where = (f"--account={account}", "--chdir=/tmp", "--output=/dev/null", "--parsable")
        done = self.call("sbatch", *where, *options, f"--wrap=sleep {seconds}", user=user)
        return done.stdout.strip(), done.stderr.strip()

    def submit(self, *, user: str, account: str, options: tuple[str, ...], seconds: float) -> str:
        job_id, complaint = self.try_submit(user=user, account=account, options=options, seconds=seconds)
        assert job_id, complaint
        return job_id

    def job(self, job_id: str) -> dict[str, str]:
        line = self.told("scontrol", "-o", "show", "job", job_id)
        return dict(word.split("=", 1) for word in line.split() if "=" in word)

    def wait_for(
        self, job_id: str, is_so: Callable[[dict[str, str]], bool], seconds: float = 20
    ) -> dict[str, str]:
        until = time.monotonic() + seconds
        while not is_so(job := self.job(job_id)):
            assert time.monotonic() < until, f"job {job_id} stays {job['JobState']} ({job['Reason']})"
            time.sleep(0.1)
        return job

    def wait_until_running(self, job_id: str) -> dict[str, str]:
        return self.wait_for(job_id, lambda job: job["JobState"] == "RUNNING")

    def wait_until_over(self, job_id: str) -> dict[str, str]:
        return self.wait_for(job_id, lambda job: job["JobState"] in LAST_STATES)

    def counted(self, log: Path) -> SlurmDriver:
        """A driver that notes each command it runs, by way of its prefix."""
        note = ("sh", "-c", f'echo "$*" >>{log}; exec "$@"', "-")
        prefix = (*note, *self.enter, "env", f"SLURM_CONF={self.config}")
        return SlurmDriver(name="counted", prefix=prefix)


def run_script(name: str, *arguments: str, port: int = PORT) -> None:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    done = subprocess.run(
        [str(SCRIPTS / name), *arguments],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "PATH": path, "SLURM_BOX_PORT": str(port)},
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def owned(name: str) -> Iterator[Path]:
    """Gives a box's folder to one test run at a time; another run on this machine waits for its end."""
    if os.geteuid() != 0:
        pytest.skip("only root can start Slurm's daemons")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield FOLDER / name


def make_box(folder: Path, enter: tuple[str, ...], config: str) -> Box:
    driver = SlurmDriver(name="box", prefix=(*enter, "env", f"SLURM_CONF={config}"))
    return Box(driver=driver, folder=folder, enter=enter, config=config)


@pytest.fixture(scope="session")
def slurm_box() -> Iterator[Box]:
    """This machine's own Slurm: 22.05 on Debian 12, which reserves whole nodes."""
    with owned("native") as folder:
        try:
            run_script("box-up.sh", str(folder))
            yield make_box(folder, (), f"{folder}/conf/slurm.conf")
        finally:
            run_script("box-down.sh", str(folder), "--wipe")


@pytest.fixture(scope="session")
def slurm_modern() -> Iterator[Box]:
    """Slurm 24.11, which reserves single GPUs, behind a prefix as a login node would be."""
    with owned("modern") as root:
        try:
            run_script("modern-up.sh", str(root), port=PORT + 1000)
            yield make_box(root / "box", ("chroot", str(root)), "/box/conf/slurm.conf")
        finally:
            run_script("modern-down.sh", str(root))
