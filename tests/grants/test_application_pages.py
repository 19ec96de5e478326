"""The applicant's way through the pages: from a call to a receipt, with everything that can go wrong on it."""

import hashlib
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from grants import applications
from grants.models import Application, Receipt, State
from portal.models import Mail, PostedForm
from tests.factories import (
    HOUR,
    a_chair,
    a_co_applicant,
    a_draft,
    a_released_run,
    a_user,
    an_application,
    an_assignment,
    an_open_call,
    at,
    some_answers,
)
from tests.grants.posting import answer, begun, closed, drafted, hidden, page, signed_in, typed

pytestmark = pytest.mark.django_db


def test_from_begin_to_receipt_through_all_twelve_pages() -> None:
    client, draft = begun()
    for number, data in typed(draft).items():
        after = answer(client, draft, number, **data)
        last = number == 12
        expected = f"/applications/{draft.public_id}/check/" if last else page(draft, number + 1)
        assert after.url == expected, after
    sent = client.post(after.url, {"once": uuid.uuid4()}, follow=True)
    receipt = Receipt.objects.get()
    assert sent.redirect_chain[0][0] == f"/applications/{draft.public_id}/receipt/"
    assert receipt.sha256 in sent.content.decode()
    draft.refresh_from_db()
    assert (draft.state, draft.ask_gpu_seconds, draft.minimum_gpu_seconds) == (
        "submitted",
        150 * HOUR,
        75 * HOUR + HOUR // 2,
    )
    assert (draft.outcome_number, draft.weeks, draft.sdg_main, draft.sdg_others) == (1500, 12, 2, [10])
    assert draft.group.name == "Surma Voice Circle"
    assert Mail.objects.filter(to_address=draft.owner.email).count() == 1


def test_a_visitor_is_asked_to_sign_in_and_comes_back_to_where_they_were() -> None:
    call = an_open_call()
    apply = f"/calls/{call.slug}/apply/"
    shown = Client().get(apply)
    assert f"/accounts/login/?next={apply}" in shown.content.decode()
    assert Client().post(apply).url == f"/accounts/login/?next={apply}"
    draft = a_draft()
    assert Client().get(page(draft, 3)).url == f"/accounts/login/?next={page(draft, 3)}"


def test_beginning_again_leads_to_the_draft_and_after_sending_to_the_timeline() -> None:
    client, draft = drafted()
    again = client.post(f"/calls/{draft.call.slug}/apply/", {"once": uuid.uuid4()})
    assert again.url == f"/applications/{draft.public_id}/check/"
    applications.submit(application=draft, by=draft.owner, key=uuid.uuid4(), now=at())
    again = client.post(f"/calls/{draft.call.slug}/apply/", {"once": uuid.uuid4()})
    assert again.url == f"/applications/{draft.public_id}/"


@pytest.mark.parametrize("number", range(1, 13))
def test_an_empty_answer_names_field_and_remedy(number: int) -> None:
    client, draft = begun()
    shown = client.post(page(draft, number), hidden(client.get(page(draft, number))))
    if number in (3, 7):
        assert shown.status_code == 302
        return
    html = shown.content.decode()
    assert '<div class="errs" role="alert"' in html
    for link in re.findall(r'<li><a href="#(\w+)">', html):
        assert f'id="{link}"' in html
        assert f'id="{link}_error"' in html
    assert "<title>Error: " in html


def test_a_form_that_fails_keeps_every_character_typed() -> None:
    client, draft = begun()
    data = {"start_month": "2001-01-01", "weeks": " six<&weeks ", "steadiness": "cuts"}
    html = answer(client, draft, 10, **data).content.decode()
    assert " six&lt;&amp;weeks " in html
    assert "Give the weeks as a number, such as 6." in html
    assert "Choose a month from" in html
    assert re.search(r'value="cuts"[^>]* checked', html)
    long = "ক" * 2001
    html = answer(client, draft, 2, problem=long).content.decode()
    assert long in html
    assert "This is 1 character too long. Shorten it to 2000." in html


def test_every_page_can_be_opened_again_with_what_was_saved() -> None:
    client, draft = drafted(known_reviewers="Rosa Pérez")
    for number, text in {1: draft.title, 2: draft.problem, 6: 'value="150"', 12: "Rosa Pérez"}.items():
        html = client.get(page(draft, number)).content.decode()
        assert text in html
        assert "Saved at" in html


def test_from_the_check_page_a_change_leads_back_to_it() -> None:
    client, draft = drafted()
    html = client.get(f"/applications/{draft.public_id}/check/").content.decode()
    assert f'href="{page(draft, 2)}?back=check"' in html
    data = hidden(client.get(page(draft, 2))) | {"problem": "Another problem."}
    changed = client.post(page(draft, 2) + "?back=check", data)
    assert changed.url == f"/applications/{draft.public_id}/check/"


def test_the_check_page_says_what_is_missing_and_offers_no_sending() -> None:
    client, draft = drafted(problem="", shares=[])
    html = client.get(f"/applications/{draft.public_id}/check/").content.decode()
    assert "2 answers are missing" in html
    assert "Answer question 2" in html
    assert 'name="once"' not in html
    refused = client.post(f"/applications/{draft.public_id}/check/", {"once": uuid.uuid4()}, follow=True)
    assert "Question 2: " in refused.content.decode()
    assert not Receipt.objects.exists()


def test_a_double_click_on_send_makes_one_row_one_receipt_one_mail() -> None:
    client, draft = drafted()
    data = {"once": uuid.uuid4()}
    first, second = (client.post(f"/applications/{draft.public_id}/check/", data) for _ in range(2))
    assert first.url == second.url == f"/applications/{draft.public_id}/receipt/"
    assert (Application.objects.count(), Receipt.objects.count(), Mail.objects.count()) == (1, 1, 1)
    assert Receipt.objects.get().key == data["once"]


def test_sending_again_from_an_old_window_shows_the_receipt_that_is_there() -> None:
    client, draft = drafted()
    for _ in range(2):
        shown = client.post(f"/applications/{draft.public_id}/check/", {"once": uuid.uuid4()}, follow=True)
    assert "sent before" in shown.content.decode()
    assert "Receipt 0001" in shown.content.decode()
    assert Receipt.objects.count() == 1


def test_saving_a_sent_page_twice_makes_one_new_receipt() -> None:
    sent = an_application()
    client = signed_in(sent.owner)
    data = hidden(client.get(page(sent, 2))) | {"problem": "Told better.", "do": "save"}
    first, second = (client.post(page(sent, 2), data) for _ in range(2))
    assert first.url == second.url
    assert Receipt.objects.count() == 2


def test_too_late_is_told_with_the_instant_in_the_zone_of_the_person_and_keeps_the_text() -> None:
    draft = a_draft(owner=a_user(zone="Asia/Dhaka"))
    client = signed_in(draft.owner)
    data = hidden(client.get(page(draft, 2))) | {"problem": "One minute late."}
    closed(draft.call)
    html = client.post(page(draft, 2), data).content.decode()
    assert "The call closed on" in html
    assert "Dhaka time (UTC+6)" in html
    assert "One minute late." in html
    late = client.post(f"/applications/{draft.public_id}/check/", {"once": uuid.uuid4()}, follow=True)
    assert "The call closed on" in late.content.decode()
    draft.refresh_from_db()
    assert (draft.state, draft.problem) == (State.DRAFT, some_answers()["problem"])


def test_after_the_close_a_question_page_leads_to_the_answers() -> None:
    client, draft = drafted()
    closed(draft.call)
    shown = client.get(page(draft, 2), follow=True)
    assert shown.redirect_chain[0][0] == f"/applications/{draft.public_id}/check/"
    assert "can no longer be changed" in shown.content.decode()
    assert draft.title in shown.content.decode()


def test_when_the_answer_moved_both_versions_are_shown_and_the_person_picks() -> None:
    client, draft = drafted()
    before = hidden(client.get(page(draft, 2)))
    applications.save_answers(
        application=draft,
        by=draft.owner,
        version=draft.version,
        answers={"problem": "What the colleague wrote."},
        now=at(),
    )
    shown = client.post(page(draft, 2), before | {"problem": "What I wrote."})
    html = shown.content.decode()
    assert "What the colleague wrote." in html
    assert "What I wrote." in html
    assert "Keep what was saved" in html
    draft.refresh_from_db()
    assert draft.problem == "What the colleague wrote."
    picked = client.post(page(draft, 2), hidden(shown) | {"problem": "What I wrote."})
    assert picked.url == page(draft, 3)
    draft.refresh_from_db()
    assert draft.problem == "What I wrote."


def test_both_versions_of_goals_are_shown_as_goals() -> None:
    client, draft = drafted()
    before = hidden(client.get(page(draft, 3)))
    answer(signed_in(a_co_applicant(draft)), draft, 3, sdg_main="14")
    html = client.post(page(draft, 3), before | {"sdg_main": "6"}).content.decode()
    above, _, _ = html.partition("Keep what was saved")
    assert "Life below water" in above


def test_a_change_of_another_answer_meanwhile_asks_nobody_anything() -> None:
    client, draft = drafted()
    before = hidden(client.get(page(draft, 2)))
    answer(client, draft, 1, title="A title from the other window")
    kept = client.post(page(draft, 2), before | {"problem": "What I wrote."})
    assert kept.url == page(draft, 3)
    draft.refresh_from_db()
    assert (draft.title, draft.problem) == ("A title from the other window", "What I wrote.")


def test_a_mistake_does_not_hide_that_the_answer_moved() -> None:
    client, draft = drafted()
    before = hidden(client.get(page(draft, 1)))
    answer(client, draft, 1, title="A title from the other window")
    wrong = client.post(page(draft, 1), before | {"title": "short"})
    assert wrong.context["version"] == before["version"]
    mended = client.post(page(draft, 1), hidden(wrong) | {"title": "A long enough title"})
    assert "This answer was changed meanwhile" in mended.content.decode()


def test_versions_beyond_a_thousand_are_posted_as_plain_digits() -> None:
    client, draft = drafted()
    Application.objects.filter(pk=draft.pk).update(version=1234)
    assert 'name="version" value="1234"' in client.get(page(draft, 1)).content.decode()


def test_the_file_of_a_receipt_has_exactly_its_digest() -> None:
    sent = an_application(title="Ein Wörterbuch für হাওর")
    client = signed_in(sent.owner)
    answer(client, sent, 1, title="A title that was changed later")
    for receipt in Receipt.objects.all():
        got = client.get(f"/applications/{sent.public_id}/receipt/{receipt.sequence}.json")
        assert hashlib.sha256(got.content).hexdigest() == receipt.sha256
        assert f"{sent.public_id}-{receipt}.json" in got["Content-Disposition"]
    html = client.get(f"/applications/{sent.public_id}/receipt/").content.decode()
    assert "Receipt 0002" in html
    assert "Earlier receipts" in html


def test_a_draft_has_no_receipt_yet() -> None:
    client, draft = drafted()
    shown = client.get(f"/applications/{draft.public_id}/receipt/", follow=True)
    assert "Nothing is sent yet" in shown.content.decode()


def test_withdrawing_asks_first_and_then_says_so() -> None:
    sent = an_application()
    client, path = signed_in(sent.owner), f"/applications/{sent.public_id}/withdraw/"
    assert "Take this application back?" in client.get(path).content.decode()
    data = {"once": uuid.uuid4()}
    for _ in range(2):
        shown = client.post(path, data, follow=True)
    assert "Withdrawn" in shown.content.decode()
    sent.refresh_from_db()
    assert sent.state == State.WITHDRAWN
    assert Mail.objects.filter(key__startswith="withdrawn:").count() == 1
    again = client.get(path, follow=True)
    assert "cannot be withdrawn" in again.content.decode()


def test_withdrawing_after_the_decision_is_refused() -> None:
    application = Application.objects.filter(call=a_released_run().call).first()
    assert application is not None
    client = signed_in(application.owner)
    path = f"/applications/{application.public_id}/withdraw/"
    assert "cannot be withdrawn" in client.get(path, follow=True).content.decode()
    shown = client.post(path, {"once": uuid.uuid4()}, follow=True)
    assert "The call is decided" in shown.content.decode()
    application.refresh_from_db()
    assert application.state == State.SUBMITTED


def pages_of(application: Application) -> list[str]:
    at_home = f"/applications/{application.public_id}/"
    return [at_home + rest for rest in ("q/1/", "q/11/", "check/", "receipt/", "receipt/1.json", "withdraw/")]


def test_the_pages_of_an_application_are_not_there_for_anybody_else() -> None:
    sent = an_application()
    reviewer = an_assignment(sent).reviewer
    for stranger in (a_user(), reviewer, sent.call.chairs.get(), a_chair()):
        client = signed_in(stranger)
        for path in pages_of(sent):
            assert client.get(path).status_code == 404, (stranger, path)
        for path in ("check/", "withdraw/", "q/1/"):
            posted = client.post(f"/applications/{sent.public_id}/{path}", {"once": uuid.uuid4()})
            assert posted.status_code == 404
    assert Receipt.objects.count() == 1


def test_a_co_applicant_writes_a_draft_and_reads_what_was_sent() -> None:
    draft = a_draft()
    client = signed_in(a_co_applicant(draft))
    assert answer(client, draft, 1, title="A title by the colleague").status_code == 302
    html = client.get(f"/applications/{draft.public_id}/check/").content.decode()
    assert "began this application and can send it" in html
    applications.submit(application=draft, by=draft.owner, key=uuid.uuid4(), now=at())
    assert client.get(f"/applications/{draft.public_id}/receipt/").status_code == 200
    assert client.get(f"/applications/{draft.public_id}/check/").status_code == 200
    assert client.get(page(draft, 1)).status_code == 404
    assert client.get(f"/applications/{draft.public_id}/withdraw/").status_code == 404


def test_there_is_no_thirteenth_question() -> None:
    client, draft = drafted()
    for number in (0, 13, 10**30):
        assert client.get(f"/applications/{draft.public_id}/q/{number}/").status_code == 404


@pytest.mark.parametrize("count", [1, 30])
def test_the_receipts_of_an_application_cost_the_same_for_one_and_thirty(
    count: int, django_assert_num_queries: DjangoAssertNumQueries, settings: Any
) -> None:
    settings.USERSESSIONS_TRACK_ACTIVITY = False  # it notes each visit, apart from what a page costs
    sent = an_application()
    for number in range(1, count):
        sent = applications.save_answers(
            application=sent,
            by=sent.owner,
            version=sent.version,
            answers={"title": f"Title number {number}"},
            now=at() + timedelta(seconds=number),
        )
    client = signed_in(sent.owner)
    with django_assert_num_queries(4):
        shown = client.get(f"/applications/{sent.public_id}/receipt/")
    assert shown.content.decode().count('.json" download') == count


def test_pages_stay_within_the_budget_of_queries(django_assert_max_num_queries: Any, settings: Any) -> None:
    settings.USERSESSIONS_TRACK_ACTIVITY = False
    client, draft = drafted()
    for number in range(1, 13):
        with django_assert_max_num_queries(6):
            client.get(page(draft, number))
    with django_assert_max_num_queries(6):
        client.get(f"/applications/{draft.public_id}/check/")
    with django_assert_max_num_queries(12):
        client.get(f"/calls/{draft.call.slug}/")


def test_a_page_only_looked_at_leaves_no_posted_form() -> None:
    client, draft = drafted()
    answer(client, draft, 6, do="estimate")
    assert not PostedForm.objects.exists()
