"""What the worker does for the site itself. Each task takes ids, re-reads its rows and may run twice."""

from datetime import timedelta

from django.utils import timezone

from portal import audit, mail
from portal.models import Heartbeat, Mail, PostedForm, SignInLink


def send_mail(mail_id: int) -> None:
    mail.send(mail=Mail.objects.get(pk=mail_id), now=timezone.now())


def beat() -> None:
    """A sign of life from inside the queue; the supervisor restarts a queue that gives none."""
    Heartbeat.objects.update_or_create(name="queue", defaults={"beat_at": timezone.now()})


def every_minute() -> None:
    now = timezone.now()
    mail.send_waiting(now=now, older_than=now - timedelta(minutes=5))
    audit.seal(now=now)


def every_day() -> None:
    """Forgets what nobody needs any more: forms sent a week ago, links that ended."""
    now = timezone.now()
    PostedForm.objects.filter(at__lt=now - timedelta(days=7)).delete()
    SignInLink.objects.filter(ends_at__lt=now - timedelta(days=7)).delete()
