"""Reports: figures equal to the database, the same bytes from the same data, parked after three failures."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from allocation import figures, ledger, reports
from allocation.models import Account, Award, Balance, Report, ReportState
from portal.lib import pdf
from portal.lib.hours import say_hours
from tests import factories
from tests.factories import HOUR

pytestmark = pytest.mark.django_db


def a_used_award(hours: int = 30) -> Award:
    """An award of which some hours were used, by a movement as metering writes it."""
    award = factories.an_award()
    ledger.move(
        source="usage:test",
        pool=award.pool,
        award=award,
        from_account=Account.READY,
        to_account=Account.USED,
        gpu_seconds=hours * HOUR,
        now=award.accepted_at,
    )
    return award


def a_report(award: Award, kind: str = "call") -> Report:
    subject = award.pool.call if kind == "call" else award
    now = award.accepted_at + timedelta(days=1)
    report = reports.request(kind=kind, subject=subject, by=None, language="en", now=now)
    reports.make(report=report, now=now)
    report.refresh_from_db()
    return report


def words_of(report: Report) -> str:
    assert report.pdf is not None, report.last_error
    pages = PdfReader(io.BytesIO(bytes(report.pdf))).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def test_the_figures_of_a_call_are_those_of_the_database() -> None:
    award = a_used_award()
    call = award.pool.call
    told = figures.for_call(call, award.accepted_at + timedelta(days=1))
    awards = Award.objects.filter(pool__call=call)
    used = Balance.objects.filter(pool__call=call, account=Account.USED).aggregate(sum=Sum("gpu_seconds"))[
        "sum"
    ]
    assert told["applications"]["awarded"] == awards.count() == len(told["awards"])
    assert told["gpu_seconds"]["awarded"] == awards.aggregate(sum=Sum("gpu_seconds"))["sum"]
    assert told["gpu_seconds"]["used"] == used == 30 * HOUR
    for name in ("by_goal", "by_country", "by_kind"):
        assert sum(row["awarded"] for row in told[name]) == told["gpu_seconds"]["awarded"]
        assert sum(row["used"] for row in told[name]) == used
        assert sum(row["applications"] for row in told[name]) == told["applications"]["sent"]
    assert sum(week["used"] for week in told["use_by_week"]) == used
    assert told["energy"]["watt_hours"] == 30 * 400 * 156 // 100
    assert told["days"]["close_to_decision"] == 9


def test_what_came_after_the_cut_off_is_not_counted() -> None:
    award = a_used_award()
    told = figures.for_call(award.pool.call, award.accepted_at - timedelta(seconds=1))
    assert told["gpu_seconds"]["used"] == 0
    assert told["applications"]["accepted"] == 0


def test_the_pdf_says_the_figures_and_its_digest() -> None:
    report = a_report(a_used_award())
    words, hours = words_of(report), report.data["gpu_seconds"]
    for name in ("offered", "asked", "awarded", "used"):
        assert say_hours(hours[name]) in words
    assert report.data["call"]["title"] in words
    assert report.digest[:8] in words
    assert "CO₂" in words


def test_an_award_has_its_own_page_of_promise_and_use() -> None:
    award = a_used_award()
    words = words_of(a_report(award, "award"))
    assert award.application.title in words
    assert "500 calls answered" in words
    assert award.account_name in words


def test_csv_page_and_pdf_tell_the_same() -> None:
    report = a_report(a_used_award())
    rows = dict(list(csv.reader(io.StringIO(reports.as_csv(report).decode())))[1:])
    page = reports.as_html(report, is_paper=False)
    assert int(rows["gpu_seconds.used"]) == report.data["gpu_seconds"]["used"]
    assert rows["digest"] == report.digest
    assert say_hours(report.data["gpu_seconds"]["used"]) in page


def test_the_same_data_gives_the_same_bytes() -> None:
    report = a_report(a_used_award())
    again = pdf.render_pdf(reports.as_html(report, is_paper=True))
    assert again == bytes(report.pdf or b"")


def test_a_report_is_made_once_however_often_its_task_runs() -> None:
    report = a_report(a_used_award())
    before = bytes(report.pdf or b"")
    reports.make(report=report, now=timezone.now())
    report.refresh_from_db()
    assert (report.state, report.attempts, bytes(report.pdf or b"")) == (ReportState.READY, 1, before)


def spoil(report: Report) -> None:
    """Data that no page can be made of."""
    Report.objects.filter(pk=report.pk).update(pdf=None, state=ReportState.QUEUED, attempts=0)


def test_three_failures_park_a_report_with_its_reason(monkeypatch: Any) -> None:
    report = a_report(a_used_award())
    spoil(report)
    monkeypatch.setattr(reports, "render_pdf", lambda html: pdf.render_pdf(html, megabytes=20))
    for _ in range(3):
        report.refresh_from_db()
        assert report.state == ReportState.QUEUED
        reports.make(report=report, now=timezone.now())
    report.refresh_from_db()
    assert report.state == ReportState.PARKED
    assert report.last_error
    monkeypatch.undo()
    reports.try_again(report=report, by=None, now=timezone.now())
    report.refresh_from_db()
    reports.make(report=report, now=timezone.now())
    report.refresh_from_db()
    assert report.state == ReportState.READY


def test_a_report_that_kills_its_worker_three_times_is_parked() -> None:
    """Each try is counted before the work: what a killed worker leaves behind is a row that is being made."""
    report = a_report(a_used_award())
    Report.objects.filter(pk=report.pk).update(state=ReportState.MAKING, attempts=3, pdf=None)
    report.refresh_from_db()
    reports.make(report=report, now=timezone.now())
    report.refresh_from_db()
    assert report.state == ReportState.PARKED
    assert "three times" in report.last_error


def test_the_command_writes_each_kind_of_file(tmp_path: Any) -> None:
    award = a_used_award()
    for suffix, begins in ((".pdf", b"%PDF"), (".html", b"<!doctype html>"), (".csv", b'"figure"')):
        target = tmp_path / f"report{suffix}"
        call_command("report", "award", award.account_name, "-o", str(target))
        assert target.read_bytes().startswith(begins)
    with pytest.raises(CommandError, match="no award"):
        call_command("report", "award", "gaaaaaaaa")


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_funder_sees_and_downloads_the_reports_of_own_pools_only() -> None:
    award = a_used_award()
    report = a_report(award)
    mine = client_of(factories.a_funder(award.pool.funder))
    other = client_of(factories.a_funder())
    for name in ("pdf", "html", "csv"):
        path = f"/reports/{report.public_id}.{name}"
        assert mine.get(path).status_code == 200
        assert other.get(path).status_code == 404
        assert client_of(award.application.owner).get(path).status_code == 404
    assert award.pool.call.title in mine.get("/funder/").content.decode()
    assert award.pool.call.title not in other.get("/funder/").content.decode()
    assert client_of(factories.a_user()).get("/funder/").status_code == 404


def test_a_funder_asks_for_a_report_once_with_a_double_click() -> None:
    award = a_used_award()
    mine = client_of(factories.a_funder(award.pool.funder))
    path = f"/funder/calls/{award.pool.call.slug}/report/"
    key = "3f1b3ad6-5f06-4a3a-9a3b-0c9c28ad7b11"
    for _ in range(2):
        assert mine.post(path, {"once": key}).status_code == 302
    assert Report.objects.count() == 1
    assert client_of(factories.a_funder()).post(path).status_code == 404


def test_no_private_word_is_in_a_report() -> None:
    award = a_used_award()
    application = award.application
    application.contact_phone, application.known_reviewers = "SECRETPHONE", "SECRETNAME"
    application.save()
    report = a_report(award)
    told = [words_of(report), reports.as_html(report, is_paper=False), reports.as_csv(report).decode()]
    private = ["SECRETPHONE", "SECRETNAME", application.owner.email, application.problem]
    assert not [(word, text[:40]) for word in private for text in told if word in text]
