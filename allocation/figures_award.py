"""The figures of awards: one entry an award, use over the weeks, energy; and the whole data of an award's report.

allocation.figures builds the report of a call from the same parts. Instants are ISO in UTC, hours are gpu_seconds.
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q, Sum

from allocation.models import Account, AllocationRun, Award, LedgerEntry, Reservation, UsageRecord
from allocation.register import PERSON
from grants.models import Application, Call
from portal.lib.dates import iso_utc

FORMAT = "openhours/report/1"
SOFTWARE = "Openhours 0.1.0"
# Data are in English; report_parts says it in the reader's language.
INDIVIDUAL = "Individual recipient"
SECONDS_AN_HOUR = 3600


def for_award(award: Award, cutoff: datetime) -> dict[str, Any]:
    """Promise and use of one award, as it stood at the cut-off."""
    call, application = award.pool.call, award.application
    awards = awards_of(Award.objects.filter(pk=award.pk), cutoff)
    return head("award", call, cutoff) | {
        "award": awards[0],
        "funder": award.pool.funder.name,
        "promise": {
            "number": application.outcome_number,
            "unit": application.outcome_unit,
            "month": application.outcome_month.isoformat() if application.outcome_month else None,
            "text": application.outcome_text,
            "shares": application.shares,
        },
        "progress_note": award.progress_note if is_by(award.progress_note_at, cutoff) else "",
        "jobs": UsageRecord.objects.filter(award=award, starts_at__lte=cutoff).count(),
        "use_by_week": use_by_week(Q(award=award), cutoff),
        "energy": energy(awards, call),
        "simulated_used": simulated_used(awards),
    }


def head(kind: str, call: Call, cutoff: datetime) -> dict[str, Any]:
    """What every report says of itself and of its call."""
    released_at = call.released_at if is_by(call.released_at, cutoff) else None
    return {
        "format": FORMAT,
        "software": SOFTWARE,
        "kind": kind,
        "cutoff_at": iso_utc(cutoff),
        "call": {
            "slug": call.slug,
            "title": call.title,
            "zone": call.zone,
            "opens_at": iso_utc(call.opens_at),
            "closes_at": iso_utc(call.closes_at),
            "released_at": iso_utc(released_at) if released_at else None,
            "award_starts_at": iso_utc(call.award_starts_at),
            "award_ends_at": iso_utc(call.award_ends_at),
            "is_blind": call.is_blind,
            "rule": call.rule,
        },
    }


def awards_of(rows: Any, cutoff: datetime) -> list[dict[str, Any]]:
    """One entry an award, with its hours counted from the movements up to the cut-off."""
    found = list(rows.select_related("application", "decision", "pool__gpu_type").order_by("pk"))
    keys = [row.pk for row in found]
    stands = _standing(keys, cutoff)
    reserved = _reserved(keys, cutoff)
    simulated = set(
        UsageRecord.objects.filter(award__in=keys, is_simulated=True, starts_at__lte=cutoff)
        .values_list("award", flat=True)
        .distinct()
    )
    first_timers = _first_timers({row.decision.run_id for row in found})
    return [
        _about(row, cutoff)
        | {
            "is_first_timer": row.application.public_id in first_timers,
            "used": stands[row.pk, Account.USED],
            "reserved": reserved[row.pk],
            "returned": stands[row.pk, "returned"],
            "is_simulated": row.pk in simulated,
        }
        for row in found
    ]


def _about(award: Award, cutoff: datetime) -> dict[str, Any]:
    """What is promised to whom: as public as the register."""
    application = award.application
    return {
        "award": award.account_name,
        "group": _group(application),
        "country": application.country,
        "kind": application.group_kind,
        "title": application.title,
        "goal": application.sdg_main,
        "other_goals": application.sdg_others,
        "state": award.state if award.state_since <= cutoff else "accepted",
        "is_accepted": is_by(award.accepted_at, cutoff),
        "starts_at": iso_utc(award.starts_at),
        "ends_at": iso_utc(award.ends_at),
        "gpu_type": award.pool.gpu_type.name,
        "watts": award.pool.gpu_type.watts,
        "awarded": award.gpu_seconds,
        "pool": award.pool_id,
    }


def _group(application: Application) -> str:
    return INDIVIDUAL if application.group_kind == PERSON else application.group_name


def is_by(instant: datetime | None, cutoff: datetime) -> bool:
    return instant is not None and instant <= cutoff


def _first_timers(runs: set[int]) -> set[str]:
    """Public ids of applications whose group was new when the run decided: it stands in what went in."""
    problems = AllocationRun.objects.filter(pk__in=runs).values_list("problem", flat=True)
    candidates = [each for problem in problems for each in json.loads(problem)["candidates"]]
    return {each["id"] for each in candidates if each["first_timer"]}


def _standing(awards: list[int], cutoff: datetime) -> Counter[tuple[int, str]]:
    """What stood on each account of each award at the cut-off, and what had gone back to the pool."""
    stands: Counter[tuple[int, str]] = Counter()
    rows = (
        LedgerEntry.objects.filter(award__in=awards, at__lte=cutoff)
        .order_by()
        .values("award", "from_account", "to_account")
        .annotate(moved=Sum("gpu_seconds"))
    )
    for row in rows:
        stands[row["award"], row["from_account"]] -= row["moved"]
        stands[row["award"], row["to_account"]] += row["moved"]
        if row["to_account"] == Account.POOL:
            stands[row["award"], "returned"] += row["moved"]
    return stands


def _reserved(awards: list[int], cutoff: datetime) -> Counter[int]:
    """GPU-seconds of slots that were still to end at the cut-off."""
    total: Counter[int] = Counter()
    rows = Reservation.objects.filter(award__in=awards).to_come(cutoff)
    for award, starts_at, ends_at in rows.values_list("award", "starts_at", "ends_at"):
        total[award] += int((ends_at - max(starts_at, cutoff)).total_seconds())
    return total


def use_by_week(of: Q, cutoff: datetime) -> list[dict[str, Any]]:
    """GPU-seconds metered in each week (by ISO year and week, UTC) from the first use to the cut-off.

    A correction counts in the week in which it came; weeks without use stand as zero.
    """
    moved: Counter[date] = Counter()
    rows = LedgerEntry.objects.filter(of, at__lte=cutoff).filter(
        Q(to_account=Account.USED) | Q(from_account=Account.USED)
    )
    for at, to_account, gpu_seconds in rows.values_list("at", "to_account", "gpu_seconds").iterator():
        moved[_monday(at)] += gpu_seconds if to_account == Account.USED else -gpu_seconds
    weeks: list[dict[str, Any]] = []
    monday = min(moved, default=_monday(cutoff) + timedelta(days=7))
    while monday <= _monday(cutoff):
        year, week, _day = monday.isocalendar()
        weeks.append({"year": year, "week": week, "used": moved[monday]})
        monday += timedelta(days=7)
    return weeks


def _monday(at: datetime) -> date:
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def energy(awards: Iterable[dict[str, Any]], call: Call) -> dict[str, Any]:
    """Estimated: GPU-hours × watts × PUE, and that × grid; rounded down to watt-hours and grams."""
    used: Counter[tuple[str, int]] = Counter()
    for award in awards:
        used[award["gpu_type"], award["watts"]] += award["used"]
    watt_seconds = sum(gpu_seconds * watts for (_name, watts), gpu_seconds in used.items())
    watt_hours = watt_seconds * call.pue_hundredths // (100 * SECONDS_AN_HOUR)
    return {
        "watt_hours": watt_hours,
        "co2_grams": watt_hours * call.grid_g_per_kwh // 1000,
        "pue_hundredths": call.pue_hundredths,
        "grid_g_per_kwh": call.grid_g_per_kwh,
        "by_type": [
            {"gpu_type": name, "watts": watts, "used": gpu_seconds}
            for (name, watts), gpu_seconds in sorted(used.items())
        ],
    }


def simulated_used(awards: Iterable[dict[str, Any]]) -> int:
    """How many of the hours used were made up by a simulated cluster."""
    return sum(award["used"] for award in awards if award["is_simulated"])
