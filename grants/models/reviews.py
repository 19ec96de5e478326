"""Assignments, recusals, reviews and scores."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.models.applications import Application
from grants.models.calls import Criterion
from grants.queries import (
    AssignmentQuerySet,
    RecusalQuerySet,
    ReviewQuerySet,
)

User = settings.AUTH_USER_MODEL


class Assignment(models.Model):
    """A reviewer has an application to review; the text opens after the declaration."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="assignments")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments")
    made_at = models.DateTimeField(_("assigned"))
    declared_at = models.DateTimeField(_("declared free of conflicts"), null=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            models.UniqueConstraint(fields=["application", "reviewer"], name="assignment_is_single")
        ]

    def __str__(self) -> str:
        return f"{self.application_id} to {self.reviewer_id}"


class RecusalKind(models.TextChoices):
    SAME_GROUP = "same-group", _("I belong to this group or organisation")
    FAMILY = "family", _("Family or close friends")
    MONEY = "money", _("I would gain or lose money")
    HELPED = "helped", _("I helped to write it")
    WORKED_TOGETHER = "worked-together", _("We worked together in the last three years")
    OTHER = "other", _("Another reason")


class Recusal(models.Model):
    """A reviewer stands back from an application for good: it and what others said of it close to them."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="recusals")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="recusals")
    kind = models.CharField(_("reason"), max_length=20, choices=RecusalKind.choices)
    at = models.DateTimeField(_("at"))

    objects = RecusalQuerySet.as_manager()

    class Meta:
        verbose_name = _("recusal")
        verbose_name_plural = _("recusals")
        constraints = [
            models.UniqueConstraint(fields=["application", "reviewer"], name="recusal_is_single"),
            models.CheckConstraint(condition=Q(kind__in=RecusalKind.values), name="recusal_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer_id} from {self.application_id}"


class Harm(models.TextChoices):
    NONE = "none", _("No harm seen")
    SAFEGUARDS = "safeguards", _("Possible harm: safeguards are needed")
    STOP = "stop", _("Harm: must not be funded")


class Review(models.Model):
    """One reviewer's whole: scores, the harm gate, one strength, one thing to mend. Locked once submitted."""

    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="review")
    strength = models.TextField(_("one strength"), max_length=1000, blank=True)
    fix = models.TextField(_("one thing to mend"), max_length=1000, blank=True)
    harm = models.CharField(_("harm"), max_length=12, choices=Harm.choices, blank=True)
    harm_note = models.TextField(_("what harm, for the chair"), max_length=1000, blank=True)
    updated_at = models.DateTimeField(_("changed"))
    submitted_at = models.DateTimeField(_("submitted"), null=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")

    def __str__(self) -> str:
        return f"review of {self.assignment_id}"


class Score(models.Model):
    """0–5 on one criterion, with words for the applicant."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="scores")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="scores")
    points = models.PositiveSmallIntegerField(_("points"))

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            models.UniqueConstraint(fields=["review", "criterion"], name="score_is_single"),
            models.CheckConstraint(condition=Q(points__lte=5), name="score_is_at_most_five"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion_id}: {self.points}"
