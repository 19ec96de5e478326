"""The queue's supervisor against the real queue: idle processes killed by -9, and tasks that were under way."""

import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from portal import mail
from portal.models import Heartbeat, Mail, MailState
from portal.supervisor import give_back_unfinished
from tests.worker import eventually, running_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    with running_worker() as process:
        yield process


def queue_processes(supervisor: int) -> list[int]:
    """Every process of the queue below a supervisor, parents first."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in found.splitlines())}
    below, level = [], [supervisor]
    while level:
        level = [pid for pid, parent in parents.items() if parent in level]
        below += level
    return below


def write_mail(key: str) -> None:
    mail.queue_text(
        key=key, to_address="a@example.org", language="en", subject="s", body="b", now=timezone.now()
    )


def is_sent(key: str) -> bool:
    return Mail.objects.filter(key=key, state=MailState.SENT).exists()


def test_an_idle_queue_killed_by_9_works_again(worker: "subprocess.Popen[bytes]") -> None:
    write_mail("before")
    eventually(lambda: is_sent("before"))
    for round_number in range(2):
        for pid in queue_processes(worker.pid)[1:]:
            os.kill(pid, signal.SIGKILL)
        write_mail(f"after {round_number}")
        eventually(lambda number=round_number: is_sent(f"after {number}"))
    assert Mail.objects.filter(attempts=1, state=MailState.SENT).count() == 3


def test_no_process_outlives_the_supervisor(worker: "subprocess.Popen[bytes]") -> None:
    eventually(lambda: Heartbeat.objects.filter(name="queue").exists())
    processes = queue_processes(worker.pid)
    worker.send_signal(signal.SIGINT)
    worker.wait(30)
    eventually(lambda: not [pid for pid in processes if Path(f"/proc/{pid}").exists()], seconds=10)
    assert worker.returncode == 0


def test_what_was_taken_and_not_finished_is_given_back() -> None:
    """The twin: without it a killed task would wait for ten minutes."""
    write_mail("taken")
    later = timezone.now() + timedelta(seconds=600)
    OrmQ.objects.update(lock=later)
    assert not OrmQ.objects.filter(lock__lte=timezone.now()).exists()
    give_back_unfinished()
    assert OrmQ.objects.filter(lock__lte=timezone.now()).count() == 1
