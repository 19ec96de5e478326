"""Rankings: applications in order, frozen."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from allocation.queries import (
    RankingQuerySet,
)
from grants.models import Application, Call

User = settings.AUTH_USER_MODEL


class Ranking(models.Model):
    """Applications of a call in order, frozen, with the digest of the scores that made it."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="rankings", verbose_name=_("call"))
    made_at = models.DateTimeField(_("made"))
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    input_sha256 = models.CharField(_("digest of its inputs"), max_length=64)

    objects = RankingQuerySet.as_manager()

    class Meta:
        verbose_name = _("ranking")
        verbose_name_plural = _("rankings")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["call", "input_sha256"], name="ranking_of_one_input_is_single")
        ]

    def __str__(self) -> str:
        return f"{self.call} {self.input_sha256[:8]}"


class RankingRow(models.Model):
    """Where one application stands; means in thousandths, null without a review."""

    ranking = models.ForeignKey(Ranking, on_delete=models.CASCADE, related_name="rows")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="ranking_rows")
    place = models.PositiveIntegerField(_("place"))
    mean_thousandths = models.PositiveIntegerField(_("mean"))
    tie_thousandths = models.PositiveIntegerField(_("tie-break"))
    is_fundable = models.BooleanField(_("fundable"))
    reasons = models.JSONField(_("why not"), default=list)
    criteria_thousandths = models.JSONField(_("mean per criterion"), default=dict)
    reviews = models.PositiveSmallIntegerField(_("reviews"))

    class Meta:
        verbose_name = _("place in the ranking")
        verbose_name_plural = _("places in the ranking")
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["ranking", "application"], name="ranking_row_is_single"),
            models.UniqueConstraint(fields=["ranking", "place"], name="ranking_place_is_single"),
        ]

    def __str__(self) -> str:
        return f"{self.place}. {self.application_id}"
