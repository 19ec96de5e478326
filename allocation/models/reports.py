"""Reports: figures frozen at an instant."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from allocation.models.awards import Award
from allocation.queries import (
    ReportQuerySet,
)
from grants.models import Call
from portal.lib.names import (
    new_report_id,
)

User = settings.AUTH_USER_MODEL


class ReportState(models.TextChoices):
    QUEUED = "queued", _("queued")
    MAKING = "making", _("being made")
    READY = "ready", _("ready")
    PARKED = "parked", _("parked")


class Report(models.Model):
    """One set of figures at a cut-off instant, as data; the PDF is made from it by the worker."""

    public_id = models.CharField(max_length=9, unique=True, default=new_report_id, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=[("call", _("call")), ("award", _("award"))])
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="reports")
    award = models.ForeignKey(Award, on_delete=models.PROTECT, null=True, related_name="reports")
    cutoff_at = models.DateTimeField(_("data to"))
    language = models.CharField(_("language"), max_length=10, default="en")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(
        _("state"), max_length=8, choices=ReportState.choices, default=ReportState.QUEUED
    )
    state_since = models.DateTimeField(_("since"))
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)
    data = models.JSONField(_("figures"), default=dict, encoder=DjangoJSONEncoder)
    digest = models.CharField(_("digest of the figures"), max_length=64)
    pdf = models.BinaryField(null=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ReportState.values), name="report_state_is_known"),
            models.CheckConstraint(
                condition=Q(kind="call", award__isnull=True) | Q(kind="award", award__isnull=False),
                name="report_has_its_subject",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
