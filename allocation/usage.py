"""Usage: what jobs held, read from a cluster and moved in the ledger, exact to the GPU-second.

Called by the worker (allocation.tasks), the command meter and the demo; pages call usage_by_week. Any run may
be repeated, run beside another, or die between two awards: readings carry their own key, and each change of
one is moved once.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from allocation import ledger
from allocation.clusters.base import ClusterAway, JobUsage
from allocation.drivers import driver_of, note_away
from allocation.models import Account, Award, Cluster, UsageRecord
from portal import audit, mail

OVERLAP = timedelta(days=7)
WEEK = timedelta(days=7)
TELL_AT = (80, 100)
READING = ("job_state", "starts_at", "ends_at", "gpus", "elapsed_seconds", "gpu_seconds", "revision")

Key = tuple[str, datetime]


@dataclass(frozen=True, kw_only=True)
class Metered:
    """What a reading held: all its jobs, how many told something new, what that moved, whose jobs are unknown."""

    jobs: int
    changed: int
    gpu_seconds: int
    unknown: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class WeekOfUse:
    """Use in one week of an award and in all weeks up to its end."""

    ends_at: datetime
    gpu_seconds: int
    total_gpu_seconds: int


def meter(*, cluster: Cluster, now: datetime, since: datetime | None = None) -> Metered:
    """Reads jobs since the last metering and a week more, since a job may be told late or corrected.

    Jobs of accounts that no award has are counted and never billed. `metered_to` moves only when all is stored.
    Raises ClusterAway, with its reason kept for the operator.
    """
    driver = driver_of(cluster, now)
    start = since or _usual_start(cluster, now)
    try:
        jobs = driver.read_usage(start, now)
    except ClusterAway as away:
        note_away(cluster, away)
        raise
    by_account: dict[str, list[JobUsage]] = defaultdict(list)
    for job in jobs:
        by_account[job.account].append(job)
    awards = {award.account_name: award for award in Award.objects.filter(account_name__in=by_account)}
    changed = moved = 0
    for name in sorted(awards):
        of_award = _store(cluster, awards[name], by_account[name], driver.is_simulated, now)
        changed, moved = changed + of_award[0], moved + of_award[1]
    unknown = {name: len(found) for name, found in sorted(by_account.items()) if name not in awards}
    _note_metered(cluster, start, now, changed, unknown)
    return Metered(jobs=len(jobs), changed=changed, gpu_seconds=moved, unknown=unknown)


def _usual_start(cluster: Cluster, now: datetime) -> datetime:
    if cluster.metered_to is not None:
        return cluster.metered_to - OVERLAP
    accepted = Award.objects.filter(pool__in=cluster.pools.all(), accepted_at__isnull=False)
    first = accepted.order_by("accepted_at").values_list("accepted_at", flat=True).first()
    return (first or now) - OVERLAP


def _note_metered(
    cluster: Cluster, start: datetime, now: datetime, changed: int, unknown: dict[str, int]
) -> None:
    rows = Cluster.objects.filter(pk=cluster.pk)
    rows.update(last_seen_at=now)
    # A reading that begins after the last one ended leaves a gap, so it cannot say that all is metered.
    rows.filter(Q(metered_to=None) | Q(metered_to__gte=start, metered_to__lt=now)).update(metered_to=now)
    cluster.refresh_from_db(fields=["metered_to", "last_seen_at"])
    if changed or unknown:
        count = sum(unknown.values())
        audit.record(by=None, did="cluster.metered", subject=cluster, at=now, changed=changed, unknown=count)


def _store(
    cluster: Cluster, award: Award, jobs: list[JobUsage], is_simulated: bool, now: datetime
) -> tuple[int, int]:
    """Stores the readings of one award, all or none; returns how many told something new, and the sum of it."""
    with transaction.atomic():
        award = (
            Award.objects.select_for_update().select_related("pool", "application__owner").get(pk=award.pk)
        )
        _settle_overrun(award, now)
        known = _known(cluster, award, jobs)
        changes: list[tuple[UsageRecord, int]] = []
        for job in sorted(jobs, key=lambda job: (job.submit_at, job.job_id)):
            record = known.get((job.job_id, job.submit_at))
            if record is None or _is_news(record, job):
                changed = record or _new_record(cluster, award, job, is_simulated)
                changes.append((changed, _take_over(changed, job)))
        if changes:
            _save([record for record, _delta in changes])
            ledger.move_all(award=award, moves=_moves(award, changes), now=now)
            _tell(award, now)
    return len(changes), sum(delta for _record, delta in changes)


def _known(cluster: Cluster, award: Award, jobs: list[JobUsage]) -> dict[Key, UsageRecord]:
    earliest = min(job.submit_at for job in jobs)
    rows = UsageRecord.objects.filter(cluster=cluster, award=award, submit_at__gte=earliest)
    return {(row.job_id, row.submit_at): row for row in rows}


def _is_news(record: UsageRecord, job: JobUsage) -> bool:
    """Whether a reading tells more than the stored one. An older one may come late, from a slower run."""
    is_stale = job.ends_at is None and (
        record.ends_at is not None or job.elapsed_seconds < record.elapsed_seconds
    )
    stored = (record.gpus, record.elapsed_seconds, record.job_state, record.starts_at, record.ends_at)
    return not is_stale and stored != (
        job.gpus,
        job.elapsed_seconds,
        job.state,
        job.starts_at,
        job.ends_at,
    )


def _new_record(cluster: Cluster, award: Award, job: JobUsage, is_simulated: bool) -> UsageRecord:
    return UsageRecord(
        cluster=cluster,
        job_id=job.job_id,
        submit_at=job.submit_at,
        award=award,
        login=job.user[:32],
        gpus=0,
        elapsed_seconds=0,
        gpu_seconds=0,
        is_simulated=is_simulated,
    )


def _take_over(record: UsageRecord, job: JobUsage) -> int:
    """Puts a reading into its record; returns the GPU-seconds that this changes."""
    delta = job.gpu_seconds - record.gpu_seconds
    record.job_state, record.starts_at, record.ends_at = job.state[:20], job.starts_at, job.ends_at
    record.gpus, record.elapsed_seconds, record.gpu_seconds = job.gpus, job.elapsed_seconds, job.gpu_seconds
    record.revision += 1 if delta else 0
    return delta


def _save(records: list[UsageRecord]) -> None:
    known = [record for record in records if record.pk is not None]
    UsageRecord.objects.bulk_update(known, READING, batch_size=200)
    UsageRecord.objects.bulk_create([record for record in records if record.pk is None], batch_size=500)


def _moves(award: Award, changes: list[tuple[UsageRecord, int]]) -> list[ledger.Move]:
    """Use comes out of what is ready, and beyond that out of overrun; a correction goes back the same way."""
    standing = ledger.balances(award, for_update=True)
    ready, overrun = standing[Account.READY], standing[Account.OVERRUN]
    moves = []
    for record, delta in changes:
        parts = _split(delta, ready, -overrun)
        ready, overrun = ready - parts[Account.READY], overrun - parts[Account.OVERRUN]
        source = f"usage:{record.pk}:{record.revision}"
        for account, size in parts.items():
            if size:
                moves.append(
                    ledger.Move(
                        source=source,
                        from_account=account if size > 0 else Account.USED,
                        to_account=Account.USED if size > 0 else account,
                        gpu_seconds=abs(size),
                    )
                )
                source += ":rest"
    return moves


def _split(delta: int, ready: int, owed: int) -> dict[Account, int]:
    """What of a change is taken from (or, negative, given back to) what is ready, and what is overrun."""
    if delta >= 0:
        part = min(delta, ready)
        return {Account.READY: part, Account.OVERRUN: delta - part}
    back = min(-delta, owed)
    return {Account.OVERRUN: -back, Account.READY: delta + back}


def _settle_overrun(award: Award, now: datetime) -> None:
    """Pays what was overrun from hours that became ready since, so that a progress note adds no hours."""
    standing = ledger.balances(award, for_update=True)
    owed = min(standing[Account.READY], -standing[Account.OVERRUN])
    if owed > 0:
        earlier = award.movements.filter(source__startswith=f"overrun:{award.pk}:").count()
        ledger.move(
            source=f"overrun:{award.pk}:{earlier + 1}",
            pool=award.pool,
            award=award,
            from_account=Account.READY,
            to_account=Account.OVERRUN,
            gpu_seconds=owed,
            now=now,
        )


def _tell(award: Award, now: datetime) -> None:
    """Mails once at 80 and once at 100 hundredths of the award; at 100 the first is no longer sent."""
    used = ledger.balances(award)[Account.USED]
    reached = [share for share in TELL_AT if used * 100 >= award.gpu_seconds * share]
    if not reached:
        return
    untold = [share for share in reached if getattr(award, f"told_{share}_at") is None]
    for share in untold:
        setattr(award, f"told_{share}_at", now)
    award.save(update_fields=[f"told_{share}_at" for share in TELL_AT])
    if reached[-1] in untold:
        mail.queue(
            key=f"used-{reached[-1]}:{award.pk}",
            to=award.application.owner,
            template=f"used_{reached[-1]}",
            context={
                "award": award,
                "used_gpu_seconds": used,
                "left_gpu_seconds": max(0, award.gpu_seconds - used),
            },
            now=now,
        )


def usage_by_week(award: Award, now: datetime) -> list[WeekOfUse]:
    """Use in each week since the award's start, up to now; a job that runs over a week's end counts in both."""
    rows = award.usage_records.filter(starts_at__isnull=False)
    jobs = list(rows.order_by("pk").values_list("starts_at", "elapsed_seconds", "gpus"))
    begins_at = min([award.accepted_at or award.starts_at, award.starts_at, *(job[0] for job in jobs)])
    weeks: list[WeekOfUse] = []
    total = 0
    while begins_at < now:
        ends_at = begins_at + WEEK
        used = sum(
            gpus * _seconds_within(starts_at, elapsed, begins_at, ends_at)
            for starts_at, elapsed, gpus in jobs
        )
        total += used
        weeks.append(WeekOfUse(ends_at=ends_at, gpu_seconds=used, total_gpu_seconds=total))
        begins_at = ends_at
    return weeks


def _seconds_within(starts_at: datetime, elapsed: int, begins_at: datetime, ends_at: datetime) -> int:
    """How many of the job's whole seconds fall before `ends_at` and not before `begins_at`."""
    before = _seconds_before(starts_at, elapsed, begins_at)
    return _seconds_before(starts_at, elapsed, ends_at) - before


def _seconds_before(starts_at: datetime, elapsed: int, instant: datetime) -> int:
    return max(0, min(elapsed, int((instant - starts_at).total_seconds())))
