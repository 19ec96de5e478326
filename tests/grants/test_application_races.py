"""Two people at once on one application; each race has a twin without the guard that goes wrong."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from grants import applications
from grants.models import Application, Group, Receipt
from portal.models import Mail
from portal.refused import Refused
from tests.factories import a_draft, a_user, an_application, an_open_call

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Runs the calls in threads that start together; what each returned, or the Refused it raised."""
    results: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            start.wait(10)
            results[place] = call()
        except Refused as refused:
            results[place] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def guarded(draft: Application, title: str) -> Application:
    return applications.save_answers(
        application=draft,
        by=draft.owner,
        version=draft.version,
        answers={"title": title},
        now=timezone.now(),
    )


def unguarded(draft: Application, title: str) -> Application:
    """The twin: it counts the version up without looking at it."""
    Application.objects.filter(pk=draft.pk).update(title=title, version=F("version") + 1)
    return draft


def save_at_once(save: Callable[[Application, str], Application]) -> list[Any]:
    draft = a_draft()
    return at_once(
        lambda: save(draft, "The first one’s title"), lambda: save(draft, "The second one’s title")
    )


def test_of_two_who_save_at_once_one_is_shown_what_the_other_wrote() -> None:
    results = save_at_once(guarded)
    moved = [each for each in results if isinstance(each, applications.Moved)]
    kept = [each for each in results if isinstance(each, Application)]
    assert len(moved) == len(kept) == 1
    assert moved[0].newer.title == kept[0].title == Application.objects.get().title


def test_without_the_guard_one_of_two_titles_is_lost_without_a_word() -> None:
    results = save_at_once(unguarded)
    assert not any(isinstance(each, Refused) for each in results)
    assert Application.objects.get().title in ("The first one’s title", "The second one’s title")


def send(draft: Application, key: uuid.UUID) -> Receipt:
    return applications.submit(application=draft, by=draft.owner, key=key, now=timezone.now())


def test_a_double_click_on_send_makes_one_receipt_and_one_mail() -> None:
    draft, key = a_draft(), uuid.uuid4()
    first, second = at_once(lambda: send(draft, key), lambda: send(draft, key))
    assert first == second == Receipt.objects.get()
    assert Mail.objects.filter(key__startswith="received:").count() == 1


def test_two_windows_that_send_at_once_make_one_receipt_and_the_second_is_told() -> None:
    draft = a_draft()
    results = at_once(lambda: send(draft, uuid.uuid4()), lambda: send(draft, uuid.uuid4()))
    told = [each for each in results if isinstance(each, Refused)]
    assert len(told) == 1
    assert "sent before" in str(told[0])
    assert Receipt.objects.count() == 1


def test_groups_that_send_at_once_get_different_numbers_without_a_gap() -> None:
    call = an_open_call()
    drafts = [a_draft(call=call) for _ in range(4)]
    receipts = at_once(*[lambda draft=draft: send(draft, uuid.uuid4()) for draft in drafts])
    assert sorted(receipt.sequence for receipt in receipts) == [1, 2, 3, 4]


def test_beginning_twice_at_once_makes_one_group_and_one_draft() -> None:
    call, user = an_open_call(), a_user()

    def begin() -> Application:
        return applications.begin(call=call, user=user, language="en", now=timezone.now())

    first, second = at_once(begin, begin)
    assert first == second
    assert (Group.objects.count(), Application.objects.count()) == (1, 1)


def test_of_two_who_withdraw_at_once_the_second_is_told_and_one_mail_goes() -> None:
    sent = an_application()

    def withdraw() -> None:
        applications.withdraw(application=sent, by=sent.owner, now=timezone.now())

    results = at_once(withdraw, withdraw)
    assert sum(isinstance(each, Refused) for each in results) == 1
    assert Mail.objects.filter(key__startswith="withdrawn:").count() == 1
