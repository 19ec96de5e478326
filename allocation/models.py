"""The rows of the stages ranking, award, reservation, usage and report."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from allocation.queries import (
    AwardQuerySet,
    ClusterQuerySet,
    DecisionQuerySet,
    GpuQuerySet,
    LedgerEntryQuerySet,
    MaintenanceQuerySet,
    RankingQuerySet,
    ReportQuerySet,
    ReservationQuerySet,
    RunQuerySet,
    UsageRecordQuerySet,
)
from grants.models import Application, Call, GpuType, Pool
from portal.lib.names import (
    new_account_name,
    new_login_name,
    new_report_id,
    new_run_id,
    new_slot_name,
)

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
