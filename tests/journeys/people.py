"""What each role does in the browser, found by the words that stand on the pages. Each ends on a page it has seen."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from portal.models import Mail
from tests.worker import eventually

CODE = re.compile(r"\b[B-Z]{4}-[B-Z]{4}\b")
TITLE = "A Sylheti speech recogniser for farm helplines"
GROUP = "Surma Voice Circle"


def wall_clock(**away: float) -> str:
    return (datetime.now(UTC) + timedelta(**away)).strftime("%Y-%m-%dT%H:%M")


def sign_up(page: Page, site: str, email: str) -> None:
    """From the first page: signs up with an address only, and types the code that was mailed."""
    page.goto(site)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Sign up with your e-mail address").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    eventually(lambda: Mail.objects.filter(to_address=email).exists())
    found = CODE.search(Mail.objects.filter(to_address=email).latest("pk").body)
    assert found, "the mail holds no code"
    page.get_by_label("Code").fill(found.group())
    page.get_by_role("button", name=re.compile("Confirm|Verify")).click()
    expect(page.get_by_role("heading", name="My page")).to_be_visible()


def make_call(page: Page, site: str, *, title: str, funder: str) -> None:
    """The chair makes a call from the preset, adds a pool and publishes it; it opens in a quarter of an hour."""
    page.goto(f"{site}/admin/grants/call/add/")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Name in the address").fill("voices")
    page.get_by_label("What it is for").fill("Hours for groups that build a model in their own language.")
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


def begin(page: Page, site: str, call: str) -> None:
    """From the first page to the first question."""
    page.goto(site)
    page.get_by_role("link", name="See the open calls").click()
    page.get_by_role("link", name=call).click()
    page.get_by_role("link", name="Apply").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name="What will you make?")).to_be_visible()


def go_on(page: Page, *, to: str) -> None:
    """Saves the answer and arrives at the next question, so that each is really shown."""
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name=to)).to_be_visible()


def pick(page: Page, words: str) -> None:
    page.locator("label.pick").filter(has_text=words).first.click()


def answer_about_the_work(page: Page) -> None:
    """Questions 1 to 5."""
    page.get_by_label("What will you make?").fill(TITLE)
    go_on(page, to="What problem, for whom, where?")
    page.get_by_label("What problem, for whom, where?").fill("Farmers call; nobody understands them.")
    go_on(page, to="Which goal is this mainly for?")
    pick(page, "Zero hunger")
    go_on(page, to="What will change, and how will you know?")
    page.get_by_label("How many?").fill("500")
    page.get_by_label("Of what?").fill("calls answered")
    page.get_by_label("By which month?").select_option(index=6)
    go_on(page, to="What kind of job is it?")
    pick(page, "Speech")
    go_on(page, to="How big is the job?")


def answer_about_the_hours(page: Page) -> None:
    """Questions 6 to 10: asks for 120 hours, in digits of Bengali, and sees an estimate on the way."""
    page.get_by_label("How many hours of audio?").fill("40")
    page.get_by_role("button", name="Work it out").click()
    expect(page.get_by_role("heading", name=re.compile("Ask for"))).to_be_visible()
    page.get_by_label("Hours you ask for").fill("১২০")
    page.get_by_label("Least that would still help").fill("60")
    page.get_by_label("Why so many?").fill("Three runs, each with one repeat for power cuts.")
    go_on(page, to="What have you done so far?")
    page.get_by_label("What have you done so far?").fill("Forty hours of recordings.")
    go_on(page, to="Whose data is it, and may you use it?")
    pick(page, "A community’s data")
    go_on(page, to="What will you share?")
    pick(page, "The model")
    go_on(page, to="When, and how steady are power and internet?")
    page.get_by_label("First month").select_option(index=1)
    page.get_by_label("For how many weeks?").fill("12")
    pick(page, "Cuts most weeks")
    go_on(page, to="Who are you, and how can we reach you?")


def answer_about_themselves(page: Page) -> None:
    """Questions 11 and 12, and on to the check page."""
    page.get_by_label("Country").select_option(label="Bangladesh")
    page.get_by_label("Name of your group").fill(GROUP)
    pick(page, "A community group")
    page.get_by_label("How many people are you?").fill("4")
    page.get_by_label("Phone", exact=True).fill("+880 1700 000000")
    go_on(page, to="Five promises")
    for box in page.get_by_role("checkbox").all():
        box.check()
    go_on(page, to="Check your answers")


def apply(page: Page, site: str, call: str) -> None:
    """Answers all twelve questions of the call, reads them once more and sends them."""
    begin(page, site, call)
    answer_about_the_work(page)
    answer_about_the_hours(page)
    answer_about_themselves(page)
    expect(page.get_by_text("Nothing is sent yet.")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Receipt 0001")).to_be_visible()


def change_what_was_done(page: Page, words: str) -> None:
    """From the receipt: changes one answer of what was sent."""
    page.get_by_role("link", name="See what happens next").click()
    page.get_by_role("link", name="Change answers").click()
    page.get_by_role("link", name=re.compile("Change.*Done so far")).click()
    page.get_by_label("What have you done so far?").fill(words)
    go_on(page, to="Check your answers")
    expect(page.get_by_text(words)).to_be_visible()


def assign(page: Page, site: str, names: list[str]) -> None:
    page.goto(f"{site}/admin/grants/application/")
    page.get_by_role("row").filter(has_text=TITLE).get_by_role("link").first.click()
    page.get_by_role("link", name="Assign reviewers").click()
    for name in names:
        page.get_by_label(name).check()
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("not declared yet")).to_have_count(len(names))


def review(page: Page, site: str, points: int) -> None:
    """Declares, scores every criterion alike, writes both sentences and sends the review."""
    page.goto(f"{site}/my/")
    page.get_by_role("link", name="Open my reviews").click()
    expect(page.get_by_role("heading", name="Your reviews")).to_be_visible()
    expect(page.get_by_text(TITLE)).to_have_count(0)
    page.get_by_role("row").filter(has_text="declare first").get_by_role("link").first.click()
    page.get_by_role("button", name="None that I know of").click()
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(page.get_by_text(GROUP)).to_have_count(0)
    for criterion in page.locator("fieldset.score[data-weight]").all():
        criterion.get_by_role("radio", name=str(points), exact=True).check(force=True)
    page.get_by_label("No harm seen").check()
    page.get_by_label("One strength, for the group to read").fill("Clear chain.")
    page.get_by_label("One thing to mend, for the group to read").fill("Say who keeps it running.")
    page.get_by_role("button", name="Send the review").click()
    expect(page.get_by_text("Its scores are locked.")).to_be_visible()


def decide(page: Page, site: str) -> None:
    """Freezes the ranking, proposes, approves and releases."""
    page.goto(f"{site}/admin/allocation/ranking/add/")
    page.get_by_role("button", name="Freeze the ranking").click()
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("Whole ask.")).to_be_visible()
    page.get_by_role("button", name="Approve the run").click()
    page.get_by_role("button", name="Release the decisions").click()
    expect(page.get_by_role("link", name="The public page")).to_be_visible()


def accept(page: Page, site: str) -> None:
    """Finds the decision on the own page, reads it and takes the hours."""
    page.goto(f"{site}/my/")
    page.get_by_role("link", name=TITLE).click()
    page.get_by_role("link", name=re.compile("Open.*Decision")).click()
    expect(page.get_by_role("heading", name="You get 120 hours")).to_be_visible()
    expect(page.get_by_text("Say who keeps it running.").first).to_be_visible()
    page.get_by_role("link", name="See the offer and accept").click()
    page.get_by_role("button", name="Accept the hours").click()
    expect(page.get_by_role("heading", name="Your slots")).to_be_visible()
