"""Mails: `queue` writes one inside the caller's transaction, the worker sends it (portal.tasks.send_mail)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from portal.models import Mail, MailState, User
from portal.queue import defer

TRIES = 5


def queue(*, key: str, to: User, template: str, context: Mapping[str, Any], now: datetime) -> None:
    """Writes the mail of `templates/mail/<template>.txt` (first line: subject) in the person's own language.

    The key says what it is about; a mail with this key that is already there stays the only one.
    """
    with translation.override(to.language):
        text = render_to_string(
            f"mail/{template}.txt", {**context, "person": to, "site_url": settings.SITE_URL}
        ).strip()
    subject, _, body = text.partition("\n")
    queue_text(
        key=key, to_address=to.email, language=to.language, subject=subject, body=body.strip(), now=now
    )


def queue_text(*, key: str, to_address: str, language: str, subject: str, body: str, now: datetime) -> None:
    """Writes a mail whose text is ready."""
    mail, is_new = Mail.objects.get_or_create(
        key=key,
        defaults={
            "to_address": to_address,
            "language": language,
            "subject": " ".join(subject.split())[:250],
            "body": body,
            "queued_at": now,
        },
    )
    if is_new:
        defer("portal.tasks.send_mail", mail.pk)


def send(*, mail: Mail, now: datetime) -> None:
    """Sends one queued mail and notes that it went; a mail that fails five times is parked with its reason.

    A worker that dies between sending and noting sends again: the Message-ID made from the key lets
    mail programs show it once.
    """
    claimed = Mail.objects.filter(pk=mail.pk, state=MailState.QUEUED, attempts=mail.attempts).update(
        attempts=mail.attempts + 1
    )
    if not claimed:
        return
    host = urlsplit(settings.SITE_URL).hostname
    message_id = f"<{hashlib.sha256(mail.key.encode()).hexdigest()[:32]}@{host}>"
    message = EmailMessage(mail.subject, mail.body, to=[mail.to_address], headers={"Message-ID": message_id})
    try:
        message.send()
    except OSError as fault:
        parked = mail.attempts + 1 >= TRIES
        Mail.objects.filter(pk=mail.pk).update(
            last_error=f"{type(fault).__name__}: {fault}"[:300],
            state=MailState.PARKED if parked else MailState.QUEUED,
        )
        return
    Mail.objects.filter(pk=mail.pk).update(state=MailState.SENT, sent_at=now)


def send_waiting(*, now: datetime, older_than: datetime) -> int:
    """Sends again what an earlier try left queued; returns how many were tried."""
    waiting = list(Mail.objects.waiting_since(older_than).order_by("queued_at")[:200])
    for mail in waiting:
        send(mail=mail, now=now)
    return len(waiting)
