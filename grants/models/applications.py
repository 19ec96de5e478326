"""Applications, their receipts and what was sent."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from grants.models.calls import Call, GpuType
from grants.models.groups import Group
from grants.queries import (
    ApplicationQuerySet,
    ReceiptQuerySet,
)
from portal.lib.names import new_application_id

User = settings.AUTH_USER_MODEL


class State(models.TextChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("sent")
    WITHDRAWN = "withdrawn", _("withdrawn")
    INELIGIBLE = "ineligible", _("does not fit the call")


TRANSITIONS: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SUBMITTED}),
    State.SUBMITTED: frozenset({State.WITHDRAWN, State.INELIGIBLE}),
    State.WITHDRAWN: frozenset(),
    State.INELIGIBLE: frozenset({State.SUBMITTED}),
}


class Application(models.Model):
    """One group's request in a call: twelve answers as columns, and a version for compare-and-set."""

    public_id = models.CharField(max_length=9, unique=True, default=new_application_id, editable=False)
    call = models.ForeignKey(
        Call, on_delete=models.PROTECT, related_name="applications", verbose_name=_("call")
    )
    group = models.ForeignKey(
        Group, on_delete=models.PROTECT, related_name="applications", verbose_name=_("group")
    )
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="applications")
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFT)
    state_since = models.DateTimeField(_("since"))
    state_reason = models.CharField(_("reason"), max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(_("begun"))
    updated_at = models.DateTimeField(_("changed"))
    submitted_at = models.DateTimeField(_("sent"), null=True)
    language = models.CharField(_("language"), max_length=10, default="en")

    title = models.CharField(max_length=140, blank=True)
    problem = models.TextField(max_length=2000, blank=True)
    sdg_main = models.PositiveSmallIntegerField(null=True, blank=True)
    sdg_others = models.JSONField(default=list, blank=True)
    outcome_number = models.PositiveIntegerField(null=True, blank=True)
    outcome_unit = models.CharField(max_length=80, blank=True)
    outcome_month = models.DateField(null=True, blank=True)
    outcome_text = models.TextField(max_length=1000, blank=True)
    job_kind = models.CharField(max_length=20, blank=True)
    gpu_type = models.ForeignKey(GpuType, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ask_gpu_seconds = models.BigIntegerField(null=True, blank=True)
    minimum_gpu_seconds = models.BigIntegerField(null=True, blank=True)
    ask_reason = models.CharField(max_length=500, blank=True)
    wants_help = models.BooleanField(default=False)
    done_so_far = models.TextField(max_length=2000, blank=True)
    data_rights = models.JSONField(default=list, blank=True)
    shares = models.JSONField(default=list, blank=True)
    shares_why = models.CharField(max_length=500, blank=True)
    start_month = models.DateField(null=True, blank=True)
    weeks = models.PositiveSmallIntegerField(null=True, blank=True)
    steadiness = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    group_name = models.CharField(max_length=120, blank=True)
    group_kind = models.CharField(max_length=20, blank=True)
    group_size = models.PositiveIntegerField(null=True, blank=True)
    contact_phone = models.CharField(max_length=40, blank=True)
    contact_email = models.EmailField(blank=True)
    promises = models.JSONField(default=list, blank=True)
    known_reviewers = models.TextField(max_length=1000, blank=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="application_state_is_known"),
            models.UniqueConstraint(
                fields=["call", "group"],
                condition=Q(state__in=["draft", "submitted"]),
                name="application_group_has_one_in_a_call",
            ),
            models.CheckConstraint(
                condition=Q(minimum_gpu_seconds__isnull=True)
                | Q(ask_gpu_seconds__isnull=True)
                | Q(minimum_gpu_seconds__lte=F("ask_gpu_seconds"), minimum_gpu_seconds__gt=0),
                name="application_minimum_is_within_the_ask",
            ),
            models.CheckConstraint(
                condition=Q(sdg_main__isnull=True) | Q(sdg_main__range=(1, 17)),
                name="application_sdg_is_a_goal",
            ),
        ]
        indexes = [models.Index(fields=["call", "state"], name="application_by_call")]

    def __str__(self) -> str:
        return self.title or self.public_id


class Receipt(models.Model):
    """Proof of what was sent and when: number, instant, digest of the canonical content. Append-only."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="receipts")
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="receipts")
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)
    key = models.UUIDField(unique=True, default=uuid.uuid4)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [models.UniqueConstraint(fields=["call", "sequence"], name="receipt_number_is_single")]

    def __str__(self) -> str:
        return f"{self.sequence:04d}"


class SentContent(models.Model):
    """The canonical content behind a receipt. Apart from it, so that a person's data can be erased later."""

    receipt = models.OneToOneField(Receipt, on_delete=models.PROTECT, related_name="content")
    canonical = models.TextField()

    def __str__(self) -> str:
        return f"content of {self.receipt_id}"
