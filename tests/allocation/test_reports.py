"""Reports: figures equal to the database, the same bytes from the same data, parked after three failures."""

import csv
import hashlib
import io
import re
import tomllib
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pypdf import PdfReader

from allocation import figures, figures_award, ledger, report_parts, report_words, reports
from allocation.models import Account, Award, Balance, Report, ReportState
from grants.models import Application, Review
from portal.lib import pdf
from portal.lib.hours import say_hours
from portal.models import Mail, User
from tests import factories
from tests.allocation.killing import KilledError
from tests.bench.pages import add_copies
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
    report = a_report(award, "award")
    words = words_of(report)
    assert len(PdfReader(io.BytesIO(bytes(report.pdf or b""))).pages) == 1
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


def test_a_report_whose_worker_is_killed_in_a_try_is_made_by_the_next(monkeypatch: Any) -> None:
    """The kill comes when the try is counted and nothing is drawn yet."""
    report = a_report(a_used_award())
    before = bytes(report.pdf or b"")
    spoil(report)

    def killed(html: str) -> bytes:
        raise KilledError

    report.refresh_from_db()
    monkeypatch.setattr(reports, "render_pdf", killed)
    with pytest.raises(KilledError):
        reports.make(report=report, now=timezone.now())
    monkeypatch.undo()
    report.refresh_from_db()
    assert (report.state, report.attempts, report.pdf) == (ReportState.MAKING, 1, None)
    reports.make(report=report, now=timezone.now())
    report.refresh_from_db()
    assert (report.state, report.attempts, bytes(report.pdf or b"")) == (ReportState.READY, 2, before)


def test_a_report_left_behind_is_given_to_the_worker_again() -> None:
    report = a_report(a_used_award())
    spoil(report)
    OrmQ.objects.all().delete()
    late = report.state_since + reports.STUCK_AFTER
    assert reports.take_up(now=late) == 0
    assert reports.take_up(now=late + timedelta(seconds=1)) == 1
    assert [task.func() for task in OrmQ.objects.all()] == [reports.TASK]


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
    assert "Three tries" in report.last_error


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


HIDDEN = (
    "problem",
    "ask_reason",
    "done_so_far",
    "shares_why",
    "contact_phone",
    "known_reviewers",
    "state_reason",
)


@pytest.mark.parametrize("kind", ["call", "award"])
def test_no_answer_but_the_promise_reaches_a_report(kind: str) -> None:
    award = a_used_award()
    hidden = {name: f"Canary-{name}" for name in HIDDEN} | {"contact_email": "canary@example.org"}
    Application.objects.filter(pk=award.application_id).update(
        **hidden, group_kind="person", group_name="Canary-Jane-Doe"
    )
    Review.objects.update(strength="Canary-strength", fix="Canary-fix", harm_note="Canary-harm")
    award = Award.objects.get(pk=award.pk)
    report = a_report(award, kind)
    people = User.objects.exclude(email="").values_list("email", flat=True)
    for told in (words_of(report), reports.as_html(report, is_paper=False), reports.as_csv(report).decode()):
        assert "Individual recipient" in told
        assert "canary" not in told.lower()
        assert not [email for email in people if email in told]


def test_a_report_says_the_recipient_in_the_readers_language_not_the_askers() -> None:
    award = a_used_award()
    Application.objects.filter(pk=award.application_id).update(group_kind="person")
    report = a_report(Award.objects.get(pk=award.pk), "award")
    assert report.data["award"]["group"] == figures_award.INDIVIDUAL


def test_few_applications_that_were_not_funded_are_put_together() -> None:
    call = factories.a_scored_call(points=(5,))
    for country in ("UY", "KE"):
        factories.an_application(call=call, country=country, group_kind="school")
    late = factories.after_the_close(call, days=9)
    told = figures.for_call(call, late)
    assert [(row["country"], row["applications"]) for row in told["by_country"]] == [(figures.OTHERS, 3)]
    assert [(row["kind"], row["applications"]) for row in told["by_kind"]] == [(figures.OTHERS, 3)]


def test_scores_are_shown_only_where_they_are_many() -> None:
    for points, shown in (((5, 4, 3, 4), 0), ((5, 4, 3, 4, 5), 5)):
        run = factories.a_released_run(factories.a_scored_call(points=points))
        told = figures.for_call(run.call, factories.after_the_close(run.call, days=12))
        assert sum(row["applications"] for row in told["scores"]) == shown


def test_an_award_without_a_goal_stands_beside_the_bars_and_in_the_sums() -> None:
    award = a_used_award()
    Application.objects.filter(pk=award.application_id).update(sdg_main=None, sdg_others=[])
    report = a_report(award)
    assert "named no main goal" in words_of(report)
    assert sum(row["awarded"] for row in report.data["by_goal"]) == report.data["gpu_seconds"]["awarded"]


def test_weeks_without_use_stand_as_zero_up_to_the_cut_off() -> None:
    award = a_used_award()
    cutoff = award.accepted_at + timedelta(weeks=30)
    told = figures_award.for_award(award, cutoff)
    weeks = [week["used"] for week in told["use_by_week"]]
    assert len(weeks) in (31, 32)
    assert weeks[0] == sum(weeks) == 30 * HOUR
    chart = report_parts.use_section(told, awarded=award.gpu_seconds).chart
    assert chart is not None
    assert len(chart.data) <= report_parts.MOST_BARS
    assert chart.data[-1].value == 30 * HOUR


def test_hours_of_a_simulated_cluster_are_called_so() -> None:
    made = a_report(a_used_award())
    assert "simulated" not in words_of(made)
    told = made.data | {"simulated_used": made.data["gpu_seconds"]["used"]}
    assert "no real cluster" in " ".join(report_words.report(told, made.digest).sentences)
    assert "30 of the hours" not in " ".join(report_parts.simulated(told))
    assert (
        "10 of the hours used are simulated"
        in report_parts.simulated(told | {"simulated_used": 10 * HOUR})[0]
    )


def test_the_digest_is_that_of_the_figures_as_stored() -> None:
    report = a_report(a_used_award())
    stored = Report.objects.get(pk=report.pk)
    assert hashlib.sha256(reports.canonical(stored.data)).hexdigest() == stored.digest


def test_the_software_named_in_a_report_is_this_one() -> None:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"Openhours {project['version']}" == figures_award.SOFTWARE


def test_who_asked_is_told_once_when_the_report_is_ready() -> None:
    award = a_used_award()
    asker = factories.a_funder(award.pool.funder)
    now = award.accepted_at + timedelta(days=1)
    report = reports.request(kind="call", subject=award.pool.call, by=asker, language="en", now=now)
    assert not Mail.objects.filter(to_address=asker.email).exists()
    for _ in range(2):
        report.refresh_from_db()
        reports.make(report=report, now=now)
    mails = Mail.objects.filter(to_address=asker.email)
    assert [mail.subject for mail in mails] == [f"The report on “{award.pool.call.title}” is ready"]
    assert f"/reports/{report.public_id}.pdf" in mails[0].body


def test_a_call_costs_the_same_queries_for_1_and_for_30(django_assert_num_queries: Any) -> None:
    award = a_used_award()
    call, counts = award.pool.call, []
    for more in (0, 29):
        add_copies({"award": award}, more)
        with django_assert_num_queries(20, exact=False) as queries:
            told = figures.for_call(call, award.accepted_at + timedelta(days=1))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert len(told["awards"]) >= 30
