"""A call with its rubric and the pools of hours that it offers."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from grants.models.groups import Funder
from grants.queries import (
    CallQuerySet,
    PoolQuerySet,
)

User = settings.AUTH_USER_MODEL


class Phase(models.TextChoices):
    UNPUBLISHED = "unpublished", _("not published")
    ANNOUNCED = "announced", _("announced")
    OPEN = "open", _("open")
    CLOSED = "closed", _("closed")
    SCORING = "scoring", _("being scored")
    DECIDING = "deciding", _("being decided")
    RELEASED = "released", _("decided")


class Call(models.Model):
    """An offer of hours with dates, rubric and pools. Its phase is computed from instants, never stored."""

    slug = models.SlugField(_("name in the address"), max_length=60, unique=True)
    title = models.CharField(_("title"), max_length=120)
    summary = models.TextField(_("what it is for"), max_length=2000)
    preset = models.CharField(_("preset"), max_length=20, default="standard")
    zone = models.CharField(_("time zone of the dates"), max_length=64, default="UTC")
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"))
    scoring_ends_at = models.DateTimeField(_("scores are due"))
    decides_at = models.DateTimeField(_("decisions are due"))
    released_at = models.DateTimeField(_("decisions released"), null=True, blank=True)
    award_starts_at = models.DateTimeField(_("hours start"))
    award_ends_at = models.DateTimeField(_("hours end"))
    largest_ask_gpu_seconds = models.BigIntegerField(_("largest ask"))
    rule = models.CharField(_("rule"), max_length=30, default="rank-and-cut")
    minimum_mean_thousandths = models.PositiveIntegerField(_("mean needed"), default=3000)
    reviewers_per_application = models.PositiveSmallIntegerField(_("reviewers per application"), default=2)
    is_blind = models.BooleanField(_("names are hidden from reviewers"), default=True)
    grid_g_per_kwh = models.PositiveIntegerField(_("grid, grams of CO₂ per kWh"), default=475)
    pue_hundredths = models.PositiveIntegerField(_("PUE in hundredths"), default=156)
    lot_secret = models.CharField(max_length=64, editable=False)
    lot_secret_sha256 = models.CharField(_("hash of the lot's secret"), max_length=64, editable=False)
    receipts_issued = models.PositiveIntegerField(default=0, editable=False)
    chairs: "models.ManyToManyField[Any, Any]" = models.ManyToManyField(
        User, related_name="chaired_calls", verbose_name=_("chairs")
    )

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-opens_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("closes_at"))
                & Q(closes_at__lte=F("scoring_ends_at"))
                & Q(scoring_ends_at__lte=F("decides_at"))
                & Q(decides_at__lte=F("award_ends_at"))
                & Q(award_starts_at__lt=F("award_ends_at")),
                name="call_dates_are_in_order",
            ),
            models.CheckConstraint(condition=Q(largest_ask_gpu_seconds__gt=0), name="call_ask_is_positive"),
        ]

    def __str__(self) -> str:
        return self.title

    def phase(self, now: datetime) -> Phase:
        """Where the call stands at an instant."""
        if self.released_at and self.released_at <= now:
            return Phase.RELEASED
        if self.published_at is None or now < self.published_at:
            return Phase.UNPUBLISHED
        if now < self.opens_at:
            return Phase.ANNOUNCED
        if now < self.closes_at:
            return Phase.OPEN
        return Phase.SCORING if now < self.scoring_ends_at else Phase.DECIDING

    def is_open(self, now: datetime) -> bool:
        return self.phase(now) == Phase.OPEN


class Criterion(models.Model):
    """One line of a call's rubric, 0–5 with anchored words."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="criteria")
    key = models.SlugField(_("key"), max_length=30)
    name = models.CharField(_("name"), max_length=80)
    weight = models.PositiveSmallIntegerField(_("weight"))
    floor = models.PositiveSmallIntegerField(_("least mean to be fundable"), default=0)
    order = models.PositiveSmallIntegerField(_("order"))
    anchors = models.JSONField(_("words for 0, 1, 3 and 5"), default=dict)
    breaks_ties = models.BooleanField(_("breaks ties"), default=False)

    class Meta:
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["call", "key"], name="criterion_key_is_single"),
            models.UniqueConstraint(
                fields=["call"], condition=Q(breaks_ties=True), name="criterion_one_breaks_ties"
            ),
            models.CheckConstraint(
                condition=Q(weight__gt=0, floor__lte=5), name="criterion_weight_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class GpuType(models.Model):
    """A kind of GPU, with its worth in A100-equivalents as a fraction."""

    key = models.SlugField(_("key"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=60)
    factor_numerator = models.PositiveIntegerField(_("A100-equivalents, numerator"), default=1)
    factor_denominator = models.PositiveIntegerField(_("A100-equivalents, denominator"), default=1)
    memory_gb = models.PositiveIntegerField(_("memory, GB"))
    watts = models.PositiveIntegerField(_("power, watts"))

    class Meta:
        verbose_name = _("GPU type")
        verbose_name_plural = _("GPU types")
        constraints = [
            models.CheckConstraint(
                condition=Q(factor_numerator__gt=0, factor_denominator__gt=0),
                name="gpu_type_factor_is_positive",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Pool(models.Model):
    """Hours of one funder on one GPU type, offered in one call."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="pools", verbose_name=_("call"))
    funder = models.ForeignKey(
        Funder, on_delete=models.PROTECT, related_name="pools", verbose_name=_("funder")
    )
    gpu_type = models.ForeignKey(
        GpuType, on_delete=models.PROTECT, related_name="pools", verbose_name=_("GPU")
    )
    gpu_seconds = models.BigIntegerField(_("GPU-seconds"))

    objects = PoolQuerySet.as_manager()

    class Meta:
        verbose_name = _("pool")
        verbose_name_plural = _("pools")
        constraints = [
            models.UniqueConstraint(fields=["call", "funder", "gpu_type"], name="pool_is_single"),
            models.CheckConstraint(condition=Q(gpu_seconds__gt=0), name="pool_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.funder}: {self.gpu_type}"


class Earmark(models.Model):
    """Hours of a pool bound to a purpose; `where` as in the bundle's format."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="earmarks")
    gpu_seconds = models.BigIntegerField(_("GPU-seconds"))
    where = models.JSONField(_("for whom"))

    class Meta:
        verbose_name = _("earmark")
        verbose_name_plural = _("earmarks")
        constraints = [models.CheckConstraint(condition=Q(gpu_seconds__gt=0), name="earmark_is_positive")]

    def __str__(self) -> str:
        return f"{self.pool_id}: {self.where}"
