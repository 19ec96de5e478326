"""The workroom: each role finds its own lists, reviewers stay blind, chairs run a call, nobody sees past the table."""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
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

from grants import calls, reviews
from grants.admin import AssignmentAdmin
from grants.models import Application, Assignment, Call, Recusal, Review, Score
from portal.models import AuditEntry, User
from tests import factories as make

pytestmark = pytest.mark.django_db
CANARIES = {
    "group_name": "Canary-Group-Quetzal",
    "contact_phone": "+99 777 5551234",
    "contact_email": "canary-contact@quetzal.example",
    "known_reviewers": "Canary Known Person",
}


@pytest.fixture(autouse=True)
def without_second_factor(settings: Any) -> None:
    settings.STAFF_NEEDS_MFA = False


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, (path, response.status_code)
    return response.content.decode()


def post(client: Client, path: str, **fields: Any) -> Any:
    return client.post(path, {"once": str(uuid.uuid4()), **fields})


def review_path(assignment: Assignment) -> str:
    return reverse("admin:grants_assignment_change", args=[assignment.pk])


def application_path(application: Application) -> str:
    return reverse("admin:grants_application_change", args=[application.pk])


def call_path(call: Call) -> str:
    return reverse("admin:grants_call_change", args=[call.pk])


def a_secret_application(**answers: Any) -> Application:
    """One whose every private field holds words that stand nowhere else."""
    owner = make.a_user("canary-owner", display_name="Canary Owner Name")
    return make.an_application(owner=owner, **(CANARIES | answers))


def private_words(application: Application) -> list[str]:
    names = [*CANARIES.values(), application.owner.email, "Canary Owner Name", application.group.public_id]
    return [*names, "Bangladesh"]


def a_whole_review(assignment: Assignment, points: str = "4", **changed: Any) -> dict[str, Any]:
    keys = assignment.application.call.criteria.values_list("key", flat=True)
    words = {"strength": "Clear.", "fix": "Say who pays.", "harm": "none", "harm_note": "", "step": "send"}
    return {f"score_{key}": points for key in keys} | words | changed


# --- who finds what -------------------------------------------------------------------------------------------------


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
    from portal.admin_base import VisibleAdmin

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


# --- the reviewer -----------------------------------------------------------------------------------------------------


def test_the_title_and_text_open_after_the_declaration_only() -> None:
    application = a_secret_application()
    assignment = make.an_assignment(application, declared=False)
    client = client_of(assignment.reviewer)
    for path in (reverse("admin:grants_assignment_changelist"), review_path(assignment)):
        text = page(client, path)
        assert application.public_id in text
        assert application.title not in text
        assert application.problem not in text
    assert post(client, review_path(assignment), step="declare").status_code == 302
    text = page(client, review_path(assignment))
    assert application.title in text
    assert application.problem in text
    assert f'lang="{application.language}" dir="auto"' in text


def test_a_blind_reviewer_finds_who_applies_nowhere() -> None:
    application = a_secret_application()
    assignment = make.an_assignment(application)
    client = client_of(assignment.reviewer)
    a_list = reverse("admin:grants_assignment_changelist")
    tokens = private_words(application)
    queries = ["", *(f"?q={word}" for word in tokens), *(f"?o={number}" for number in range(-6, 7)), "?all=1"]
    paths = [f"{a_list}{query}" for query in queries]
    paths += [
        "/admin/",
        "/admin/grants/",
        review_path(assignment),
        f"{review_path(assignment)}?check=1",
        "/my/",
    ]
    paths += [
        f"/admin/autocomplete/?app_label=grants&model_name=assignment&field_name={name}&term=c"
        for name in ("application", "reviewer")
    ]
    post(client, review_path(assignment), **a_whole_review(assignment, step="save"))
    for path in paths:
        response = client.get(path)
        text = response.content.decode() + str(response.headers)
        for word in tokens:
            shown = text.replace(
                f'value="{word}"', ""
            )  # what was searched for stands in the search box again
            assert word not in shown, (path, word)


def test_a_reviewer_cannot_ask_about_hidden_fields_by_lookups() -> None:
    """As it happened elsewhere: a filter in the address unmasked people. Every such filter is refused alike."""
    application = a_secret_application()
    client = client_of(make.an_assignment(application).reviewer)
    a_list = reverse("admin:grants_assignment_changelist")
    for field in ("group_name", "contact_email", "owner__email", "known_reviewers", "group__name", "title"):
        for value in (CANARIES["group_name"], "nothing"):
            response = client.get(f"{a_list}?application__{field}__startswith={value}")
            assert response.status_code in (302, 400), (field, response.status_code)
            assert response.get("Location", "") in ("", f"{a_list}?e=1")


def test_the_stock_rule_for_lookups_would_have_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test above, without our rule: the answer tells whether the guess was right."""
    monkeypatch.setattr(AssignmentAdmin, "lookup_allowed", admin.ModelAdmin.lookup_allowed)
    application = a_secret_application()
    client = client_of(make.an_assignment(application).reviewer)
    a_list = reverse("admin:grants_assignment_changelist")
    right, wrong = (
        page(client, f"{a_list}?application__group_name={word}")
        for word in (CANARIES["group_name"], "nothing")
    )
    assert application.public_id in right
    assert application.public_id not in wrong


def test_names_show_in_a_call_that_is_not_blind_but_never_the_contact() -> None:
    call = make.an_open_call(is_blind=False)
    application = a_secret_application(call=call)
    assignment = make.an_assignment(application)
    text = page(client_of(assignment.reviewer), review_path(assignment))
    assert CANARIES["group_name"] in text
    assert CANARIES["contact_email"] not in text
    assert CANARIES["known_reviewers"] not in text


def test_the_rubric_stands_beside_with_its_words_for_each_score() -> None:
    assignment = make.an_assignment(make.an_application())
    text = page(client_of(assignment.reviewer), review_path(assignment))
    assert text.count('type="radio" name="score_') == 36
    assert "Plausible steps towards a target, with a number" in text
    assert "Between 1 and 3" in text
    described = re.findall(r'aria-describedby="(words_\w+)"', text)
    assert len(described) == 36
    assert all(f'id="{each}"' in text for each in described)


def test_saving_keeps_a_part_and_says_the_total_so_far() -> None:
    assignment = make.an_assignment(make.an_application())
    client = client_of(assignment.reviewer)
    sent = post(
        client, review_path(assignment), step="save", score_sdg="5", score_people="2", strength="Good."
    )
    assert sent.status_code == 302
    text = page(client, review_path(assignment))
    assert "<b data-total>3.667</b>" in text
    assert "<span data-scored>2</span> of 6" in text
    assert "Good." in text
    assert re.search(r'name="score_sdg" value="5"[^>]* checked', text)


def test_sending_an_unfinished_review_keeps_it_and_names_what_is_missing() -> None:
    assignment = make.an_assignment(make.an_application())
    client = client_of(assignment.reviewer)
    response = post(client, review_path(assignment), step="send", score_sdg="5", strength="Good.")
    assert response.url == f"{review_path(assignment)}?check=1"
    text = page(client, response.url)
    assert text.count("Choose 0 to 5.") == 2 * 5
    assert '<a href="#id_score_people">' in text
    assert Review.objects.get().strength == "Good."
    assert Review.objects.get().submitted_at is None


def test_a_form_that_fails_keeps_every_character() -> None:
    assignment = make.an_assignment(make.an_application())
    client = client_of(assignment.reviewer)
    long = "Über-lang " * 200
    response = post(client, review_path(assignment), step="save", score_sdg="5", strength=long, harm_note="Q")
    text = response.content.decode()
    assert response.status_code == 200
    assert "characters too long" in text
    assert long.strip() in text
    assert re.search(r'name="score_sdg" value="5"[^>]* checked', text)
    assert not Review.objects.exists()


def test_a_sent_review_locks_and_the_next_one_opens() -> None:
    call, reviewer = make.an_open_call(), make.a_reviewer()
    first, second = (make.an_assignment(make.an_application(call=call), reviewer=reviewer) for _ in range(2))
    client = client_of(reviewer)
    response = post(client, review_path(first), **a_whole_review(first))
    assert response.url == review_path(second)
    text = page(client, review_path(first))
    assert "Its scores are locked" in text
    assert 'value="send"' not in text
    post(client, review_path(first), **a_whole_review(first, points="0"))
    assert set(Score.objects.values_list("points", flat=True)) == {4}


def test_the_same_form_sent_twice_writes_once() -> None:
    assignment = make.an_assignment(make.an_application())
    client, fields = client_of(assignment.reviewer), a_whole_review(assignment, once=str(uuid.uuid4()))
    answers = [client.post(review_path(assignment), fields) for _twice in range(2)]
    assert answers[0].url == answers[1].url
    assert AuditEntry.objects.filter(did="review.submitted").count() == 1


def test_whoever_stands_back_finds_nothing_any_more() -> None:
    application = make.an_application()
    assignment = make.an_assignment(application)
    client = client_of(assignment.reviewer)
    assert post(client, review_path(assignment), step="stand_back").status_code == 200
    response = post(client, review_path(assignment), step="stand_back", kind="family")
    assert response.url == reverse("admin:grants_assignment_changelist")
    assert Recusal.objects.get().kind == "family"
    page(client, review_path(assignment), 404)
    assert post(client, review_path(assignment), **a_whole_review(assignment)).status_code == 404
    assert application.public_id not in page(client, reverse("admin:grants_assignment_changelist"))


def test_one_reviewer_never_meets_the_page_of_another() -> None:
    application = make.an_application()
    mine, theirs = make.an_assignment(application), make.a_review(application, strength="Only theirs.")
    client = client_of(mine.reviewer)
    page(client, review_path(theirs), 404)
    assert "Only theirs." not in page(client, review_path(mine))
    page(client, application_path(application), 404)


# --- the chair --------------------------------------------------------------------------------------------------------


def typed_call(now: datetime, **changed: Any) -> dict[str, Any]:
    days = {"opens_at": 2, "closes_at": 20, "scoring_ends_at": 27, "decides_at": 34}
    days |= {"award_starts_at": 35, "award_ends_at": 125}
    dates = {name: f"{(now + timedelta(days=day)).date()}T00:00" for name, day in days.items()}
    given = {"preset": "standard", "title": "Spring", "slug": "spring", "summary": "For groups."}
    return given | dates | {"zone": "Asia/Dhaka", "largest_ask": "1,500", "is_blind": "on"} | changed


def test_a_chair_makes_fills_and_publishes_a_call() -> None:
    chair, funder, gpu_type = make.a_chair(), make.a_funding_body(), make.a_gpu_type()
    client = client_of(chair)
    response = post(client, reverse("admin:grants_call_add"), **typed_call(timezone.now()))
    call = Call.objects.get()
    assert response.url == call_path(call)
    assert call.opens_at.strftime("%H:%M") == "18:00"  # midnight in Dhaka
    assert "Add a pool: whose hours" in page(client, call_path(call))
    pool = {"funder": funder.pk, "gpu_type": gpu_type.pk, "hours": "100"}
    post(client, reverse("admin:grants_call_add_pool", args=[call.pk]), **pool)
    earmark = {"pool": call.pools.get().pk, "hours": "20", "sdg": ["4"], "first_timer": "on"}
    post(client, reverse("admin:grants_call_add_earmark", args=[call.pk]), **earmark)
    assert call.pools.get().earmarks.get().where == {"sdg": [4], "first_timer": True}
    assert "Nothing is missing" in page(client, call_path(call))
    post(client, reverse("admin:grants_call_publish", args=[call.pk]))
    call.refresh_from_db()
    assert call.published_at is not None


def test_dates_that_do_not_fit_are_told_at_their_fields_and_nothing_typed_is_lost() -> None:
    client = client_of(make.a_chair())
    typed = typed_call(timezone.now(), closes_at="2020-01-01T00:00", summary="Keep this.")
    text = post(client, reverse("admin:grants_call_add"), **typed).content.decode()
    assert "It closes after it opens." in text
    assert "Keep this." in text
    assert "2020-01-01T00:00" in text
    assert not Call.objects.exists()


def test_the_rubric_changes_until_the_call_opens() -> None:
    chair = make.a_chair()
    client = client_of(chair)
    post(client, reverse("admin:grants_call_add"), **typed_call(timezone.now()))
    call = Call.objects.get()
    path = reverse("admin:grants_call_rubric", args=[call.pk])
    fields = dict(
        re.findall(r'name="((?:name|weight|floor|words)_[^"]+)" value="([^"]*)"', page(client, path))
    )
    assert len(fields) == 6 * 7
    post(client, path, **(fields | {"weight_sdg": "40", "words_sdg_5": "Everything is clear"}))
    criterion = call.criteria.get(key="sdg")
    assert (criterion.weight, criterion.anchors["5"]) == (40, "Everything is clear")


def test_a_call_that_has_opened_is_read_only() -> None:
    call = make.an_open_call()
    client = client_of(call.chairs.get())
    text = page(client, call_path(call))
    assert "it stays as it is" in text
    assert reverse("admin:grants_call_edit", args=[call.pk]) not in text
    typed = typed_call(timezone.now(), title="Too late")
    response = post(client, reverse("admin:grants_call_edit", args=[call.pk]), **typed)
    assert "This call has opened" in response.content.decode()
    call.refresh_from_db()
    assert call.title != "Too late"


def test_another_chair_does_not_find_the_call_nor_its_applications() -> None:
    application = make.an_application()
    client = client_of(make.a_chair())
    assert application.public_id not in page(client, reverse("admin:grants_application_changelist"))
    pages = [call_path(application.call), application_path(application)]
    pages += [reverse(f"admin:grants_call_{name}", args=[application.call_id]) for name in ("edit", "rubric")]
    pages += [f"{reverse('admin:grants_application_assign')}?ids={application.pk}"]
    for path in pages:
        page(client, path, 404)
    for name in ("identity", "ineligible", "restore"):
        path = reverse(f"admin:grants_application_{name}", args=[application.pk])
        assert post(client, path, reason="No.").status_code == 404
    application.refresh_from_db()
    assert application.state == "submitted"


def test_a_chair_assigns_reviewers_and_is_told_of_conflicts() -> None:
    call = make.an_open_call()
    first, second = make.an_application(call=call), make.an_application(call=call)
    good, conflicted = make.a_reviewer(), make.a_reviewer()
    second.group.memberships.create(user=conflicted, role="co-applicant", since=timezone.now())
    client = client_of(call.chairs.get())
    ticked = {"action": "assign_reviewers", "_selected_action": [first.pk, second.pk]}
    response = client.post(reverse("admin:grants_application_changelist"), ticked)
    assert good.email in page(client, response.url)
    fields = {"ids": f"{first.pk},{second.pk}", "reviewers": [good.pk, conflicted.pk]}
    response = post(client, reverse("admin:grants_application_assign"), **fields)
    text = page(client, response.url)
    assert Assignment.objects.count() == 3
    assert "3 assignments were made" in text
    assert f"{second.public_id}, {conflicted}: This reviewer belongs to the group" in text


def test_marking_ineligible_needs_a_reason_and_can_be_taken_back() -> None:
    application = make.an_application()
    client = client_of(application.call.chairs.get())
    path = reverse("admin:grants_application_ineligible", args=[application.pk])
    assert "This field is required" in post(client, path, reason=" ").content.decode()
    post(client, path, reason="It asks for a machine, not for hours.")
    application.refresh_from_db()
    assert (application.state, application.state_reason) == (
        "ineligible",
        "It asks for a machine, not for hours.",
    )
    post(client, reverse("admin:grants_application_restore", args=[application.pk]))
    application.refresh_from_db()
    assert application.state == "submitted"


def test_who_applies_shows_on_demand_and_the_look_is_written_down() -> None:
    application = a_secret_application()
    client = client_of(application.call.chairs.get())
    for path in (application_path(application), reverse("admin:grants_application_changelist")):
        text = page(client, path)
        assert not any(word in text for word in private_words(application))
    text = post(client, reverse("admin:grants_application_identity", args=[application.pk])).content.decode()
    assert CANARIES["group_name"] in text
    entry = AuditEntry.objects.get(did="application.identity_read")
    assert (entry.by, entry.subject_id) == (application.call.chairs.get(), str(application.pk))


def test_a_chair_reads_reviews_once_they_are_sent() -> None:
    application = make.an_application()
    begun = make.an_assignment(application)
    half = {"strength": "Half a thought.", "fix": "", "harm": "", "harm_note": "", "scores": {"sdg": 1}}
    reviews.save_review(assignment=begun, by=begun.reviewer, now=timezone.now(), **half)
    make.a_review(
        application, points={**dict.fromkeys(_keys(application), 4), "sdg": 5}, strength="Whole thought."
    )
    text = page(client_of(application.call.chairs.get()), application_path(application))
    assert "Whole thought." in text
    assert "4.25" in text
    assert "Half a thought." not in text


def _keys(application: Application) -> list[str]:
    return list(application.call.criteria.values_list("key", flat=True))


def test_a_chair_who_stood_back_or_applies_sees_nothing_of_that_application() -> None:
    call = make.an_open_call()
    chair = call.chairs.get()
    own, other = make.an_application(call=call, owner=chair), make.an_application(call=call)
    Recusal.objects.create(application=other, reviewer=chair, kind="family", at=timezone.now())
    client = client_of(chair)
    for application in (own, other):
        make.a_review(application)
        page(client, application_path(application), 404)
        assert application.public_id not in page(client, reverse("admin:grants_application_changelist"))


def test_drafts_are_not_in_the_chairs_list() -> None:
    draft = make.a_draft(title="An unfinished draft of mine")
    client = client_of(draft.call.chairs.get())
    assert draft.public_id not in page(client, reverse("admin:grants_application_changelist"))
    page(client, application_path(draft), 404)


def test_the_filter_by_call_names_only_the_chairs_own_calls() -> None:
    own, other = make.an_open_call(), make.an_open_call()
    Call.objects.filter(pk=other.pk).update(title="Somebody else's call", published_at=None)
    for number in range(2):
        extra = make.an_open_call(chair=own.chairs.get())
        Call.objects.filter(pk=extra.pk).update(title=f"Mine {number}")
    text = page(client_of(own.chairs.get()), reverse("admin:grants_application_changelist"))
    assert "Mine 1" in text
    assert "Somebody else" not in text


# --- the operator -----------------------------------------------------------------------------------------------------


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


# --- all pages --------------------------------------------------------------------------------------------------------


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
