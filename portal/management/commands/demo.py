"""`manage.py demo`: readies the database, loads the demo once, prints a link for each role; quickstart calls it."""

import os
import shutil
import subprocess
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from portal import demo


class Command(BaseCommand):
    help = "Loads the demo through the real stage functions and prints one sign-in link a role."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.IS_DEMO:
            raise CommandError(
                "This site is not a demo. Set OPENHOURS_DEMO=true, or run manage.py quickstart."
            )
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        with transaction.atomic():
            demo.load(now=timezone.now(), slurm=slurm_here())
        for line in demo.sign_in_lines(now=timezone.now()):
            self.stdout.write(line)


def slurm_here() -> dict[str, Any] | None:
    """The settings of this environment's Slurm when its controller answers, else None."""
    if not os.environ.get("SLURM_CONF") and not os.path.exists("/etc/slurm/slurm.conf"):
        return None
    if shutil.which("scontrol") is None:
        return None
    try:
        answer = subprocess.run(["scontrol", "ping"], capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return None
    return {} if answer.returncode == 0 else None
