"""The workroom as a whole: each role finds its own lists and nobody sees past the table."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from grants import calls
from grants.models import Application, Assignment
from portal.admin_base import VisibleAdmin
from portal.models import AuditEntry, User
from tests import factories as make
from tests.grants.workroom import (
    application_path,
    call_path,
    client_of,
    page,
    post,
    review_path,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_second_factor")]


LISTS = {
    "chair": {"call", "application", "funder"},
    "reviewer": {"assignment"},
    "operator": {"funder", "user", "auditentry", "mail"},
}


def own_lists() -> dict[str, str]:
    return {
        model._meta.model_name or "": reverse(
            f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        )
        for model in admin.site._registry
        if model._meta.app_label in ("grants", "portal")
    }


@pytest.mark.parametrize("role", LISTS)
def test_each_role_finds_its_own_lists_and_no_other(role: str) -> None:
    client = client_of(make._with_role(role))
    index = page(client, "/admin/")
    for name, path in own_lists().items():
        is_theirs = name in LISTS[role]
        page(client, path, 200 if is_theirs else 404)
        assert (f'href="{path}"' in index) == is_theirs, name


def test_a_superuser_gets_no_more_than_the_table_says() -> None:
    application = make.an_application()
    make.a_review(application)
    root = User.objects.create_superuser("root@example.org")
    client = client_of(root)
    assert application.title not in page(client, "/admin/")
    for name, path in own_lists().items():
        page(client, path, 200 if name in LISTS["operator"] else 404)
    assignment = Assignment.objects.get()
    for path in (application_path(application), review_path(assignment), call_path(application.call)):
        page(client, path, 404)


def test_only_lists_that_rest_on_the_table_are_in_the_workroom() -> None:
    assert len(admin.site._registry) >= 7
    assert all(isinstance(each, VisibleAdmin) for each in admin.site._registry.values())


def test_the_workroom_is_not_there_for_applicants_and_asks_visitors_to_sign_in() -> None:
    page(client_of(make.a_user()), "/admin/", 404)
    response = Client().get("/admin/")
    assert response.status_code == 302
    assert response.url.startswith("/admin/login/")


def test_staff_without_a_second_factor_is_led_to_setting_one_up(settings: Any) -> None:
    settings.STAFF_NEEDS_MFA = True
    for path in ("/admin/", reverse("admin:grants_call_changelist"), reverse("admin:grants_call_add")):
        response = client_of(make.a_chair()).get(path)
        assert response.status_code == 302
        assert response.url == reverse("mfa_index")


@pytest.mark.parametrize("path", ["delete/", "history/"])
def test_nothing_is_deleted_and_there_is_no_second_history(path: str) -> None:
    application = make.an_application()
    client = client_of(application.call.chairs.get())
    page(client, f"/admin/grants/application/{application.pk}/{path}", 404)
    page(client, f"/admin/grants/call/{application.call_id}/{path}", 404)
    assert Application.objects.filter(pk=application.pk).exists()


def test_an_operator_gives_and_takes_roles() -> None:
    person, operator = make.a_user(), make.an_operator()
    client, path = client_of(operator), reverse("admin:portal_user_role", args=[person.pk])
    post(client, path, give="reviewer")
    person.refresh_from_db()
    assert (person.is_reviewer, person.is_staff, person.is_superuser) == (True, True, False)
    post(client, path, take="reviewer")
    person.refresh_from_db()
    assert (person.is_reviewer, person.is_staff) == (False, False)
    assert AuditEntry.objects.filter(subject_id=str(person.pk), by=operator).count() == 2


def test_an_operator_makes_a_funder_and_gives_a_seat() -> None:
    client, person = client_of(make.an_operator()), make.a_user()
    response = post(client, reverse("admin:grants_funder_add"), name="Ministry of Light", about="")
    text = page(client, response.url)
    assert "Nobody yet" in text
    seat = response.url.replace("change/", "seats/")
    assert "Nobody with this address" in post(client, seat, email="nobody@example.org").content.decode()
    post(client, seat, email=person.email.upper())
    assert person.email in page(client, response.url)


def test_a_chair_sees_funders_but_neither_makes_them_nor_sees_who_reads() -> None:
    person = make.a_funder()
    funder = person.funder_seats.get().funder
    client = client_of(make.a_chair())
    assert person.email not in page(client, reverse("admin:grants_funder_change", args=[funder.pk]))
    page(client, reverse("admin:grants_funder_add"), 404)
    assert (
        post(client, reverse("admin:grants_funder_seat", args=[funder.pk]), email=person.email).status_code
        == 404
    )


def test_mails_show_that_they_went_and_not_what_they_say() -> None:
    make.an_assignment(make.an_application())
    text = page(client_of(make.an_operator()), reverse("admin:portal_mail_changelist"))
    assert "@example.org" in text
    assert "stand back" not in text


def pages_of_everybody() -> Iterator[tuple[Client, str]]:
    application = make.an_application()
    declared, fresh = make.an_assignment(application), make.an_assignment(application, declared=False)
    chair = client_of(application.call.chairs.get())
    for assignment in (declared, fresh):
        yield client_of(assignment.reviewer), review_path(assignment)
        yield client_of(assignment.reviewer), reverse("admin:grants_assignment_changelist")
    for path in ("/admin/", call_path(application.call), application_path(application)):
        yield chair, path
    for name in ("call_changelist", "call_add", "application_changelist", "funder_changelist"):
        yield chair, reverse(f"admin:grants_{name}")
    yield chair, f"{reverse('admin:grants_application_assign')}?ids={application.pk}"
    for name in ("edit", "rubric", "add_pool", "add_earmark"):
        yield chair, reverse(f"admin:grants_call_{name}", args=[application.call_id])
    operator = make.an_operator()
    for name in ("user_changelist", "auditentry_changelist", "mail_changelist"):
        yield client_of(operator), reverse(f"admin:portal_{name}")
    yield client_of(operator), reverse("admin:portal_user_change", args=[operator.pk])


def test_no_page_holds_inline_script_or_style_and_none_writes_the_stock_log() -> None:
    for client, path in pages_of_everybody():
        text = page(client, path)
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), path
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), (path, sorted({each for each in ids if ids.count(each) > 1}))
    assert not LogEntry.objects.exists()


def test_every_form_that_writes_carries_its_key() -> None:
    for client, path in pages_of_everybody():
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", page(client, path), re.DOTALL):
            is_free = "logout" in form or "changelist-form" in form or "/identity/" in form
            assert is_free or 'name="once"' in form, (path, form[:200])


def test_the_script_of_the_review_page_is_small() -> None:
    script = Path(site_settings.BASE_DIR / "portal/static/admin-review.js").read_text(encoding="utf-8")
    assert len(script.encode()) <= 1536


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        page(client, path)
    return len(caught)


def test_lists_cost_the_same_for_one_row_and_for_thirty() -> None:
    call, reviewer, operator = make.an_open_call(), make.a_reviewer(), make.an_operator()
    chair = call.chairs.get()

    def add(count: int) -> None:
        for _number in range(count):
            application = make.an_application(call=call)
            make.a_review(application)
            make.an_assignment(application, reviewer=reviewer)
            extra = make.an_open_call(chair=chair)
            calls.add_chair(call=extra, chair=chair, by=None, now=timezone.now())

    lists = [
        (client_of(chair), reverse("admin:grants_application_changelist")),
        (client_of(chair), reverse("admin:grants_call_changelist")),
        (client_of(chair), reverse("admin:grants_funder_changelist")),
        (client_of(chair), call_path(call)),
        (client_of(reviewer), reverse("admin:grants_assignment_changelist")),
        (client_of(operator), reverse("admin:portal_user_changelist")),
        (client_of(operator), reverse("admin:portal_auditentry_changelist")),
        (client_of(operator), reverse("admin:portal_mail_changelist")),
    ]
    add(1)
    for client, path in lists:
        page(client, path)  # the first visit of a session also writes that it was here
    one = [queries_of(client, path) for client, path in lists]
    add(29)
    thirty = [queries_of(client, path) for client, path in lists]
    assert one == thirty
    assert max(thirty) <= 16, dict(zip([path for _client, path in lists], thirty, strict=True))
