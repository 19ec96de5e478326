"""The funder's page: own pools and awards only, what to watch, and a report of each at the press of a button."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from allocation import awards, funding, ledger, reports
from allocation.models import Account, Award, Report, ReportState
from portal.models import User
from tests import factories
from tests.bench.pages import add_copies
from tests.factories import HOUR

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def a_funded_award() -> tuple[Award, User]:
    award = factories.an_award()
    return award, factories.a_funder(award.pool.funder)


def page_of(user: User) -> str:
    return client_of(user).get("/funder/").content.decode()


def use(award: Award, hours: int) -> None:
    ledger.move(
        source=f"usage:{award.pk}",
        pool=award.pool,
        award=award,
        from_account=Account.READY,
        to_account=Account.USED,
        gpu_seconds=hours * HOUR,
        now=award.accepted_at,
    )


def watched(user: User, award: Award, *, part: int) -> list[str]:
    """The reasons told when so many hundredths of the award's time are over."""
    at = award.starts_at + (award.ends_at - award.starts_at) * part / 100
    return [row.why for row in funding.awards_to_watch(user, at) if row.award == award]


def test_a_pool_shows_what_was_given_awarded_used_and_left() -> None:
    award, funder = a_funded_award()
    use(award, 30)
    (pool,) = funding.pools(funder)
    given = sum(award.gpu_seconds for award in Award.objects.filter(pool=award.pool))
    assert (pool.awarded, pool.used) == (given, 30 * HOUR)
    assert pool.left == award.pool.gpu_seconds - given == ledger.pool_balance(award.pool)
    assert award.pool.call.title in page_of(funder)


def test_an_award_is_watched_when_it_is_idle_paused_or_nearly_used() -> None:
    award, funder = a_funded_award()
    assert watched(funder, award, part=40) == []
    assert "less than a quarter" in watched(funder, award, part=60)[0]
    use(award, 60)
    assert watched(funder, award, part=60) == []
    awards.pause(award=award, by=None, reason="The cluster is moved.", now=award.accepted_at)
    assert "Paused" in watched(funder, award, part=10)[0]


def test_an_award_that_is_nearly_used_up_is_watched() -> None:
    award, funder = a_funded_award()
    awards.write_progress_note(
        award=award, by=award.application.owner, text="It works.\nCuts.\nMore.", now=award.accepted_at
    )
    use(award, 130)
    assert "four fifths" in watched(funder, award, part=20)[0]


def test_another_funders_awards_are_neither_watched_nor_reported() -> None:
    award, _mine = a_funded_award()
    other = factories.a_funder()
    assert watched(other, award, part=90) == []
    path = f"/funder/awards/{award.account_name}/report/"
    assert client_of(other).post(path).status_code == 404
    assert client_of(award.application.owner).post(path).status_code == 404
    assert not Report.objects.exists()


def test_a_funder_has_a_report_made_of_an_award() -> None:
    award, funder = a_funded_award()
    answer = client_of(funder).post(f"/funder/awards/{award.account_name}/report/", follow=True)
    assert "The report is being made" in answer.content.decode()
    report = Report.objects.get()
    assert (report.kind, report.award, report.made_by) == ("award", award, funder)


def test_the_page_says_so_while_a_report_is_being_made() -> None:
    award, funder = a_funded_award()
    assert "A report is being made" not in page_of(funder)
    now = timezone.now()
    report = reports.request(kind="call", subject=award.pool.call, by=funder, language="en", now=now)
    assert "A report is being made" in page_of(funder)
    pdf = f"/reports/{report.public_id}.pdf"
    assert pdf not in page_of(funder)
    reports.make(report=report, now=now)
    assert "A report is being made" not in page_of(funder)
    assert pdf in page_of(funder)


def test_a_parked_report_says_why() -> None:
    award, funder = a_funded_award()
    report = reports.request(
        kind="call", subject=award.pool.call, by=funder, language="en", now=timezone.now()
    )
    Report.objects.filter(pk=report.pk).update(state=ReportState.PARKED, last_error="It took too long.")
    assert "It took too long." in page_of(funder)


def test_a_seat_without_pools_finds_words_instead_of_tables() -> None:
    told = page_of(factories.a_funder())
    for words in ("Pools that you give", "No award of your pools", "Reports that you ask for"):
        assert words in told


def test_downloads_are_attachments_that_nobody_stores() -> None:
    award, funder = a_funded_award()
    report = reports.request(kind="call", subject=award.pool.call, by=None, language="en", now=timezone.now())
    reports.make(report=report, now=timezone.now())
    for suffix in ("pdf", "csv"):
        answer = client_of(funder).get(f"/reports/{report.public_id}.{suffix}")
        assert answer["Content-Disposition"].startswith("attachment;")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer["Cache-Control"]


def test_the_page_costs_the_same_for_1_and_for_30(django_assert_num_queries: Any) -> None:
    award, funder = a_funded_award()
    client = client_of(funder)
    counts = []
    for more in (0, 29):
        add_copies({"award": award}, more)
        for number in range(more):
            now = timezone.now() + timedelta(seconds=number)
            reports.request(kind="call", subject=award.pool.call, by=None, language="en", now=now)
        Award.objects.update(paused_at=timezone.now())
        with django_assert_num_queries(20, exact=False) as queries:
            assert client.get("/funder/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
