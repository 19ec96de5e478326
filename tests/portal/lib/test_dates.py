"""Dates: each instant is said with its zone, deadlines are sharp, no clock change takes an hour away."""
# ruff: noqa: DTZ001 - times on a wall have no zone, which is what is tested here

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib import dates
from portal.lib.dates import AOE, DateRefused

DHAKA = ZoneInfo("Asia/Dhaka")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
BERLIN = ZoneInfo("Europe/Berlin")
CLOSES_AT = datetime(2028, 5, 3, 12, tzinfo=UTC)
ZONES = [
    "UTC", "Etc/GMT+12", "Etc/GMT-14", "Asia/Dhaka", "Asia/Kathmandu", "Asia/Kolkata", "Africa/Nairobi",
    "Africa/Lagos", "Africa/Cairo", "Africa/Casablanca", "America/Montevideo", "America/Sao_Paulo",
    "America/Santiago", "America/Havana", "America/New_York", "America/St_Johns", "America/Asuncion",
    "Europe/Berlin", "Europe/Helsinki", "Asia/Beirut", "Asia/Tehran", "Asia/Seoul", "Australia/Lord_Howe",
    "Pacific/Chatham",
]  # fmt: skip


def test_instant_is_said_with_weekday_and_zone() -> None:
    said = dates.say_instant(datetime(2028, 5, 2, 17, 59, tzinfo=UTC), DHAKA, "en")
    assert said == "Tuesday 2 May 2028, 23:59, Dhaka time (UTC+6)"
    assert dates.say_instant(CLOSES_AT, KATHMANDU, "en").endswith("17:45, Kathmandu time (UTC+5:45)")
    assert dates.say_instant(CLOSES_AT, ZoneInfo("UTC"), "en") == "Wednesday 3 May 2028, 12:00, UTC"


def test_instant_is_said_in_other_languages() -> None:
    assert dates.say_instant(CLOSES_AT, DHAKA, "fr").startswith("mercredi 3 mai 2028, 18:00")
    assert "3 de mayo de 2028" in dates.say_instant(CLOSES_AT, DHAKA, "es")
    assert "মে" in dates.say_instant(CLOSES_AT, DHAKA, "bn")


def test_day_is_said_with_its_zone() -> None:
    assert dates.say_day(CLOSES_AT, DHAKA, "en") == "3 May 2028 (UTC+6)"
    assert dates.say_day(CLOSES_AT - timedelta(seconds=1), AOE, "en") == "2 May 2028 (AoE)"


def test_midnight_deadline_is_said_as_the_end_of_the_day_before() -> None:
    assert dates.say_deadline(CLOSES_AT, AOE, "en") == "end of Tuesday 2 May 2028, Anywhere on Earth (UTC-12)"
    assert dates.say_deadline(CLOSES_AT, DHAKA, "en").startswith("Wednesday 3 May 2028, 18:00")


def test_zones_are_found_by_name_and_anywhere_on_earth_by_its_short_one() -> None:
    assert dates.parse_zone(" Asia/Dhaka ").key == "Asia/Dhaka"
    assert dates.parse_zone("aoe") is AOE
    assert CLOSES_AT.astimezone(AOE).utcoffset() == timedelta(hours=-12)
    for name in ("Dhaka", "../etc/passwd", "", "Etc/GMT+99", "asia\x00/dhaka"):
        with pytest.raises(DateRefused, match="There is no time zone"):
            dates.parse_zone(name)


def test_end_of_day_anywhere_on_earth() -> None:
    assert dates.end_of_day(date(2028, 5, 2), AOE) == CLOSES_AT


@pytest.mark.parametrize(("late_by", "is_in_time"), [(-1, True), (0, False), (1, False)])
def test_deadline_is_sharp_to_the_microsecond(late_by: int, is_in_time: bool) -> None:
    sent_at = CLOSES_AT + timedelta(microseconds=late_by)
    assert dates.is_in_time(sent_at, closes_at=CLOSES_AT) is is_in_time


@given(zone=st.sampled_from(ZONES), day=st.dates(date(2024, 1, 1), date(2032, 12, 31)))
def test_end_of_day_is_where_the_next_day_begins_in_every_zone(zone: str, day: date) -> None:
    place = ZoneInfo(zone)
    end = dates.end_of_day(day, place)
    assert (end - timedelta(microseconds=1)).astimezone(place).date() <= day
    assert end.astimezone(place).date() == day + timedelta(days=1)


@given(
    zone=st.sampled_from(ZONES),
    wall_clock=st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31)).map(lambda at: at.replace(fold=0)),
)
def test_a_time_on_the_wall_comes_back_from_utc_as_it_went(zone: str, wall_clock: datetime) -> None:
    place = ZoneInfo(zone)
    try:
        instant = dates.instant_at(wall_clock, place)
    except DateRefused:
        return
    assert instant.astimezone(place).replace(tzinfo=None, fold=0) == wall_clock


def test_a_time_shown_twice_is_the_later_one_and_a_skipped_one_is_refused() -> None:
    assert dates.instant_at(datetime(2028, 10, 29, 2, 30), BERLIN) == datetime(
        2028, 10, 29, 1, 30, tzinfo=UTC
    )
    with pytest.raises(DateRefused, match="skip this time"):
        dates.instant_at(datetime(2028, 3, 26, 2, 30), BERLIN)


def test_a_time_without_a_zone_is_a_mistake() -> None:
    naive = datetime(2028, 5, 2)
    for mistake in (
        lambda: dates.say_instant(naive, DHAKA),
        lambda: dates.iso_utc(naive),
        lambda: dates.is_in_time(naive, closes_at=CLOSES_AT),
        lambda: dates.instant_at(CLOSES_AT, DHAKA),
    ):
        with pytest.raises(ValueError, match="zone"):
            mistake()


def test_files_get_utc() -> None:
    assert dates.iso_utc(CLOSES_AT.astimezone(DHAKA)) == "2028-05-03T12:00:00Z"
