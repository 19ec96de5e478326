"""Instants said in words with weekday and zone, zones by name, and the edges of deadlines.

Stored instants are UTC; a person always reads the zone beside the time. Pages, mails and reports call it.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.utils import formats, translation
from django.utils.translation import gettext as _

AOE_NAME = "AoE"
# "Anywhere on Earth": the last place where it is still that day. The sign of Etc zones is turned round.
AOE = ZoneInfo("Etc/GMT+12")
CLOCK = "H:i"


class DateRefused(ValueError):
    """The zone or the time does not exist; the message says what to write."""


def parse_zone(name: str) -> ZoneInfo:
    """The zone called "Asia/Dhaka", "UTC" or "AoE". Raises DateRefused."""
    wanted = name.strip()
    if wanted.lower() == AOE_NAME.lower():
        return AOE
    if wanted not in _zone_names():
        raise DateRefused(
            _("There is no time zone called “%(name)s”. Write one like Asia/Dhaka, UTC or AoE.")
            % {"name": wanted[:60]}
        )
    return ZoneInfo(wanted)


@cache
def _zone_names() -> frozenset[str]:
    """Read once: the list is a walk over a thousand files, and a page says many times."""
    return frozenset(available_timezones())


def say_instant(instant: datetime, zone: ZoneInfo, language: str | None = None) -> str:
    """ "Tuesday 2 May 2028, 23:59, Dhaka time (UTC+6)"."""
    local = _local(instant, zone)
    with translation.override(language or translation.get_language()):
        day, clock = _weekday_and_day(local), formats.date_format(local, CLOCK)
        return _("%(day)s, %(clock)s, %(zone)s") % {
            "day": day,
            "clock": clock,
            "zone": _zone_words(local, zone),
        }


def say_day(instant: datetime, zone: ZoneInfo, language: str | None = None) -> str:
    """ "2 May 2028 (UTC)": the day of the instant in that zone, for tables and feet of pages."""
    local = _local(instant, zone)
    with translation.override(language or translation.get_language()):
        return _("%(day)s (%(zone)s)") % {"day": _day(local), "zone": _short_zone(local, zone)}


def say_deadline(closes_at: datetime, zone: ZoneInfo, language: str | None = None) -> str:
    """Until when something is taken; midnight is said as the end of the day before, which nobody mistakes."""
    local = _local(closes_at, zone)
    if local.timetz().replace(tzinfo=None) != time():
        return say_instant(closes_at, zone, language)
    with translation.override(language or translation.get_language()):
        day = _weekday_and_day(local - timedelta(days=1))
        return _("end of %(day)s, %(zone)s") % {"day": day, "zone": _zone_words(local, zone)}


def instant_at(wall_clock: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant when clocks in `zone` show `wall_clock`.

    Where clocks are set back and show it twice, the later one: nobody loses an hour. Raises DateRefused where
    clocks skip it.
    """
    if wall_clock.tzinfo is not None:
        raise ValueError("A time on the wall has no zone of its own.")
    # fold=1 is the later of two; for a time that is skipped, neither fold comes back from UTC as it went.
    instant = wall_clock.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) != wall_clock.replace(fold=0):
        raise DateRefused(
            _("Clocks in %(zone)s skip this time. Choose one an hour earlier or later.") % {"zone": zone.key}
        )
    return instant


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after `day` in `zone`: what is sent a microsecond before it is still in time."""
    midnight = datetime.combine(day + timedelta(days=1), time())
    # Some zones skip midnight itself when clocks go forward: the day then ends where the next begins.
    return midnight.replace(tzinfo=zone, fold=0).astimezone(UTC)


def is_in_time(instant: datetime, *, closes_at: datetime) -> bool:
    """Deadlines are half-open: the closing instant itself is late."""
    return _aware(instant) < _aware(closes_at)


def iso_utc(instant: datetime) -> str:
    """ "2028-05-02T23:59:00Z": for files, attributes and digests; fractions only where there are any."""
    return _aware(instant).astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("An instant without a zone cannot be said or compared.")
    return instant


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    return _aware(instant).astimezone(zone)


def _day(local: datetime) -> str:
    language_format = formats.get_format("DATE_FORMAT", use_l10n=True)
    # English readers differ on which number is the month; with its name in the middle nobody errs.
    return formats.date_format(local, "j F Y" if language_format == "N j, Y" else language_format)


def _weekday_and_day(local: datetime) -> str:
    return f"{formats.date_format(local, 'l')} {_day(local)}"


def _zone_words(local: datetime, zone: ZoneInfo) -> str:
    if zone.key == AOE.key:
        return _("Anywhere on Earth (UTC-12)")
    if _short_zone(local, zone) == "UTC":
        return "UTC"
    place = zone.key.rsplit("/", 1)[-1].replace("_", " ")
    return _("%(place)s time (%(offset)s)") % {"place": place, "offset": _offset(local)}


def _short_zone(local: datetime, zone: ZoneInfo) -> str:
    if zone.key == AOE.key:
        return AOE_NAME
    return "UTC" if zone.key in ("UTC", "Etc/UTC", "Etc/GMT", "GMT") else _offset(local)


def _offset(local: datetime) -> str:
    minutes = int((local.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")
