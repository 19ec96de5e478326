"""Sign-up and sign-in: allauth, with its mails going through our outbox and staff needing a second factor."""

import uuid
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal import audit, mail
from portal.models import SignInLink, User
from portal.refused import Refused


class AccountAdapter(DefaultAccountAdapter):
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        message = self.render_mail(template_prefix, email, context)
        mail.queue_text(
            key=f"account:{uuid.uuid4()}",
            to_address=email,
            language=get_language() or settings.LANGUAGE_CODE,
            subject=str(message.subject),
            body=str(message.body),
            now=timezone.now(),
        )

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.language = get_language() or settings.LANGUAGE_CODE
        saved: User = super().save_user(request, user, form, commit=False)
        saved.email = saved.email.lower()
        saved.set_unusable_password()
        if commit:
            saved.save()
        return saved


def make_sign_in_link(*, user: User, now: datetime, hours: int = 1, is_reusable: bool = False) -> str:
    """Makes a link that signs the person in, and returns its path. Only a digest of its token is kept."""
    token = token_urlsafe(32)
    SignInLink.objects.create(
        token_sha256=sha256(token.encode()).hexdigest(),
        user=user,
        made_at=now,
        ends_at=now + timedelta(hours=hours),
        is_reusable=is_reusable,
    )
    return f"/enter/{token}/"


def use_sign_in_link(*, token: str, now: datetime) -> User:
    """The person whom the link signs in; it is used up then, but for links of the demo."""
    digest = sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    with transaction.atomic():
        link = SignInLink.objects.select_related("user").filter(token_sha256=digest).first()
        fresh = Q(pk=link.pk, ends_at__gt=now) & (Q(used_at=None) | Q(is_reusable=True)) if link else None
        if link is None or fresh is None or not SignInLink.objects.filter(fresh).update(used_at=now):
            raise Refused(_("This link was used or has ended. Ask for a new one, or sign in by e-mail."))
        audit.record(by=link.user, did="person.entered_by_link", subject=link.user, at=now)
    return link.user
