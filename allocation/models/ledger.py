"""The ledger of hours and its balances."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from allocation.models.awards import Award
from allocation.queries import (
    LedgerEntryQuerySet,
)
from grants.models import Pool


class Account(models.TextChoices):
    """Where hours can be. `funder` and `overrun` stand outside and have no floor."""

    FUNDER = "funder", _("funder")
    POOL = "pool", _("pool")
    HELD = "held", _("held")
    READY = "ready", _("ready")
    USED = "used", _("used")
    EXPIRED = "expired", _("expired")
    OVERRUN = "overrun", _("overrun")


class LedgerEntry(models.Model):
    """A movement of hours between two accounts. Append-only; its source makes a replay change nothing."""

    source = models.CharField(_("source"), max_length=120, unique=True)
    at = models.DateTimeField(_("at"))
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="movements")
    award = models.ForeignKey(Award, on_delete=models.PROTECT, null=True, related_name="movements")
    from_account = models.CharField(_("from"), max_length=8, choices=Account.choices)
    to_account = models.CharField(_("to"), max_length=8, choices=Account.choices)
    gpu_seconds = models.BigIntegerField(_("GPU-seconds"))

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("movement")
        verbose_name_plural = _("movements")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(gpu_seconds__gt=0), name="movement_is_positive"),
            models.CheckConstraint(
                condition=~Q(from_account=F("to_account")), name="movement_goes_somewhere"
            ),
            models.CheckConstraint(
                condition=Q(from_account__in=["funder", "pool"], to_account__in=["pool", "funder"])
                | Q(award__isnull=False),
                name="movement_past_the_pool_names_an_award",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_account} → {self.to_account}: {self.gpu_seconds}"


class Balance(models.Model):
    """What stands on one account: the sum of its movements, kept so that the database can refuse a minus."""

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="balances")
    award = models.ForeignKey(Award, on_delete=models.PROTECT, null=True, related_name="balances")
    account = models.CharField(max_length=8, choices=Account.choices)
    gpu_seconds = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pool", "award", "account"], name="balance_is_single"),
            models.UniqueConstraint(
                fields=["pool", "account"], condition=Q(award__isnull=True), name="balance_of_pool_is_single"
            ),
            models.CheckConstraint(
                condition=Q(gpu_seconds__gte=0) | Q(account__in=["funder", "overrun"]),
                name="balance_is_never_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.gpu_seconds}"
