"""Runs of the allocator, decisions and awards."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from allocation.models.rankings import Ranking
from allocation.queries import (
    AwardQuerySet,
    DecisionQuerySet,
    RunQuerySet,
)
from grants.models import Application, Call, Pool
from portal.lib.names import (
    new_account_name,
    new_run_id,
)

User = settings.AUTH_USER_MODEL


class RunState(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    APPROVED = "approved", _("approved")
    RELEASED = "released", _("released")
    DISCARDED = "discarded", _("discarded")


RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.PROPOSED: frozenset({RunState.APPROVED, RunState.DISCARDED}),
    RunState.APPROVED: frozenset({RunState.RELEASED, RunState.DISCARDED}),
    RunState.RELEASED: frozenset(),
    RunState.DISCARDED: frozenset(),
}


class AllocationRun(models.Model):
    """One proposal of the allocator for a call, with the bundle that anyone can recompute."""

    public_id = models.CharField(max_length=9, unique=True, default=new_run_id, editable=False)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="runs", verbose_name=_("call"))
    ranking = models.ForeignKey(Ranking, on_delete=models.PROTECT, related_name="runs")
    rule = models.CharField(_("rule"), max_length=30)
    state = models.CharField(_("state"), max_length=10, choices=RunState.choices, default=RunState.PROPOSED)
    state_since = models.DateTimeField(_("since"))
    proposed_at = models.DateTimeField(_("proposed"))
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    released_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    problem = models.TextField(_("what went in, canonical JSON"))
    result = models.TextField(_("what came out, canonical JSON"))
    input_sha256 = models.CharField(_("digest of what went in"), max_length=64)
    result_sha256 = models.CharField(_("digest of what came out"), max_length=64)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_is_known"),
            models.UniqueConstraint(
                fields=["call"],
                condition=Q(state__in=["approved", "released"]),
                name="run_one_is_approved_or_released",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Outcome(models.TextChoices):
    AWARDED = "awarded", _("awarded")
    DECLINED = "declined", _("not awarded")
    WAITING = "waiting", _("waiting")


class Decision(models.Model):
    """What an applicant is told: the outcome, the machine's reasons and the reviewers' words."""

    run = models.ForeignKey(AllocationRun, on_delete=models.CASCADE, related_name="decisions")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="decisions")
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, null=True, related_name="decisions")
    gpu_seconds = models.BigIntegerField(_("GPU-seconds"), default=0)
    reasons = models.JSONField(_("reasons"), default=list)
    feedback = models.JSONField(_("feedback"), default=list)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.UniqueConstraint(fields=["run", "application"], name="decision_is_single"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="decision_outcome_is_known"),
            models.CheckConstraint(
                condition=Q(outcome="awarded", gpu_seconds__gt=0, pool__isnull=False)
                | (~Q(outcome="awarded") & Q(gpu_seconds=0, pool__isnull=True)),
                name="decision_hours_fit_the_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application_id}: {self.outcome}"


class AwardState(models.TextChoices):
    OFFERED = "offered", _("offered")
    ACCEPTED = "accepted", _("accepted")
    ACTIVE = "active", _("active")
    FINISHED = "finished", _("finished")
    EXPIRED = "expired", _("expired")
    REVOKED = "revoked", _("revoked")


AWARD_TRANSITIONS: dict[AwardState, frozenset[AwardState]] = {
    AwardState.OFFERED: frozenset({AwardState.ACCEPTED, AwardState.EXPIRED, AwardState.REVOKED}),
    AwardState.ACCEPTED: frozenset({AwardState.ACTIVE, AwardState.EXPIRED, AwardState.REVOKED}),
    AwardState.ACTIVE: frozenset({AwardState.FINISHED, AwardState.EXPIRED, AwardState.REVOKED}),
    AwardState.FINISHED: frozenset(),
    AwardState.EXPIRED: frozenset(),
    AwardState.REVOKED: frozenset(),
}


class Award(models.Model):
    """Hours granted to an application. What is left of them stands in the ledger, never here."""

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="award")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="awards")
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="awards")
    gpu_seconds = models.BigIntegerField(_("GPU-seconds"))
    account_name = models.CharField(_("account"), max_length=9, unique=True, default=new_account_name)
    state = models.CharField(
        _("state"), max_length=10, choices=AwardState.choices, default=AwardState.OFFERED
    )
    state_since = models.DateTimeField(_("since"))
    offered_at = models.DateTimeField(_("offered"))
    offer_ends_at = models.DateTimeField(_("accept until"))
    accepted_at = models.DateTimeField(_("accepted"), null=True)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    paused_at = models.DateTimeField(_("paused"), null=True)
    progress_note = models.TextField(_("progress note"), max_length=1500, blank=True)
    progress_note_at = models.DateTimeField(_("progress note written"), null=True)
    told_80_at = models.DateTimeField(null=True)
    told_100_at = models.DateTimeField(null=True)

    objects = AwardQuerySet.as_manager()

    class Meta:
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=AwardState.values), name="award_state_is_known"),
            models.CheckConstraint(
                condition=Q(gpu_seconds__gt=0, starts_at__lt=F("ends_at")), name="award_has_hours_and_length"
            ),
        ]

    def __str__(self) -> str:
        return self.account_name
