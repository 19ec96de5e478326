"""Clusters, their GPUs, reservations and the use of them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from allocation.models.awards import Award
from allocation.queries import (
    ClusterQuerySet,
    GpuQuerySet,
    MaintenanceQuerySet,
    ReservationQuerySet,
    UsageRecordQuerySet,
)
from grants.models import GpuType, Pool
from portal.lib.names import (
    new_login_name,
    new_slot_name,
)

User = settings.AUTH_USER_MODEL


class Cluster(models.Model):
    """Where jobs run. `pools` says whose hours it serves; `last_error` is empty while it answers."""

    name = models.SlugField(_("name"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=20)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    pools = models.ManyToManyField(Pool, related_name="clusters", verbose_name=_("pools"), blank=True)
    version = models.CharField(_("version"), max_length=40, blank=True)
    unit = models.CharField(
        _("unit of reservation"),
        max_length=4,
        choices=[("gpu", _("GPU")), ("node", _("node"))],
        default="gpu",
    )
    last_seen_at = models.DateTimeField(_("last reached"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)
    metered_to = models.DateTimeField(_("metered to"), null=True, blank=True)

    objects = ClusterQuerySet.as_manager()

    class Meta:
        verbose_name = _("cluster")
        verbose_name_plural = _("clusters")

    def __str__(self) -> str:
        return self.name


class Gpu(models.Model):
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="gpus")
    node = models.CharField(_("node"), max_length=64)
    index = models.PositiveSmallIntegerField(_("number in the node"))
    gpu_type = models.ForeignKey(GpuType, on_delete=models.PROTECT, related_name="gpus")

    objects = GpuQuerySet.as_manager()

    class Meta:
        verbose_name = _("GPU")
        verbose_name_plural = _("GPUs")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["cluster", "node", "index"], name="gpu_is_single")]

    def __str__(self) -> str:
        return f"{self.node}:{self.index}"


class Maintenance(models.Model):
    """A time when a node (or, without a name, the whole cluster) is closed."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="maintenances")
    node = models.CharField(_("node, empty for all"), max_length=64, blank=True)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("maintenance")
        verbose_name_plural = _("maintenances")
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="maintenance_has_length")
        ]

    def __str__(self) -> str:
        return f"{self.cluster} {self.starts_at:%Y-%m-%d}"


class ClusterLogin(models.Model):
    """The name under which a person works on a cluster: generated, never made of what they typed."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="logins")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="cluster_logins")
    name = models.CharField(_("name"), max_length=32, default=new_login_name)

    class Meta:
        verbose_name = _("login")
        verbose_name_plural = _("logins")
        constraints = [
            models.UniqueConstraint(fields=["cluster", "user"], name="login_is_single"),
            models.UniqueConstraint(fields=["cluster", "name"], name="login_name_is_single"),
        ]

    def __str__(self) -> str:
        return self.name


class ReservationState(models.TextChoices):
    PLANNED = "planned", _("planned")
    PLACED = "placed", _("placed")
    RUNNING = "running", _("running")
    ENDED = "ended", _("ended")
    CANCELLED = "cancelled", _("cancelled")
    FAILED = "failed", _("failed")


RESERVATION_TRANSITIONS: dict[ReservationState, frozenset[ReservationState]] = {
    ReservationState.PLANNED: frozenset(
        {ReservationState.PLACED, ReservationState.CANCELLED, ReservationState.FAILED}
    ),
    ReservationState.PLACED: frozenset(
        {ReservationState.RUNNING, ReservationState.CANCELLED, ReservationState.FAILED}
    ),
    ReservationState.RUNNING: frozenset(
        {ReservationState.ENDED, ReservationState.CANCELLED, ReservationState.FAILED}
    ),
    ReservationState.ENDED: frozenset(),
    ReservationState.CANCELLED: frozenset(),
    ReservationState.FAILED: frozenset(),
}


LIVE_RESERVATIONS = ("planned", "placed", "running", "ended")


class Reservation(models.Model):
    """One GPU held for one award over [starts_at, ends_at). Rows of one `slot_name` belong together.

    The database refuses two live rows of one GPU that overlap (allocation/migrations).
    """

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="reservations")
    gpu = models.ForeignKey(Gpu, on_delete=models.PROTECT, related_name="reservations")
    slot_name = models.CharField(_("slot"), max_length=9, default=new_slot_name)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    state = models.CharField(
        _("state"), max_length=10, choices=ReservationState.choices, default=ReservationState.PLANNED
    )
    state_since = models.DateTimeField(_("since"))

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        ordering = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="reservation_has_length"),
            models.CheckConstraint(
                condition=Q(state__in=ReservationState.values), name="reservation_state_is_known"
            ),
            models.UniqueConstraint(fields=["slot_name", "gpu"], name="reservation_gpu_is_once_in_a_slot"),
        ]
        indexes = [models.Index(fields=["award", "starts_at"], name="reservation_by_award")]

    def __str__(self) -> str:
        return f"{self.slot_name} {self.gpu_id}"


class UsageRecord(models.Model):
    """The newest reading of one job. Each change of it is a movement of its own in the ledger."""

    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="usage_records")
    job_id = models.CharField(_("job"), max_length=40)
    submit_at = models.DateTimeField(_("submitted"))
    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="usage_records")
    login = models.CharField(_("login"), max_length=32)
    job_state = models.CharField(_("state"), max_length=20)
    gpus = models.PositiveIntegerField(_("GPUs"))
    elapsed_seconds = models.BigIntegerField(_("seconds"))
    gpu_seconds = models.BigIntegerField(_("GPU-seconds"))
    starts_at = models.DateTimeField(_("started"), null=True)
    ends_at = models.DateTimeField(_("ended"), null=True)
    revision = models.PositiveIntegerField(default=0)
    is_simulated = models.BooleanField(_("simulated"), default=False)

    objects = UsageRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("usage record")
        verbose_name_plural = _("usage records")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "job_id", "submit_at"], name="usage_of_a_job_is_single"
            ),
            models.CheckConstraint(
                condition=Q(gpu_seconds=F("gpus") * F("elapsed_seconds")), name="usage_is_gpus_times_seconds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.gpu_seconds}"
