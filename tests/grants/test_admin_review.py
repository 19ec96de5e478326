"""The reviewer's pages: blind, one thing after the other, locked when sent."""

import re
import uuid

import pytest
from django.contrib import admin
from django.urls import reverse

from grants.admin import ApplicationAdmin
from grants.models import Recusal, Review, Score
from portal.models import AuditEntry
from tests import factories as make
from tests.grants.workroom import (
    CANARIES,
    a_secret_application,
    a_whole_review,
    application_path,
    client_of,
    page,
    post,
    private_words,
    review_path,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_second_factor")]


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


def test_nobody_reads_hidden_columns_letter_by_letter() -> None:
    application, operator = a_secret_application(), make.an_operator()
    chair = client_of(application.call.chairs.get())
    applications = reverse("admin:grants_application_changelist")
    for guess in ("canary", "nothing"):
        for column in ("contact_email", "group_name", "known_reviewers"):
            assert chair.get(f"{applications}?{column}__startswith={guess}").status_code == 400
        mails = reverse("admin:portal_mail_changelist")
        assert client_of(operator).get(f"{mails}?body__contains={guess}").status_code == 400


def test_the_stock_rule_would_have_told_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test above, without our rule: the answer tells whether the guess was right."""
    monkeypatch.setattr(ApplicationAdmin, "lookup_allowed", admin.ModelAdmin.lookup_allowed)
    application = a_secret_application()
    chair = client_of(application.call.chairs.get())
    applications = reverse("admin:grants_application_changelist")
    right, wrong = (
        page(chair, f"{applications}?contact_email__startswith={word}") for word in ("canary", "x")
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
