"""Every page of the demo in a browser, narrow and wide: axe finds nothing, and nothing scrolls sideways."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import resolve
from django.utils import timezone
from playwright.sync_api import Page

from grants import applications
from grants.questions import QUESTIONS
from portal import demo
from portal.access import PAGES
from tests import factories, screens
from tests.journeys.conftest import Window

# Pages look the same on every database, so this runs once.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.pure]

WIDE_ENOUGH = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = "rules => axe.run({runOnly: rules, resultTypes: ['violations']}).then(found => found.violations)"


@pytest.fixture
def everything(site: str, settings: Any) -> str:
    """The demo, and what a person would begin in it, on the test's own server."""
    settings.IS_DEMO = True
    demo.load(now=timezone.now(), slurm=None)
    screens.load_what_the_demo_leaves_open()
    return site


def test_nothing_is_wrong_with_any_page(everything: str, window: Window) -> None:
    windows: dict[str, Page] = {}
    wrong = []
    for role, name, path in screens.pages():
        if role not in windows:
            # The page's own policy would keep axe out.
            windows[role] = window(screens.person_of(role), bypass_csp=True)
        page = windows[role]
        answer = page.goto(everything + path)
        if answer is None or answer.status != screens.status_of(name):
            wrong.append(f"{name}: answers {answer and answer.status}")
        wrong += [f"{name}: {each}" for each in faults(page)]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_wrong_with_a_page_that_asks_to_mend_an_answer(site: str, window: Window) -> None:
    owner = factories.a_user("applicant")
    call = factories.an_open_call()
    draft = applications.begin(call=call, user=owner, language="en", now=timezone.now())
    page, wrong, asked = window(owner, bypass_csp=True), [], 0
    for number in range(1, len(QUESTIONS) + 1):
        page.goto(f"{site}/applications/{draft.public_id}/q/{number}/")
        with page.expect_navigation():
            page.get_by_role("button", name="Save and continue").click()
        if page.title().startswith("Error"):
            asked += 1
            wrong += [f"question {number}: {each}" for each in faults(page)]
    assert not wrong, "\n".join(wrong)
    assert asked == len(QUESTIONS) - 2, "only the goal and what was done so far may be left open"


def faults(page: Page) -> Iterator[str]:
    """What is wrong with the page as it stands, at each width."""
    page.evaluate(Axe().axe_script)
    for width in screens.WIDTHS:
        page.set_viewport_size({"width": width, "height": screens.HEIGHT})
        if not page.evaluate(WIDE_ENOUGH):
            yield f"{width} px: scrolls sideways"
        for fault in page.evaluate(AXE, RULES):
            places = "; ".join(node["html"][:160] for node in fault["nodes"][:3])
            yield f"{width} px: {fault['id']} ({fault['help']}), {len(fault['nodes'])} times: {places}"


def test_no_page_of_the_site_is_left_out(everything: str) -> None:
    looked_at = {resolve(path.partition("?")[0]).view_name for _, path in named_paths()}
    assert PAGES.keys() - looked_at == screens.WITHOUT_LOOKS


def named_paths() -> list[tuple[str, str]]:
    return [(name, path) for _, name, path in screens.pages() if name != screens.NOT_FOUND]
