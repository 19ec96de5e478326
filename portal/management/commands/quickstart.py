"""`manage.py quickstart`: the whole site with demo data on this machine. `make run` calls it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

TRIES = 50


class Command(BaseCommand):
    help = "Loads the demo, starts web and worker, and prints a sign-in link for each role."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the first port to try (8000)")
        parser.add_argument("--fresh", action="store_true", help="throw the demo's data away and begin anew")
        parser.add_argument("--no-serve", action="store_true", help="load and print only")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["fresh"]:
            forget(settings.DATA_DIR)
        port = options["port"] if options["no_serve"] else self.free_port(options["port"])
        environment = os.environ | {"OPENHOURS_DEMO": "true", "OPENHOURS_URL": f"http://127.0.0.1:{port}"}
        manage = [sys.executable, sys.argv[0]]
        links = subprocess.run(
            [*manage, "demo"], env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
        if links.returncode:
            raise CommandError("The demo could not be loaded; the reason stands above.")
        if options["no_serve"]:
            self.stdout.write(links.stdout)
            return
        self.serve(port, manage, environment, links.stdout)

    def free_port(self, first: int) -> int:
        for port in range(first, first + TRIES):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            if port != first:
                self.stderr.write(f"Port {first} is taken; using {port}.")
            return port
        raise CommandError(f"Ports {first} to {first + TRIES - 1} are all taken. Choose another with --port.")

    def serve(self, port: int, manage: list[str], environment: dict[str, str], links: str) -> None:
        socket_path = settings.DATA_DIR / "gunicorn.ctl"
        web = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}"]
        web += [
            "--workers",
            "2",
            "--threads",
            "4",
            "--control-socket",
            str(socket_path),
            "--log-level",
            "warning",
        ]
        stop = Stop()
        parts = [subprocess.Popen(web, env=environment, start_new_session=True)]
        parts.append(subprocess.Popen([*manage, "worker"], env=environment, start_new_session=True))
        try:
            wait_until_answered(port, parts, stop)
            self.stdout.write(links)
            self.stdout.write(f"\nOpenhours runs at http://127.0.0.1:{port}/ (Ctrl-C stops it)")
            self.stdout.flush()
            while not stop.asked and all(part.poll() is None for part in parts):
                time.sleep(0.2)
        finally:
            end(parts)
        if not stop.asked:
            raise CommandError("Web or worker ended by itself; the reason stands above.")


class Stop:
    """Notes that the person asked to stop, by Ctrl-C or by ending the process."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, self)
        signal.signal(signal.SIGTERM, self)

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        self.asked = True


def wait_until_answered(port: int, parts: list["subprocess.Popen[bytes]"], stop: Stop) -> None:
    for _ in range(600):
        if stop.asked or any(part.poll() is not None for part in parts):
            return
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


def end(parts: list["subprocess.Popen[bytes]"]) -> None:
    """Asks each part to end and waits; what does not is ended with its whole group."""
    for part in parts:
        part.terminate()
    for part in parts:
        try:
            part.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(part.pid, signal.SIGKILL)
            part.wait()


def forget(folder: Path) -> None:
    """Takes the demo's own files away and nothing else; a PostgreSQL database is emptied by its owner."""
    if not settings.IS_SQLITE:
        raise CommandError("--fresh works on SQLite only. Drop and create the PostgreSQL database yourself.")
    database = Path(settings.DATABASES["default"]["NAME"])
    for path in (database, Path(f"{database}-wal"), Path(f"{database}-shm")):
        path.unlink(missing_ok=True)
    for name in ("mail", "simulated", "static"):
        shutil.rmtree(folder / name, ignore_errors=True)
