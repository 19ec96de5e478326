"""The whole way in a browser: from the sign-up to the funder's PDF, with the real worker beside it."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F, Sum
from django.utils import timezone
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from allocation.models import Award, Balance, Report, Reservation, UsageRecord
from grants.models import Application, Call, Receipt
from portal.lib.hours import say_hours
from portal.models import Mail, User
from tests import factories
from tests.journeys import people
from tests.worker import eventually

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "amina@example.org"
HOUR = 3600


def shift_call(**back: float) -> None:
    """Moves every instant of the call into the past: the clock itself cannot be moved for a browser and a worker."""
    by = timedelta(**back)
    names = (
        "published_at",
        "opens_at",
        "closes_at",
        "scoring_ends_at",
        "decides_at",
        "award_starts_at",
        "award_ends_at",
    )
    Call.objects.update(**{name: F(name) - by for name in names})


def test_from_sign_up_to_the_funders_report(site: str, worker: Any, window: Any) -> None:
    chair, funder, reviewers = (
        factories.a_chair(),
        factories.a_funder(),
        [factories.a_reviewer() for _ in range(2)],
    )
    factories.a_gpu_type()
    body = funder.funder_seats.get().funder
    desk = window(chair)
    people.make_call(desk, site, funder=body.name)
    shift_call(days=0.02)

    phone = window(width=360)
    people.sign_up(phone, site, EMAIL)
    people.apply(phone, site)
    phone.get_by_role("button", name="Send").click()
    receipt_is_true(phone)
    change_an_answer(phone)

    shift_call(days=11)
    people.assign(desk, site, [user.email for user in reviewers])
    for reviewer in reviewers:
        people.review(window(reviewer), site, 4)
    shift_call(days=15)
    people.decide(desk, site)

    call_command(
        "attach", "box", "--kind", "simulated", "--with", SIMULATED, "--pool", str(pool_of_the_call())
    )
    hours_arrive(phone, site)
    figures_of_the_report_are_true(window(funder), site)
    eventually(lambda: Mail.objects.filter(to_address=EMAIL, state="sent").count() >= 3)
    call_command("audit", "verify")


SIMULATED = '{"nodes": [{"name": "sim1", "gpu_type": "a100", "gpus": 4}]}'


def pool_of_the_call() -> int:
    return Call.objects.get().pools.get().pk


def receipt_is_true(page: Page) -> None:
    expect(page.get_by_role("heading", name="Receipt 0001")).to_be_visible()
    receipt = Receipt.objects.get()
    expect(page.get_by_text(receipt.sha256).first).to_be_visible()
    assert Application.objects.get().ask_gpu_seconds == 120 * HOUR
    eventually(lambda: Mail.objects.filter(to_address=EMAIL, body__contains=receipt.sha256).count() == 1)


def change_an_answer(page: Page) -> None:
    """What is changed before the close counts at once and makes a receipt of its own."""
    page.get_by_role("link", name="See what happens next").click()
    expect(page.get_by_role("heading", name=people.DETAILS)).to_be_visible()
    application = Application.objects.get()
    page.goto(page.url + "q/7/?back=check")
    page.get_by_label("What have you done so far?").fill("Fifty hours of recordings.")
    page.get_by_role("button", name=re.compile("Save")).click()
    eventually(lambda: Receipt.objects.count() == 2)
    application.refresh_from_db()
    assert application.done_so_far == "Fifty hours of recordings."


def hours_arrive(page: Page, site: str) -> None:
    """The applicant reads the decision and accepts; the worker plans, places and meters; the page shows it exactly."""
    application = Application.objects.get()
    page.goto(f"{site}/applications/{application.public_id}/decision/")
    expect(page.get_by_role("heading", name="You get 120 hours")).to_be_visible()
    page.get_by_role("link", name="See the offer and accept").click()
    page.get_by_role("button", name="Accept the hours").click()
    eventually(lambda: Award.objects.filter(state="active").exists())
    eventually(lambda: Reservation.objects.filter(state="placed").exists())
    page.reload()
    expect(page.get_by_text("placed").first).to_be_visible()
    expect(page.get_by_text("simulated").first).to_be_visible()
    jobs_run()
    used = UsageRecord.objects.aggregate(sum=Sum("gpu_seconds"))["sum"]
    assert used == Balance.objects.get(account="used").gpu_seconds > 0
    page.reload()
    expect(page.get_by_text(say_hours(used)).first).to_be_visible()


def jobs_run() -> None:
    """Two days later, as far as the simulated cluster knows: it runs by the instant that it is given."""
    from allocation import reservations, usage
    from allocation.models import Cluster

    cluster, later = Cluster.objects.get(), timezone.now() + timedelta(days=2)
    reservations.reconcile(cluster=cluster, now=later)
    usage.meter(cluster=cluster, now=later)


def figures_of_the_report_are_true(page: Page, site: str) -> None:
    Report.objects.all().delete()
    page.goto(f"{site}/funder/")
    page.get_by_role("button", name="Make a report").click()
    eventually(lambda: Report.objects.filter(state="ready").exists())
    page.reload()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="PDF").click()
    pages = PdfReader(downloading.value.path()).pages
    words = re.sub(r"\s+", " ", " ".join(sheet.extract_text() for sheet in pages))
    call = Call.objects.get()
    told = {
        "offered": call.pools.aggregate(sum=Sum("gpu_seconds"))["sum"],
        "asked": Application.objects.aggregate(sum=Sum("ask_gpu_seconds"))["sum"],
        "awarded": Award.objects.aggregate(sum=Sum("gpu_seconds"))["sum"],
    }
    report = Report.objects.get()
    answer = page.request.get(f"{site}/reports/{report.public_id}.csv")
    rows = dict(list(csv.reader(io.StringIO(answer.text())))[1:])
    for name, gpu_seconds in told.items():
        assert say_hours(gpu_seconds) in words
        assert int(rows[f"gpu_seconds.{name}"]) == gpu_seconds
    assert "Ministry" in words
    assert User.objects.get(email=EMAIL).email not in words
