"""What people and programs type that is no answer: refused in words or kept whole, on both databases, never a crash."""

import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from grants.forms import FORMS
from grants.forms.fields import HoursField, NumberField, TextField
from grants.models import Application
from tests.factories import a_draft, a_gpu_type, some_answers
from tests.grants.posting import answer, drafted, hidden, page, typed

pytestmark = pytest.mark.django_db

NASTY = (
    "<script>alert('x')</script> and more",
    "Robert'); DROP TABLE grants_application;--",
    "{{ settings.SECRET_KEY }} {% load i18n %}",
    '=HYPERLINK("http://example.org","prize")',
    "রংপুরের কৃষকদের জন্য হেল্পলাইন",
    "مساعد صوتي للصيادين بلهجتهم",
    "e\u0301galite\u0301 pour tous les villages",
    "👩🏽‍🌾 a helper for farmers 🌾",
    "line\u2028separator\u2029and more",
    "turned \u202egnp.exe\u202c around",
    "\ufeffbegins with a byte order mark",
    "C:\\con\\aux %s %n $(reboot) `id`",
)


@pytest.mark.parametrize("text", NASTY)
def test_what_only_looks_dangerous_is_kept_and_shown_as_text(text: str) -> None:
    client, draft = drafted()
    assert answer(client, draft, 1, title=text).status_code == 302
    assert answer(client, draft, 2, problem=text).status_code == 302
    html = client.get(f"/applications/{draft.public_id}/check/").content.decode()
    assert "<script>alert" not in html
    draft.refresh_from_db()
    assert client.post(f"/applications/{draft.public_id}/check/", {"once": uuid.uuid4()}).status_code == 302
    content = client.get(f"/applications/{draft.public_id}/receipt/1.json").json()
    assert content["answers"]["title"] == draft.title
    assert not set(draft.title) & set("\u202e\ufeff\u2028")


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\ufffe"])
def test_characters_that_no_database_takes_are_refused_in_words(character: str) -> None:
    client, draft = drafted()
    shown = answer(client, draft, 2, problem=f"Farmers{character} call a helpline.")
    html = shown.content.decode()
    assert f"U+{ord(character):04X}" in html
    assert "call a helpline." in html
    draft.refresh_from_db()
    assert draft.problem == some_answers()["problem"]


def test_a_lone_surrogate_is_refused_by_the_field_itself() -> None:
    with pytest.raises(Exception, match=r"U\+D800"):
        TextField(most=100).clean("half a letter \ud800")


def test_bytes_that_are_no_text_do_no_harm() -> None:
    client, draft = drafted()
    body = f"version={draft.version}&problem=%FF%FE%ED%A0%80+farmers+call"
    shown = client.post(page(draft, 2), body, content_type="application/x-www-form-urlencoded")
    assert shown.status_code in (200, 302)
    draft.refresh_from_db()
    assert draft.problem.encode()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500", 500),
        ("1,500", 1500),
        ("1 500", 1500),
        ("15,00,000", 1500000),
        ("১৫০০", 1500),
        ("٥٠٠", 500),
        ("1’500", 1500),
    ],
)
def test_whole_numbers_are_read_as_people_write_them(text: str, number: int) -> None:
    assert NumberField().clean(text) == number


@pytest.mark.parametrize("text", ["1.5", "-1", "0", "1e9", "NaN", "½", "²", "five", "9" * 40, "1,50", "0x10"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="number"):
        NumberField().clean(text)


@pytest.mark.parametrize("text", ["1E+999999999", "inf", "9" * 400, "12.345", "1.2.3", "--5", "½"])
def test_hours_beyond_all_machines_are_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"[Hh]ours|decimals|ways"):
        HoursField().clean(text)


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (3, {"sdg_main": "18"}),
        (3, {"sdg_main": "2", "sdg_others": ["1", "4", "5"]}),
        (3, {"sdg_others": ["4"]}),
        (3, {"sdg_main": "two"}),
        (4, {"outcome_number": "5", "outcome_unit": "calls", "outcome_month": "2027-13-45"}),
        (5, {"job_kind": "mine_coins"}),
        (6, {"gpu_type": "9" * 30, "ask_gpu_seconds": "10", "minimum_gpu_seconds": "5"}),
        (6, {"gpu_type": "1\x00", "ask_gpu_seconds": "10", "minimum_gpu_seconds": "5"}),
        (8, {"data_rights": ["public", "stolen"]}),
        (9, {"shares": ["nothing", "model"], "shares_why": "x"}),
        (10, {"start_month": "1900-01-01", "weeks": "6", "steadiness": "steady"}),
        (10, {"start_month": "\x00", "weeks": "2147483648", "steadiness": "steady"}),
        (11, {"country": "XX", "group_name": "A", "group_kind": "community", "group_size": "1"}),
        (12, {"promises": ["true_answers"] * 5}),
    ],
)
def test_a_choice_that_was_not_offered_is_refused_at_its_field(number: int, data: dict[str, Any]) -> None:
    client, draft = drafted()
    before = Application.objects.values().get()
    shown = answer(client, draft, number, **data)
    assert shown.status_code == 200
    assert shown.context["form"].errors
    assert Application.objects.values().get() == before


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("rosa@", "whole e-mail address"),
        ("rоsa@example.org", "not a plain letter"),
        ("a@b", "whole e-mail address"),
    ],
)
def test_addresses_that_only_look_like_one_are_refused(email: str, said: str) -> None:
    client, draft = drafted()
    html = answer(client, draft, 11, **typed(draft)[11] | {"contact_email": email}).content.decode()
    assert said in html
    assert f'value="{email}"' in html


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40, "1\x00", "١"])
def test_a_version_that_is_none_counts_as_an_old_one(version: str) -> None:
    client, draft = drafted()
    shown = client.post(
        page(draft, 1), {"version": version, "seen": "?", "title": "A title with a bad version"}
    )
    assert "This answer was changed meanwhile" in shown.content.decode()
    draft.refresh_from_db()
    assert draft.title != "A title with a bad version"


@pytest.mark.parametrize("does", ["cheaper:", "cheaper:gpt", "estimate", "take", "nothing\x00"])
def test_odd_wishes_to_the_estimator_do_no_harm(does: str) -> None:
    client, draft = drafted()
    data = {
        "do": does,
        "est-model": "\x00",
        "est-amount": "9" * 50,
        "gpu_type": "x",
        "ask_gpu_seconds": "\x07",
    }
    shown = client.post(page(draft, 6), hidden(client.get(page(draft, 6))) | data)
    assert shown.status_code == 200
    assert Application.objects.get().ask_gpu_seconds == some_answers()["ask_gpu_seconds"]


@pytest.mark.parametrize(
    "path",
    [
        "/calls/%00/",
        "/calls/" + "x" * 3000 + "/",
        "/calls/../../etc/passwd/",
        "/applications/%00/check/",
        "/applications/" + quote("হাওর") + "/q/1/",
        "/applications/a/receipt/99999999999999999999.json",
    ],
)
def test_addresses_that_name_nothing_answer_404(path: str) -> None:
    client, _draft = drafted()
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("query", ["page=-1", "page=%00", "page=" + "9" * 50, "page[]=1"])
def test_odd_pages_of_a_list_show_a_page(query: str) -> None:
    assert Client().get(f"/calls/?{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["amount=", "amount=%00", "amount=5&model=lora_7b&passes=-1", "amount=1&card=x&grid=%00"]
)
def test_odd_questions_to_the_estimate_page_are_answered_in_words(query: str) -> None:
    shown = Client().get(f"/estimate/?{query}")
    assert shown.status_code == 200
    assert 'class="errs"' in shown.content.decode()


def test_a_form_without_the_token_of_this_site_changes_nothing() -> None:
    draft = a_draft()
    client = Client(enforce_csrf_checks=True)
    client.force_login(draft.owner)
    assert client.post(page(draft, 1), {"title": "From another site"}).status_code == 403
    draft.refresh_from_db()
    assert draft.title != "From another site"


ANYTHING = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    ["", "on", "1", "2", "17", "0", "-1", "1,5", "2027-01-01", "steady", "model", "nothing", "BD", "person"]
)


class WhateverIsPosted(TestCase):
    """Any text in any field of any question: the form says no in words, or the row keeps what it made of it."""

    def setUp(self) -> None:
        a_gpu_type()
        self.draft = a_draft()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data(), number=st.integers(1, 12))
    def test_is_refused_in_words_or_kept(self, data: st.DataObject, number: int) -> None:
        names = FORMS[number].base_fields
        posted = {name: data.draw(st.lists(ANYTHING, max_size=3), label=name) for name in names}
        client = Client()
        client.force_login(self.draft.owner)
        shown = client.post(page(self.draft, number), hidden(client.get(page(self.draft, number))) | posted)
        assert shown.status_code in (200, 302)
        if shown.status_code == 200:
            assert shown.context["form"].errors
        self.draft.refresh_from_db()
        assert client.get(f"/applications/{self.draft.public_id}/check/").status_code == 200
