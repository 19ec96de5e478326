"""Keeps the queue alive; `manage.py worker` runs it.

It starts the queue as a process group of its own, asks for a sign of life, and restarts the whole group when
none comes. Why: a queue process that is killed while it waits for work dies with the lock of the queue in its
hand, and its replacement waits for ever. Only a new group of processes mends that. Every task may run twice,
so the supervisor gives unfinished ones back to the queue at once.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from django.db import OperationalError, close_old_connections
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from portal.models import Heartbeat
from portal.queue import defer

BEAT = "portal.tasks.beat"
SCHEDULES = {
    "portal.tasks.every_minute": "* * * * *",
    "portal.tasks.every_day": "17 3 * * *",
    "allocation.tasks.every_five_minutes": "*/5 * * * *",
}


@dataclass
class Supervisor:
    """`beat_seconds` between two questions; a group silent for `stale_seconds` is replaced."""

    beat_seconds: float = 15
    stale_seconds: float = 120
    group: "subprocess.Popen[bytes] | None" = None
    alive_at: float = 0.0
    asked_at: float = 0.0
    oldest: list[int] = field(default_factory=list)
    stopping: bool = False

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        set_schedules()
        self.start()
        while not self.stopping:
            time.sleep(min(self.beat_seconds, 1))
            if self.group is None or self.group.poll() is not None or self.is_stale():
                self.end_group()
                self.start()
        self.end_group()

    def stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping = True

    def start(self) -> None:
        give_back_unfinished()
        command = [sys.executable, sys.argv[0], "qcluster"]
        self.group = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
        self.alive_at, self.asked_at = time.monotonic(), 0.0

    def is_stale(self) -> bool:
        """Asks for a beat now and then; says whether the group has been silent for too long."""
        now = time.monotonic()
        try:
            if now - self.asked_at >= self.beat_seconds:
                self.asked_at = now
                ask_for_beat()
                if self.shows_life():
                    self.alive_at = now
        except OperationalError:
            # The database is away: the queue cannot work either, and a restart would not help it.
            close_old_connections()
            self.alive_at = now
        return now - self.alive_at > self.stale_seconds

    def shows_life(self) -> bool:
        """A beat since the last look, or one of the oldest tasks done: a long line of work is life too."""
        beat = Heartbeat.objects.filter(name="queue").values_list("beat_at", flat=True).first()
        recent = beat is not None and (timezone.now() - beat).total_seconds() < 2 * self.beat_seconds
        before = self.oldest
        self.oldest = list(OrmQ.objects.order_by("pk").values_list("pk", flat=True)[:10])
        return recent or bool(set(before) - set(self.oldest))

    def end_group(self) -> None:
        """Asks the group to end, then ends it: no process of it may live on beside the next one."""
        if self.group is None:
            return
        for sign, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
            try:
                os.killpg(self.group.pid, sign)
                self.group.wait(seconds)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        with suppress(ProcessLookupError):
            os.killpg(self.group.pid, signal.SIGKILL)
        self.group = None


def set_schedules() -> None:
    for task, cron in SCHEDULES.items():
        Schedule.objects.update_or_create(
            name=task, defaults={"func": task, "schedule_type": Schedule.CRON, "cron": cron}
        )


def ask_for_beat() -> None:
    """One question stands in the queue at a time: an answer to it is as good as an answer to ten."""
    if not any(queued.func() == BEAT for queued in OrmQ.objects.order_by("-pk")[:50]):
        defer(BEAT)


def give_back_unfinished() -> None:
    """No process works on anything now, so what was taken and not finished may be taken again."""
    OrmQ.objects.update(lock=timezone.now())
