"""What an award's page tells of its slots, its use and its clusters. Only reads; allocation.views calls it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from allocation import usage
from allocation.desired import grouped, name_there
from allocation.drivers import driver_of
from allocation.models import Award, Cluster, Reservation
from allocation.reservations import zone_of
from portal.lib.charts import Datum
from portal.lib.dates import parse_zone
from portal.lib.hours import say_hours
from portal.refused import Refused

LATE_AFTER = timedelta(minutes=30)
SHOWN_STATES = ("planned", "placed", "running", "ended", "failed")
TAGS = {"planned": "wait", "placed": "yes", "running": "yes", "failed": "no"}
MOST_PAST_SLOTS = 10


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One line of the table of slots."""

    name: str
    starts_at: datetime
    ends_at: datetime
    gpus: int
    gpu_type: str
    is_whole_node: bool
    gpu_seconds: int
    state: str
    tag: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """One cluster of the award, as its group sees it."""

    name: str
    last_seen_at: datetime | None
    is_late: bool
    is_simulated: bool
    help: tuple[str, ...]


def slots_and_use(award: Award, now: datetime) -> dict[str, Any]:
    """Slots with their zone, use by week against an even pace, how to connect, and when each cluster answered."""
    zone = zone_of(award)
    rows = Reservation.objects.filter(award=award, state__in=SHOWN_STATES).select_related("gpu__cluster")
    slots = grouped(rows)
    to_come = [slot for slot in slots if slot[0].ends_at > now and slot[0].state != "failed"]
    past = [slot for slot in slots if slot not in to_come][-MOST_PAST_SLOTS:]
    places = [_place(cluster, award, now) for cluster in _clusters(award)]
    is_simulated = any(place.is_simulated for place in places)
    return {
        "zone": zone,
        "slots": [_slot(slot) for slot in to_come],
        "past_slots": [_slot(slot) for slot in past],
        "reserved_gpu_seconds": sum(_slot(slot).gpu_seconds for slot in to_come),
        "places": places,
        "is_simulated": is_simulated,
        "use": _use(award, zone, now, is_simulated),
    }


def _clusters(award: Award) -> Iterable[Cluster]:
    found: Iterable[Cluster] = Cluster.objects.filter(pools=award.pool_id).order_by("pk")
    return found


def _slot(slot: list[Reservation]) -> Slot:
    first = slot[0]
    return Slot(
        name=name_there(slot),
        starts_at=first.starts_at,
        ends_at=first.ends_at,
        gpus=len(slot),
        gpu_type=first.gpu.gpu_type.name,
        is_whole_node=first.gpu.cluster.unit == "node",
        gpu_seconds=sum(int((row.ends_at - row.starts_at).total_seconds()) for row in slot),
        state=first.get_state_display(),
        tag=TAGS.get(first.state, ""),
    )


def _place(cluster: Cluster, award: Award, now: datetime) -> Place:
    is_late = cluster.last_seen_at is None or now - cluster.last_seen_at > LATE_AFTER
    try:
        driver = driver_of(cluster, now)
    except Refused:
        return Place(
            name=cluster.name, last_seen_at=cluster.last_seen_at, is_late=True, is_simulated=False, help=()
        )
    return Place(
        name=cluster.name,
        last_seen_at=cluster.last_seen_at,
        is_late=is_late,
        is_simulated=driver.is_simulated,
        help=tuple(driver.connect_help(award.account_name)),
    )


def _use(award: Award, zone: str, now: datetime, is_simulated: bool) -> dict[str, Any]:
    """Totals after each week and two levels to hold them against; empty before the first job."""
    weeks = usage.usage_by_week(award, now)
    used = weeks[-1].total_gpu_seconds if weeks else 0
    if not used:
        return {}
    place = parse_zone(zone)
    ends = [date_format(min(week.ends_at, now).astimezone(place), "j M") for week in weeks]
    points = [_datum(end, week.total_gpu_seconds) for end, week in zip(ends, weeks, strict=True)]
    even = even_pace(award, now)
    told = {"hours": say_hours(used), "weeks": len(weeks), "even": say_hours(even)}
    alt = (
        _("Hours used in total, week by week: %(hours)s after %(weeks)s weeks. An even pace: %(even)s.")
        % told
    )
    if is_simulated:
        alt += " " + _("These figures are simulated.")
    lines = [_datum(_("Even pace to today"), even), _datum(_("Awarded"), award.gpu_seconds)]
    return {"points": points, "lines": lines, "alt": alt, "used_gpu_seconds": used}


def _datum(label: str, gpu_seconds: int) -> Datum:
    return Datum(label, gpu_seconds, _("%(hours)s h") % {"hours": say_hours(gpu_seconds)})


def even_pace(award: Award, now: datetime) -> int:
    """What would be used by now at one pace from the award's beginning to its end."""
    begins_at = max(award.starts_at, award.accepted_at or award.starts_at)
    whole = (award.ends_at - begins_at) // timedelta(seconds=1)
    gone = min(max((now - begins_at) // timedelta(seconds=1), 0), whole)
    return award.gpu_seconds * gone // whole if whole > 0 else award.gpu_seconds
