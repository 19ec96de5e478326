"""The site as people meet it: a live server on the test's database, the real worker, a browser for each person."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from portal.accounts import make_sign_in_link
from portal.models import User
from tests.worker import running_worker

Window = Callable[..., Page]
PATIENCE_MS = 30_000  # a machine that does much else is slow, not wrong
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def site(live_server: Any, settings: Any) -> str:
    settings.STAFF_NEEDS_MFA = False
    settings.ALLOWED_HOSTS = ["*"]
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    call_command("createcachetable", verbosity=0)
    return str(live_server.url)


@pytest.fixture
def worker(site: str) -> Iterator[Any]:
    with running_worker() as process:
        yield process


@pytest.fixture
def window(browser: Browser, site: str) -> Iterator[Window]:
    """`window(user, width=360)`: a browser for one person, signed in by a link; without a user, for a visitor."""
    contexts = []

    def opened(user: User | None = None, *, width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        if user is not None:
            page.goto(site + make_sign_in_link(user=user, now=timezone.now()))
        return page

    yield opened
    for context in contexts:
        context.close()
