"""What each role does in the browser, in the words that stand on the pages."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from portal.models import Mail
from tests.worker import eventually

CODE = re.compile(r"\b[B-Z]{4}-[B-Z]{4}\b")
DETAILS = "A Sylheti speech recogniser for farm helplines"


def wall_clock(**away: float) -> str:
    return (datetime.now(UTC) + timedelta(**away)).strftime("%Y-%m-%dT%H:%M")


def sign_up(page: Page, site: str, email: str) -> None:
    """Signs up with an address only, and types the code that was mailed."""
    page.goto(f"{site}/accounts/signup/")
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    eventually(lambda: Mail.objects.filter(to_address=email).exists())
    found = CODE.search(Mail.objects.filter(to_address=email).latest("pk").body)
    assert found, "the mail holds no code"
    page.get_by_label("Code").fill(found.group())
    page.get_by_role("button", name=re.compile("Confirm|Verify")).click()
    expect(page.get_by_role("heading", name="My page")).to_be_visible()


def make_call(page: Page, site: str, *, funder: str) -> None:
    """The chair makes a call from the preset, adds a pool and publishes it; it opened a minute ago."""
    page.goto(f"{site}/admin/grants/call/add/")
    page.get_by_label("Title").fill("Voices and fields")
    page.get_by_label("Name in the address").fill("voices")
    page.get_by_label("What it is for").fill(
        "Hours for small groups that build a model in their own language."
    )
    page.get_by_label("Time zone of the dates").fill("UTC")
    days = {"Opens": 0.01, "Closes": 10, "Scores are due": 17, "Decisions are due": 24, "Hours start": 25}
    for label, number in {**days, "Hours end": 115}.items():
        page.get_by_label(label, exact=True).fill(wall_clock(days=number))
    page.get_by_label("Largest ask, in hours").fill("500")
    page.get_by_role("button", name="Make the call").click()
    page.get_by_role("link", name="Add a pool").click()
    page.get_by_label("Funder").select_option(label=funder)
    page.get_by_label("GPU").select_option(index=1)
    page.get_by_label("Hours", exact=True).fill("400")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("State: announced")).to_be_visible()


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Save and continue").click()


def pick(page: Page, words: str) -> None:
    page.locator("label.pick").filter(has_text=words).first.click()


def apply(page: Page, site: str) -> None:
    """Answers all twelve questions of the call and arrives on the check page."""
    page.goto(f"{site}/calls/voices/")
    page.get_by_role("link", name="Apply").click()
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("What will you make?").fill(DETAILS)
    go_on(page)
    page.get_by_label("What problem, for whom, where?").fill(
        "Farmers call a helpline that cannot understand them."
    )
    go_on(page)
    pick(page, "Zero hunger")
    go_on(page)
    page.get_by_label("How many?").fill("500")
    page.get_by_label("Of what?").fill("calls answered")
    page.get_by_label("By which month?").select_option(index=6)
    go_on(page)
    pick(page, "Speech")
    go_on(page)
    page.get_by_label("Hours you ask for").fill("১২০")
    page.get_by_label("Least that would still help").fill("60")
    if page.get_by_label("Why so many?").count():
        page.get_by_label("Why so many?").fill("Three runs, each with one repeat for power cuts.")
    go_on(page)
    page.get_by_label("What have you done so far?").fill("Forty hours of recordings.")
    go_on(page)
    pick(page, "A community’s data")
    go_on(page)
    pick(page, "The model")
    go_on(page)
    page.get_by_label("First month").select_option(index=1)
    page.get_by_label("For how many weeks?").fill("12")
    pick(page, "Cuts most weeks")
    go_on(page)
    who_and_promises(page)
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()


def who_and_promises(page: Page) -> None:
    page.get_by_label("Country").select_option(label="Bangladesh")
    page.get_by_label("Name of your group").fill("Surma Voice Circle")
    pick(page, "A community group")
    page.get_by_label("How many people are you?").fill("4")
    page.get_by_label("Phone", exact=True).fill("+880 1700 000000")
    go_on(page)
    for box in page.get_by_role("checkbox").all():
        box.check()
    go_on(page)


def assign(page: Page, site: str, names: list[str]) -> None:
    page.goto(f"{site}/admin/grants/application/")
    page.get_by_role("row").filter(has_text=DETAILS).get_by_role("link").first.click()
    page.get_by_role("link", name="Assign reviewers").click()
    for name in names:
        page.get_by_label(name).check()
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text(re.compile("assigned|given|reviewer", re.I)).first).to_be_visible()


def review(page: Page, site: str, points: int) -> None:
    """Declares, scores every criterion alike, writes both sentences and sends the review."""
    page.goto(f"{site}/admin/grants/assignment/")
    page.locator("#result_list a").first.click()
    page.get_by_role("button", name="None that I know of").click()
    assert "Surma Voice Circle" not in page.content()
    for criterion in page.locator("fieldset.score[data-weight]").all():
        criterion.get_by_role("radio", name=str(points), exact=True).check(force=True)
    page.get_by_label("No harm seen").check()
    page.get_by_label("One strength, for the group to read").fill("Clear chain.")
    page.get_by_label("One thing to mend, for the group to read").fill("Say who keeps it running.")
    page.get_by_role("button", name="Send the review").click()
    expect(page.get_by_text("locked").first).to_be_visible()


def decide(page: Page, site: str) -> None:
    """Freezes the ranking, proposes, approves and releases."""
    page.goto(f"{site}/admin/allocation/ranking/add/")
    page.get_by_role("button", name="Freeze the ranking").click()
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("Whole ask.")).to_be_visible()
    page.get_by_role("button", name="Approve the run").click()
    page.get_by_role("button", name="Release the decisions").click()
    expect(page.get_by_text("The public page")).to_be_visible()
