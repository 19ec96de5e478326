"""The whole way in a browser: from the sign-up to the funder's report, with the real worker beside it."""

import csv
import io
import json
import re
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import F, Sum
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from allocation.models import Award, Balance, Cluster, Report, Reservation, UsageRecord
from grants.models import Application, Call, Pool, Receipt
from portal import queue
from portal.lib.hours import say_hours
from portal.models import Mail, MailState
from tests import factories
from tests.journeys import people
from tests.journeys.conftest import Window
from tests.worker import eventually

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "amina@example.org"
CALL = "Voices and fields"
SIMULATED = '{"nodes": [{"name": "sim1", "gpu_type": "a100", "gpus": 4}]}'
INSTANTS = (
    "published_at",
    "opens_at",
    "closes_at",
    "scoring_ends_at",
    "decides_at",
    "award_starts_at",
    "award_ends_at",
)


def days_pass(days: float) -> None:
    """Moves what is dated into the past, past the stage functions: weeks have to go by on this way, and the clock
    that a browser, a server and a worker share cannot be moved. The ledger stays: nothing can move it."""
    back = timedelta(days=days)
    Call.objects.update(**{name: F(name) - back for name in INSTANTS})
    for slot in Reservation.objects.order_by("starts_at"):
        Reservation.objects.filter(pk=slot.pk).update(
            starts_at=slot.starts_at - back, ends_at=slot.ends_at - back
        )
    for file in (path for path in (settings.DATA_DIR / "simulated").glob("*.json") if path.is_file()):
        world = json.loads(file.read_text())
        for dated in (*world["slots"], *world["jobs"]):
            for name in ("starts_at", "ends_at"):
                dated[name] = (datetime.fromisoformat(dated[name]) - back).isoformat()
        file.write_text(json.dumps(world))


@pytest.mark.usefixtures("worker")
def test_from_sign_up_to_the_funders_report(site: str, window: Window) -> None:
    funder, reviewers = factories.a_funder(), [factories.a_reviewer(), factories.a_reviewer()]
    factories.a_gpu_type()
    chair, applicant = window(factories.a_chair()), window(width=360)

    people.make_call(chair, site, title=CALL, funder=funder.funder_seats.get().funder.name)
    days_pass(0.02)
    people.sign_up(applicant, site, EMAIL)
    people.apply(applicant, site, CALL)
    receipt_is_true(applicant)
    people.change_what_was_done(applicant, "Fifty hours of recordings.")
    change_has_a_receipt_of_its_own()

    days_pass(11)
    people.assign(chair, site, [reviewer.email for reviewer in reviewers])
    for reviewer in reviewers:
        people.review(window(reviewer), site, points=4)
    days_pass(15)
    people.decide(chair, site)
    pool = str(Pool.objects.get().pk)
    call_command("attach", "box", "--kind", "simulated", "--with", SIMULATED, "--pool", pool)
    people.accept(applicant, site)
    slots_show(applicant)
    use_shows_exactly(applicant)
    report_is_true(window(funder), site)
    eventually(lambda: not Mail.objects.exclude(state=MailState.SENT).exists())
    call_command("audit", "verify")


def receipt_is_true(page: Page) -> None:
    receipt, sent = Receipt.objects.get(), Application.objects.get()
    expect(page.get_by_text(receipt.sha256).first).to_be_visible()
    assert (sent.ask_gpu_seconds, sent.minimum_gpu_seconds) == (120 * 3600, 60 * 3600)
    eventually(lambda: Mail.objects.filter(to_address=EMAIL, body__contains=receipt.sha256).count() == 1)


def change_has_a_receipt_of_its_own() -> None:
    first, second = Receipt.objects.order_by("sequence")
    assert Application.objects.get().done_so_far == "Fifty hours of recordings."
    assert first.sha256 != second.sha256


def slots_show(page: Page) -> None:
    """The worker alone makes the account, plans the time and reserves it; the page says that nothing of it is real."""
    eventually(lambda: Award.objects.filter(state="active").exists())
    eventually(lambda: set(Reservation.objects.values_list("state", flat=True)) == {"placed"})
    slots = Reservation.objects.values("slot_name").distinct().count()
    page.reload()
    expect(page.get_by_role("row").filter(has_text="placed")).to_have_count(slots)
    expect(page.get_by_text("This cluster is simulated: no job runs on it").first).to_be_visible()


def use_shows_exactly(page: Page) -> None:
    """The slots pass; what the worker does every few minutes meters their jobs to the second."""
    days_pass(4)
    queue.defer("allocation.tasks.tend_cluster", Cluster.objects.get().pk)
    eventually(lambda: UsageRecord.objects.exists())
    used = UsageRecord.objects.aggregate(sum=Sum("gpu_seconds"))["sum"]
    assert used == Balance.objects.get(account="used").gpu_seconds > 0
    page.reload()
    expect(page.get_by_text(say_hours(used)).first).to_be_visible()


def told() -> dict[str, int]:
    """What the database says about the call."""
    award = Award.objects.get()
    return {
        "offered": Pool.objects.get().gpu_seconds,
        "asked": Application.objects.get().ask_gpu_seconds or 0,
        "awarded": award.gpu_seconds,
        "used": Balance.objects.get(account="used").gpu_seconds,
    }


def report_is_true(page: Page, site: str) -> None:
    """The funder asks for a report, waits and downloads it: paper, page and table say what the database says."""
    page.goto(f"{site}/my/")
    page.get_by_role("link", name="Ministry").click()
    page.get_by_role("button", name=re.compile(f"Make a report.*{CALL}")).click()
    eventually(lambda: Report.objects.filter(state="ready").exists())
    page.reload()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="PDF").click()
    paper = " ".join(sheet.extract_text() for sheet in PdfReader(downloading.value.path()).pages)
    table = figures_of_csv(page.request.get(f"{site}/reports/{Report.objects.get().public_id}.csv").text())
    page.get_by_role("link", name="page", exact=True).click()
    screen = page.get_by_role("main").inner_text()
    for name, gpu_seconds in told().items():
        assert int(table[f"gpu_seconds.{name}"]) == gpu_seconds
        assert say_hours(gpu_seconds) in screen, f"{name} is not on the page"
        assert say_hours(gpu_seconds) in re.sub(r"\s+", " ", paper), f"{name} is not on paper"
    for text in (paper, screen, *table.values()):
        assert EMAIL not in text
        assert "1700 000000" not in text


def figures_of_csv(text: str) -> dict[str, str]:
    return {row[0]: row[1] for row in csv.reader(io.StringIO(text)) if len(row) == 2}
