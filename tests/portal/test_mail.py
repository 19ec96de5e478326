"""Mails: one for one cause, in the person's transaction, sent once, parked after five failures."""

from typing import Any

import pytest
from django.core import mail as outbox
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from portal import mail
from portal.models import Mail, MailState
from tests.factories import a_user

pytestmark = pytest.mark.django_db


def a_mail(key: str = "test:1") -> Mail:
    mail.queue_text(
        key=key, to_address=a_user().email, language="en", subject="Hello", body="Text", now=timezone.now()
    )
    return Mail.objects.get(key=key)


def test_the_same_cause_gives_one_mail_and_one_task() -> None:
    a_mail()
    a_mail()
    assert Mail.objects.count() == 1
    assert OrmQ.objects.count() == 1


def test_a_mail_goes_with_the_transaction_that_was_rolled_back() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        a_mail()
        raise RuntimeError
    assert not Mail.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_mail_is_sent_once_however_often_its_task_runs() -> None:
    queued = a_mail()
    mail.send(mail=queued, now=timezone.now())
    mail.send(mail=Mail.objects.get(pk=queued.pk), now=timezone.now())
    assert len(outbox.outbox) == 1
    assert Mail.objects.get(pk=queued.pk).state == MailState.SENT
    assert "Message-ID" in outbox.outbox[0].extra_headers


def test_a_server_that_is_away_parks_the_mail_after_five_tries(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    queued = a_mail()
    for _ in range(mail.TRIES):
        assert Mail.objects.get(pk=queued.pk).state == MailState.QUEUED
        mail.send(mail=Mail.objects.get(pk=queued.pk), now=timezone.now())
    parked = Mail.objects.get(pk=queued.pk)
    assert parked.state == MailState.PARKED
    assert "ConnectionRefused" in parked.last_error
