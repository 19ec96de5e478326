"""Metering: exact to the GPU-second, however often, late, torn or side by side it runs."""

import json
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from allocation import award_page, awards, ledger, usage
from allocation.clusters.base import ClusterAway
from allocation.models import Account, Award, Cluster, LedgerEntry, UsageRecord
from portal.models import Mail
from tests import factories
from tests.allocation import awarded
from tests.allocation.killing import ends_alike
from tests.allocation.test_reservations import in_threads
from tests.factories import HOUR

FAKE = str(Path(__file__).with_name("fake_sacct.py"))


@dataclass
class Accounting:
    """A cluster whose accounting says what the test writes down."""

    cluster: Cluster
    file: Path
    rows: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def job(
        self,
        job_id: str,
        award: Award,
        *,
        submit: datetime,
        gpus: int = 1,
        seconds: int,
        over: bool = True,
        account: str = "",
    ) -> None:
        """A job as it stands now; it starts a minute after its submission."""
        start = submit + timedelta(minutes=1)
        end = stamp(start + timedelta(seconds=seconds)) if over else "Unknown"
        held = f"billing=1,cpu=4,gres/gpu:a100={gpus},gres/gpu={gpus}"
        state = "COMPLETED" if over else "RUNNING"
        name = account or award.account_name
        row = [job_id, stamp(submit), name, "games", state, held, str(seconds), stamp(start), end]
        self.rows[job_id, row[1]] = row
        self.write()

    def write(self, text: str = "") -> None:
        self.file.write_text(json.dumps(text or list(self.rows.values())))

    def meter(self, now: datetime, since: datetime | None = None) -> usage.Metered:
        self.cluster.refresh_from_db()
        return usage.meter(cluster=self.cluster, now=now, since=since)


def stamp(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S}"


def an_accounting(folder: Path) -> Accounting:
    file = folder / "jobs.json"
    cluster = Cluster.objects.create(
        name="accounting", kind="slurm", settings={"prefix": [sys.executable, "-S", "-E", FAKE, str(file)]}
    )
    cluster.pools.set(Award.objects.values_list("pool", flat=True))
    made = Accounting(cluster=cluster, file=file)
    made.write()
    return made


def standing(award: Award) -> tuple[int, int, int]:
    found = ledger.balances(award)
    return found[Account.READY], found[Account.USED], found[Account.OVERRUN]


@pytest.mark.django_db
def test_use_is_moved_once_and_its_changes_follow(tmp_path: Path) -> None:
    (award,) = awarded.some_awards(100)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    begun = now - timedelta(hours=5)
    accounting.job("7", award, submit=begun, gpus=2, seconds=600, over=False)
    assert accounting.meter(now - timedelta(hours=4)).gpu_seconds == 1200
    accounting.job("7", award, submit=begun, gpus=2, seconds=3600)
    assert accounting.meter(now).gpu_seconds == 6000
    again = accounting.meter(now)
    assert (again.jobs, again.changed, again.gpu_seconds) == (1, 0, 0)
    accounting.job("7", award, submit=begun, gpus=2, seconds=3000)
    assert accounting.meter(now).gpu_seconds == -1200
    assert standing(award) == (50 * HOUR - 6000, 6000, 0)
    record = UsageRecord.objects.get()
    assert (record.revision, record.login, record.job_state) == (3, "games", "COMPLETED")
    sources = LedgerEntry.objects.filter(source__startswith="usage:").values_list("source", flat=True)
    assert set(sources) == {f"usage:{record.pk}:{number}" for number in (1, 2, 3)}
    accounting.cluster.refresh_from_db()
    assert accounting.cluster.metered_to == now


@pytest.mark.django_db
def test_a_requeued_job_is_two_runs_and_an_older_reading_changes_nothing(tmp_path: Path) -> None:
    (award,) = awarded.some_awards(100)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    first, second = now - timedelta(hours=5), now - timedelta(hours=3)
    accounting.job("9", award, submit=first, seconds=100)
    accounting.job("9", award, submit=second, seconds=1000, over=False)
    accounting.meter(now)
    accounting.job("9", award, submit=second, seconds=900, over=False)
    assert accounting.meter(now).changed == 0
    accounting.job("9", award, submit=second, seconds=1500)
    accounting.meter(now)
    accounting.job("9", award, submit=second, seconds=1400, over=False)
    assert accounting.meter(now).changed == 0
    assert standing(award)[1] == 1600


@pytest.mark.django_db
def test_beyond_what_is_ready_is_overrun_and_the_second_half_pays_for_it(tmp_path: Path) -> None:
    (award,) = awarded.some_awards(2)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    begun = now - timedelta(hours=5)
    accounting.job("1", award, submit=begun, seconds=4000)
    accounting.meter(now)
    assert standing(award) == (0, 4000, -400)
    accounting.job("1", award, submit=begun, seconds=3900)
    accounting.meter(now)
    assert standing(award) == (0, 3900, -300)
    awards.write_progress_note(award=award, by=award.application.owner, text="a\nb\nc", now=now)
    accounting.meter(now)
    assert standing(award) == (3300, 3900, 0)
    accounting.job("1", award, submit=begun, seconds=3500)
    accounting.meter(now)
    assert standing(award) == (3700, 3500, 0)
    assert list(ledger.check()) == []


@pytest.mark.django_db
def test_jobs_of_unknown_accounts_are_counted_and_never_billed(tmp_path: Path) -> None:
    (award,) = awarded.some_awards(100)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    accounting.job("1", award, submit=now - timedelta(hours=1), seconds=60, account="gzzzzzzzz")
    read = accounting.meter(now)
    assert (read.jobs, read.changed, read.unknown) == (1, 0, {"gzzzzzzzz": 1})
    assert not UsageRecord.objects.exists() and standing(award)[1] == 0


@pytest.mark.django_db
def test_mails_come_once_at_80_and_once_at_100_hundredths(tmp_path: Path) -> None:
    (award,) = awarded.some_awards(2)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    begun = now - timedelta(hours=5)
    subjects = []
    for seconds in (5759, 5760, 5800, 7199, 7200, 7300):
        accounting.job("1", award, submit=begun, seconds=seconds, over=False)
        accounting.meter(now)
        found = Mail.objects.filter(key__startswith="used-").order_by("pk")
        subjects.append([mail.key.split(":")[0] for mail in found])
    told, both = ["used-80"], ["used-80", "used-100"]
    assert subjects == [[], told, told, told, both, both]
    award.refresh_from_db()
    assert award.told_80_at == award.told_100_at == now
    first = Mail.objects.get(key=f"used-80:{award.pk}")
    assert first.to_address == award.application.owner.email and "0.4 of your hours" in first.subject


@pytest.mark.django_db
def test_a_cluster_that_is_away_moves_nothing_and_what_it_missed_comes_later(tmp_path: Path) -> None:
    (award,) = awarded.some_awards(100)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    accounting.meter(now - timedelta(days=6))
    accounting.write("down")
    with pytest.raises(ClusterAway):
        accounting.meter(now - timedelta(days=3))
    accounting.cluster.refresh_from_db()
    assert accounting.cluster.metered_to == now - timedelta(days=6)
    assert "Problem talking" in accounting.cluster.last_error
    accounting.job("1", award, submit=now - timedelta(days=5), seconds=60)
    accounting.meter(now)
    assert standing(award)[1] == 60


@pytest.mark.django_db
def test_a_reading_that_leaves_a_gap_does_not_say_that_all_is_metered(tmp_path: Path) -> None:
    awarded.some_awards(100)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    accounting.meter(now - timedelta(days=2))
    accounting.meter(now, since=now - timedelta(days=1))
    accounting.cluster.refresh_from_db()
    assert accounting.cluster.metered_to == now - timedelta(days=2)
    accounting.meter(now, since=now - timedelta(days=3))
    accounting.cluster.refresh_from_db()
    assert accounting.cluster.metered_to == now


@pytest.mark.django_db
def test_metering_can_be_killed_anywhere_and_run_again(tmp_path: Path) -> None:
    first, second = awarded.some_awards(2, 50)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    begun = now - timedelta(hours=9)
    accounting.job("1", first, submit=begun, seconds=5900)
    accounting.job("2", second, submit=begun, gpus=4, seconds=700)

    def state() -> list[Any]:
        rows = UsageRecord.objects.order_by("job_id").values_list("job_id", "gpu_seconds", "revision")
        mails = Mail.objects.filter(key__startswith="used-").values_list("key", flat=True)
        return [standing(first), standing(second), list(rows), list(mails), list(ledger.check())]

    assert ends_alike(lambda: accounting.meter(now), state) > 25


@pytest.mark.django_db(transaction=True)
def test_four_meters_side_by_side_count_each_job_once(tmp_path: Path) -> None:
    found = awarded.some_awards(100, 100)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    for number in range(12):
        submit = now - timedelta(hours=number + 1)
        accounting.job(str(number), found[number % 2], submit=submit, gpus=2, seconds=100 + number)
    cluster = accounting.cluster
    results = in_threads(4, lambda _number: usage.meter(cluster=Cluster.objects.get(pk=cluster.pk), now=now))
    assert [each for each in results if isinstance(each, Exception)] == []
    assert sum(each.gpu_seconds for each in results) == 2 * sum(100 + number for number in range(12))
    assert UsageRecord.objects.count() == 12
    assert sum(standing(award)[1] for award in found) == 2 * sum(100 + number for number in range(12))
    assert list(ledger.check()) == []


@pytest.mark.django_db
def test_many_moves_at_once_are_made_whole_or_not_at_all() -> None:
    (award,) = awarded.some_awards(2)
    now = awarded.just_now()

    def moves(*sizes: int) -> list[ledger.Move]:
        return [
            ledger.Move(
                source=f"t:{number}", from_account=Account.READY, to_account=Account.USED, gpu_seconds=size
            )
            for number, size in enumerate(sizes)
        ]

    with pytest.raises(ledger.NotEnough), transaction.atomic():
        ledger.move_all(award=award, moves=moves(3000, 601), now=now)
    assert standing(award) == (HOUR, 0, 0)
    ledger.move_all(award=award, moves=moves(3000), now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.move_all(award=award, moves=moves(3000, 600), now=now)
    assert standing(award) == (600, 3000, 0)
    assert list(ledger.check()) == []


@dataclass(frozen=True)
class Life:
    """A job as it will have been: which award, how it grew, when accounting first told it, what it was at last."""

    award: int
    gpus: int
    growth: tuple[int, ...]
    told_from: int
    at_last: int
    runs: int


LIVES = st.builds(
    Life,
    award=st.integers(0, 1),
    gpus=st.integers(1, 8),
    growth=st.lists(st.integers(0, 2000), min_size=3, max_size=3).map(lambda each: tuple(sorted(each))),
    told_from=st.integers(0, 3),
    at_last=st.integers(0, 4000),
    runs=st.integers(1, 2),
)


@pytest.mark.django_db
def test_whatever_jobs_do_the_ledger_ends_at_their_gpu_seconds(tmp_path: Path) -> None:
    found = awarded.some_awards(10, 1000)
    accounting, now = an_accounting(tmp_path), awarded.just_now()

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(lives=st.lists(LIVES, max_size=6))
    @example(lives=[Life(0, 8, (0, 500, 2000), 0, 100, 2), Life(0, 8, (0, 0, 0), 3, 4000, 1)])
    def property_holds(lives: list[Life]) -> None:
        with transaction.atomic():
            live_through(accounting, found, lives, now)
            transaction.set_rollback(True)

    property_holds()
    assert UsageRecord.objects.count() == 0


def live_through(accounting: Accounting, found: list[Award], lives: list[Life], now: datetime) -> None:
    """Four readings, each replayed; the last one tells every job as it was."""
    accounting.rows.clear()
    accounting.write()
    begun = now - timedelta(days=2)
    for step in range(4):
        for number, life in enumerate(lives):
            for run in range(life.runs if step >= life.told_from else 0):
                submit = begun + timedelta(hours=number, minutes=run)
                seconds = life.at_last if step == 3 else life.growth[step]
                award = found[life.award]
                accounting.job(
                    str(number), award, submit=submit, gpus=life.gpus, seconds=seconds, over=step == 3
                )
        for _replay in range(3):
            read = accounting.meter(begun + timedelta(hours=12 * (step + 1)))
        assert read.changed == 0
    for number, award in enumerate(found):
        true = sum(life.gpus * life.at_last * life.runs for life in lives if life.award == number)
        ready = awards.first_half(award.gpu_seconds)
        assert standing(award) == (max(0, ready - true), true, -max(0, true - ready))
    assert list(ledger.check()) == []


@pytest.mark.django_db
def test_use_by_week_splits_a_job_at_the_weeks_edge_and_the_page_shows_it(tmp_path: Path) -> None:
    (award,) = awarded.some_awards(1000)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    begins_at = award.starts_at
    submit = begins_at + timedelta(days=7) - timedelta(minutes=11)
    accounting.job("1", award, submit=submit, gpus=2, seconds=3600)
    later = begins_at + timedelta(days=10)
    accounting.meter(later)
    weeks = usage.usage_by_week(award, later)
    assert [week.gpu_seconds for week in weeks] == [1200, 6000]
    assert weeks[-1].total_gpu_seconds == standing(award)[1] == 7200
    use = award_page.slots_and_use(award, later)["use"]
    assert [point.value for point in use["points"]] == [1200, 7200]
    assert award_page.even_pace(award, award.ends_at) == award.gpu_seconds
    assert award_page.even_pace(award, begins_at) == 0
    assert use["alt"].startswith("Hours used in total") and now > begins_at


@pytest.mark.django_db
def test_the_award_page_shows_slots_and_use_to_its_group(client: Any, tmp_path: Path) -> None:
    (award,) = awarded.some_awards(100)
    accounting, now = an_accounting(tmp_path), awarded.just_now()
    accounting.job("1", award, submit=now - timedelta(hours=2), gpus=2, seconds=3600)
    accounting.meter(now)
    client.force_login(award.application.owner)
    page = client.get(f"/awards/{award.account_name}/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Your slots" in text and "Hours used, week by week" in text and "2 h" in text
    assert "How to use accounting" in text and "simulated" not in text.lower()
    client.force_login(factories.a_user())
    assert client.get(f"/awards/{award.account_name}/").status_code == 404
