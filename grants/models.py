"""The rows of the stages call, application and review."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from grants.queries import (
    ApplicationQuerySet,
    AssignmentQuerySet,
    CallQuerySet,
    FunderQuerySet,
    GroupQuerySet,
    PoolQuerySet,
    ReceiptQuerySet,
    RecusalQuerySet,
    ReviewQuerySet,
)
from portal.lib.names import new_application_id, new_group_id

User = settings.AUTH_USER_MODEL


class Group(models.Model):
    """Who applies. Needs no legal form; one person may be a group."""

    public_id = models.CharField(max_length=9, unique=True, default=new_group_id, editable=False)
    name = models.CharField(_("name of the group"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    size = models.PositiveIntegerField(_("people in the group"), null=True, blank=True)
    kind = models.CharField(_("kind of group"), max_length=20, blank=True)
    created_at = models.DateTimeField(_("made"))

    objects = GroupQuerySet.as_manager()

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")

    def __str__(self) -> str:
        return self.name or self.public_id


class MembershipRole(models.TextChoices):
    OWNER = "owner", _("owner")
    CO_APPLICANT = "co-applicant", _("co-applicant")


class Membership(models.Model):
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=12, choices=MembershipRole.choices)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "user"], name="membership_is_single"),
            models.UniqueConstraint(
                fields=["group"], condition=Q(role="owner"), name="membership_group_has_one_owner"
            ),
            models.CheckConstraint(
                condition=Q(role__in=MembershipRole.values), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class Funder(models.Model):
    """A government, company or cooperative that gives hours."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    about = models.TextField(_("about"), max_length=1000, blank=True)

    objects = FunderQuerySet.as_manager()

    class Meta:
        verbose_name = _("funder")
        verbose_name_plural = _("funders")

    def __str__(self) -> str:
        return self.name


class FunderSeat(models.Model):
    """A person who reads for a funder."""

    funder = models.ForeignKey(Funder, on_delete=models.CASCADE, related_name="seats")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="funder_seats")

    class Meta:
        verbose_name = _("funder's seat")
        verbose_name_plural = _("funders' seats")
        constraints = [models.UniqueConstraint(fields=["funder", "user"], name="funder_seat_is_single")]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.funder_id}"


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
