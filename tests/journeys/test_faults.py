"""What goes wrong for an applicant, in a browser: nothing typed is lost, nothing is done twice, the reason is said."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from grants.models import Application, Call, Receipt, State
from portal.lib.dates import parse_zone, say_instant
from portal.models import Mail
from tests import factories
from tests.journeys import people
from tests.journeys.conftest import Window

pytestmark = pytest.mark.django_db(transaction=True)
ZONE = "America/Bogota"
# Quotation marks, markup, a script from right to left, a combining accent and a face: what a form loses first.
AWKWARD = "O'Brien said “<b>no</b>” & left; مياه نظيفة; Ka\u0308se \U0001f33e "


@pytest.fixture
def draft(site: str) -> Application:
    return factories.a_draft(owner=factories.a_user("applicant", zone=ZONE))


def question(page: Page, site: str, draft: Application, number: int) -> None:
    page.goto(f"{site}/applications/{draft.public_id}/q/{number}/")


def check_page(page: Page, site: str, draft: Application) -> None:
    page.goto(f"{site}/applications/{draft.public_id}/check/")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save and continue").click()


def test_a_form_that_fails_keeps_every_character(site: str, window: Window, draft: Application) -> None:
    page, typed = window(draft.owner, width=360), AWKWARD * 60
    question(page, site, draft, 2)
    page.get_by_label("What problem, for whom, where?").fill(typed)
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("too long. Shorten it to 2000.")
    expect(page.get_by_label("What problem, for whom, where?")).to_have_value(typed)
    draft.refresh_from_db()
    assert "Sylheti" in draft.problem


def test_a_form_names_the_field_and_the_remedy(site: str, window: Window, draft: Application) -> None:
    page = window(draft.owner, width=360)
    question(page, site, draft, 6)
    page.get_by_label("Hours you ask for").fill("60")
    page.get_by_label("Least that would still help").fill("1,100.5")
    save(page)
    remedy = "The smallest useful amount (1,100.5 h) is larger than the ask (60 h). Change one of them."
    page.get_by_role("alert").get_by_role("link", name=remedy).click()
    least = page.get_by_label("Least that would still help")
    expect(least).to_be_focused()
    expect(least).to_have_value("1,100.5")
    expect(least).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Hours you ask for")).to_have_value("60")
    assert page.title().startswith("Error")


def test_two_windows_show_both_answers_and_lose_none(site: str, window: Window, draft: Application) -> None:
    first, second = window(draft.owner, width=360), window(draft.owner, width=360)
    for page in (first, second):
        question(page, site, draft, 7)
    for page, words in ((first, "Sixty hours of recordings."), (second, "A model on a laptop.")):
        page.get_by_label("What have you done so far?").fill(words)
        save(page)
    expect(second.get_by_role("heading", name="This answer was changed meanwhile")).to_be_visible()
    expect(second.get_by_role("alert")).to_contain_text("Sixty hours of recordings.")
    expect(second.get_by_label("What have you done so far?")).to_have_value("A model on a laptop.")
    draft.refresh_from_db()
    assert draft.done_so_far == "Sixty hours of recordings."
    second.get_by_role("button", name="Save what I typed").click()
    expect(second.get_by_role("heading", name="Whose data is it")).to_be_visible()
    draft.refresh_from_db()
    assert draft.done_so_far == "A model on a laptop."


def test_a_double_click_on_send_makes_one_receipt_and_one_mail(
    site: str, window: Window, draft: Application
) -> None:
    page = window(draft.owner, width=360)
    check_page(page, site, draft)
    page.get_by_role("button", name="Send").dblclick()
    expect(page.get_by_role("heading", name="Receipt 0001")).to_be_visible()
    assert Receipt.objects.filter(application=draft).count() == 1
    assert Mail.objects.filter(to_address=draft.owner.email, key__startswith="received:").count() == 1


def test_going_back_and_sending_again_shows_the_same_receipt(
    site: str, window: Window, draft: Application
) -> None:
    page, twin = window(draft.owner), window(draft.owner)
    for each in (page, twin):
        check_page(each, site, draft)
    for each in (page, twin):
        each.get_by_role("button", name="Send").click()
        expect(each.get_by_role("heading", name="Receipt 0001")).to_be_visible()
    expect(twin.get_by_role("alert")).to_contain_text("This application was sent before.")
    assert Receipt.objects.filter(application=draft).count() == 1


def test_a_late_send_is_refused_with_the_closing_instant_in_the_own_zone(
    site: str, window: Window, draft: Application
) -> None:
    page = window(draft.owner, width=360)
    check_page(page, site, draft)
    # The call closes between the page and the click; its dates move, for the clock cannot.
    closed_at = timezone.now() - timedelta(seconds=1)
    Call.objects.update(closes_at=closed_at)
    page.get_by_role("button", name="Send").click()
    said = f"The call closed on {say_instant(closed_at, parse_zone(ZONE))}. Nothing was sent or changed"
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_role("button", name="Send")).to_have_count(0)
    draft.refresh_from_db()
    assert draft.state == State.DRAFT
    assert not Receipt.objects.exists()


def test_an_answer_that_comes_too_late_still_stands_on_the_page(
    site: str, window: Window, draft: Application
) -> None:
    page = window(draft.owner, width=360)
    question(page, site, draft, 2)
    page.get_by_label("What problem, for whom, where?").fill(AWKWARD)
    Call.objects.update(closes_at=timezone.now() - timedelta(seconds=1))
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("The call closed on")
    expect(page.get_by_label("What problem, for whom, where?")).to_have_value(AWKWARD)


def test_somebody_elses_application_is_not_there(site: str, window: Window, draft: Application) -> None:
    page = window(factories.a_user("stranger"))
    answer = page.goto(f"{site}/applications/{draft.public_id}/check/")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is no page here for you")).to_be_visible()


def test_the_second_chair_is_told_that_the_run_is_approved(site: str, window: Window) -> None:
    run = factories.a_proposed_run()
    other = factories.a_chair()
    run.call.chairs.add(other)
    first, second = window(run.call.chairs.exclude(pk=other.pk).get()), window(other)
    for page in (first, second):
        page.goto(f"{site}/admin/allocation/allocationrun/{run.pk}/change/")
    first.get_by_role("button", name="Approve the run").click()
    expect(first.get_by_role("button", name="Release the decisions")).to_be_visible()
    second.get_by_role("button", name="Approve the run").click()
    expect(second.get_by_text(re.compile("approved", re.I)).first).to_be_visible()
    expect(second.get_by_role("button", name="Approve the run")).to_have_count(0)
    run.refresh_from_db()
    assert run.state == "approved"


def test_the_way_to_the_receipt_needs_no_javascript(site: str, window: Window, settings: Any) -> None:
    call = factories.an_open_call()
    page = window(width=360, java_script_enabled=False)
    people.sign_up(page, site, "plain@example.org")
    people.apply(page, site, call.title)
    receipt = Receipt.objects.get(application__owner__email="plain@example.org")
    expect(page.get_by_text(receipt.sha256).first).to_be_visible()
