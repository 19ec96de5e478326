"""People, and the rows that every stage writes: audit, mail, heartbeat, sign-in links, posted forms."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.queries import AuditEntryQuerySet, MailQuerySet, UserQuerySet


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        if password:
            user.set_password(password)
        else:
            user.set_unusable_password()
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Makes the operator who installs the site."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, is_operator=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person; the e-mail address is the name. Roles here say what one may be given, never what one sees."""

    email = models.EmailField(_("e-mail address"), unique=True)
    display_name = models.CharField(_("name"), max_length=80, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("works in the admin"), default=False)
    is_chair = models.BooleanField(_("chair"), default=False)
    is_reviewer = models.BooleanField(_("reviewer"), default=False)
    is_operator = models.BooleanField(_("operator"), default=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_is_unique_in_any_case"),
            models.CheckConstraint(
                condition=Q(is_superuser=False) | Q(is_chair=False, is_reviewer=False),
                name="user_superuser_is_never_chair_or_reviewer",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.email


class AuditEntry(models.Model):
    """What somebody did, once and for good. Names rows, holds no personal data."""

    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="audit_entries", verbose_name=_("by")
    )
    did = models.CharField(_("did"), max_length=60)
    subject_kind = models.CharField(_("kind of subject"), max_length=60)
    subject_id = models.CharField(_("subject"), max_length=40)
    detail = models.JSONField(_("detail"), default=dict)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="audit_by_subject")]

    def __str__(self) -> str:
        return f"{self.did} {self.subject_kind} {self.subject_id}"


class AuditSeal(models.Model):
    """One link of the audit chain: sealed by the worker in its own order, so that nobody waits for it."""

    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="seal")
    previous_sha256 = models.CharField(max_length=64, unique=True)
    sha256 = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.sha256


class MailState(models.TextChoices):
    QUEUED = "queued", _("queued")
    SENT = "sent", _("sent")
    PARKED = "parked", _("parked")


class Mail(models.Model):
    """A mail, written in the transaction that causes it and sent by the worker."""

    key = models.CharField(_("key"), max_length=120, unique=True)
    to_address = models.EmailField(_("to"))
    language = models.CharField(_("language"), max_length=10)
    subject = models.CharField(_("subject"), max_length=250)
    body = models.TextField(_("text"))
    queued_at = models.DateTimeField(_("queued"))
    state = models.CharField(_("state"), max_length=10, choices=MailState.choices, default=MailState.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=MailState.values), name="mail_state_is_known"),
            models.CheckConstraint(
                condition=Q(state=MailState.SENT, sent_at__isnull=False)
                | (~Q(state=MailState.SENT) & Q(sent_at__isnull=True)),
                name="mail_is_sent_at_an_instant",
            ),
        ]
        indexes = [models.Index(fields=["state", "queued_at"], name="mail_to_send")]

    def __str__(self) -> str:
        return self.subject


class Heartbeat(models.Model):
    """When a part of the site last gave a sign of life."""

    name = models.CharField(max_length=60, unique=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class SignInLink(models.Model):
    """A link that signs one person in; only its token's digest is kept. In the demo it may be used again."""

    token_sha256 = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    is_reusable = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"link for {self.user_id}"


class PostedForm(models.Model):
    """A form that was sent: its key makes a double click or a resend one row (portal.once)."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True)
    path = models.CharField(max_length=300)
    body_sha256 = models.CharField(max_length=64)
    answer = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.path} {self.key}"
