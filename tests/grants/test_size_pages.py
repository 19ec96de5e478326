"""Question 6 and the page of the estimator: hours that are worked out, typed, taken and refused."""

import re

import pytest
from django.test import Client

from tests.factories import HOUR, a_gpu_type
from tests.grants.posting import answer, begun, drafted, page

pytestmark = pytest.mark.django_db


def test_the_estimator_works_out_hours_and_fills_them_in() -> None:
    client, draft = drafted(job_kind="fine_tune")
    data = {
        "gpu_type": a_gpu_type().pk,
        "est-model": "lora_7b",
        "est-amount": "50,000",
        "est-passes": "3",
        "ask_gpu_seconds": "",
        "minimum_gpu_seconds": "",
    }
    shown = answer(client, draft, 6, do="estimate", **data)
    html = shown.content.decode()
    assert "One run takes 1 to 6 hours" in html
    assert 'name="ask_gpu_seconds" value="15"' in html
    assert 'name="minimum_gpu_seconds" value="6"' in html
    cheaper = answer(client, draft, 6, do="cheaper:lora_3b", **data).content.decode()
    assert 'name="ask_gpu_seconds" value="8"' in cheaper
    assert re.search(r'value="lora_3b" selected', cheaper)
    draft.refresh_from_db()
    assert draft.ask_gpu_seconds == 150 * HOUR


def test_hours_that_were_typed_stay_until_the_estimate_is_taken() -> None:
    client, draft = drafted(job_kind="fine_tune")
    data = {"gpu_type": a_gpu_type().pk, "est-model": "lora_7b", "est-amount": "50000"}
    data |= {"ask_gpu_seconds": "99", "minimum_gpu_seconds": "9,5"}
    kept = answer(client, draft, 6, do="estimate", **data).content.decode()
    assert 'name="ask_gpu_seconds" value="99"' in kept
    assert 'name="minimum_gpu_seconds" value="9,5"' in kept
    taken = answer(client, draft, 6, do="take", **data).content.decode()
    assert 'name="ask_gpu_seconds" value="15"' in taken


def test_more_than_twice_the_estimate_needs_one_sentence() -> None:
    client, draft = drafted(job_kind="fine_tune", ask_reason="")
    data = {"gpu_type": a_gpu_type().pk, "est-model": "lora_7b", "est-amount": "50000"}
    data |= {"ask_gpu_seconds": "31", "minimum_gpu_seconds": "10"}
    html = answer(client, draft, 6, **data).content.decode()
    assert "we estimated 15 hours" in html
    assert answer(client, draft, 6, **data, ask_reason="Three dialects.").status_code == 302


@pytest.mark.parametrize(
    ("ask", "least", "said"),
    [
        ("150", "200", "The smallest useful amount (200 h) is larger than the ask (150 h)."),
        ("1501", "10", "at most 1,500 hours"),
        ("0", "1", "more than zero hours"),
        ("-3", "1", "less than zero"),
        ("many", "1", "Write a number of hours"),
    ],
)
def test_hours_that_cannot_be_say_what_to_change(ask: str, least: str, said: str) -> None:
    client, draft = drafted()
    data = {"gpu_type": a_gpu_type().pk, "ask_gpu_seconds": ask, "minimum_gpu_seconds": least}
    html = answer(client, draft, 6, **data).content.decode()
    assert said in html
    assert f'value="{ask}"' in html


def test_somebody_who_wants_help_may_leave_the_hours_open_for_now() -> None:
    client, draft = begun()
    assert answer(client, draft, 6, gpu_type=a_gpu_type().pk, wants_help="on").status_code == 302
    draft.refresh_from_db()
    assert (draft.wants_help, draft.ask_gpu_seconds) == (True, None)


def test_jobs_without_a_table_are_told_so() -> None:
    client, draft = drafted(job_kind="images")
    html = client.get(page(draft, 6)).content.decode()
    assert "We have no measured table" in html
    assert "est-model" not in html


def test_the_estimate_is_open_to_all_and_stands_in_the_address() -> None:
    asked = "/estimate/?model=lora_7b&amount=50%2C000&passes=3&card=a100_40&grid=FI"
    html = Client().get(asked).content.decode()
    assert "One run takes 1 to 6 hours on an A100 40 GB. Ask for 15." in html
    assert "0.7 kg CO₂" in html
    wrong = Client().get("/estimate/?model=gpt&amount=lots").content.decode()
    assert "Choose a model from the list." in wrong
    assert "Write a whole number" in wrong
    assert 'value="lots"' in wrong
