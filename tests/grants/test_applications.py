"""The stage functions of applications: what they keep, what they refuse, and what two people at once may do."""

import json
import uuid
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from grants import applications
from grants.applications import Moved
from grants.models import TRANSITIONS, Application, Call, Group, Receipt, SentContent, State
from portal.models import AuditEntry, Mail
from portal.refused import Refused
from tests.factories import (
    HOUR,
    a_chair,
    a_co_applicant,
    a_draft,
    a_gpu_type,
    a_released_run,
    a_user,
    an_application,
    an_open_call,
)

pytestmark = pytest.mark.django_db


def now() -> datetime:
    return timezone.now()


def begin(call: Call, user: Any, at: datetime | None = None) -> Application:
    return applications.begin(call=call, user=user, language="en", now=at or now())


def save(application: Application, at: datetime | None = None, **answers: Any) -> Application:
    return applications.save_answers(
        application=application,
        by=application.owner,
        version=application.version,
        answers=answers,
        now=at or now(),
    )


def submit(application: Application, at: datetime | None = None, key: uuid.UUID | None = None) -> Receipt:
    return applications.submit(
        application=application, by=application.owner, key=key or uuid.uuid4(), now=at or now()
    )


def in_state(state: State) -> Application:
    application = a_draft() if state == State.DRAFT else an_application()
    if state == State.WITHDRAWN:
        applications.withdraw(application=application, by=application.owner, now=now())
    if state == State.INELIGIBLE:
        applications.mark_ineligible(application=application, by=None, reason="No goal.", now=now())
    application.refresh_from_db()
    return application


def test_beginning_twice_gives_the_same_draft_and_one_group() -> None:
    call, user = an_open_call(), a_user()
    first, second = begin(call, user), begin(call, user)
    assert first == second
    assert Group.objects.count() == 1
    assert first.group.memberships.get().user == user


def test_the_next_call_asks_nobody_twice_who_they_are() -> None:
    sent = an_application(
        country="KE", group_name="Lake Fishers’ Union", group_kind="cooperative", group_size=31
    )
    draft = begin(an_open_call(), sent.owner)
    assert draft.group == sent.group
    assert (draft.country, draft.group_name, draft.group_kind, draft.group_size) == (
        "KE",
        "Lake Fishers’ Union",
        "cooperative",
        31,
    )


def test_a_call_that_is_not_open_yet_says_when_it_opens() -> None:
    call = an_open_call()
    user = a_user(zone="Asia/Dhaka")
    with pytest.raises(Refused, match="opens on .*Dhaka time"):
        begin(call, user, call.opens_at - timedelta(hours=1))


def test_after_the_close_nothing_begins_and_the_instant_is_told_in_the_zone_of_the_person() -> None:
    call, user = an_open_call(), a_user(zone="Africa/Dakar")
    with pytest.raises(Refused, match=r"closed on .*Dakar time \(UTC\+0\)|closed on .*UTC"):
        begin(call, user, call.closes_at)
    assert not Application.objects.exists()


def test_after_a_withdrawal_a_new_application_may_begin_while_the_call_is_open() -> None:
    old = in_state(State.WITHDRAWN)
    new = begin(old.call, old.owner)
    assert new.pk != old.pk
    assert new.state == State.DRAFT


def test_saving_counts_the_version_up_and_fills_the_group() -> None:
    draft = begin(an_open_call(), a_user())
    saved = save(draft, title="A Sylheti speech recogniser", group_name="Surma Voice Circle", group_size=4)
    assert saved.version == draft.version + 1
    assert saved.title == "A Sylheti speech recogniser"
    draft.group.refresh_from_db()
    assert (draft.group.name, draft.group.size) == ("Surma Voice Circle", 4)


def test_saving_what_stands_there_already_changes_nothing() -> None:
    draft = a_draft()
    again = save(draft, title=draft.title, sdg_others=list(draft.sdg_others))
    assert again.version == draft.version
    assert not AuditEntry.objects.filter(did="application.saved", at__gt=draft.updated_at).exists()


def test_only_answers_can_be_saved() -> None:
    draft = a_draft()
    with pytest.raises(ValueError, match="state"):
        save(draft, state="submitted")


def test_an_old_version_is_refused_and_the_newer_row_comes_along() -> None:
    draft = a_draft()
    save(draft, title="What the colleague wrote")
    with pytest.raises(Moved) as caught:
        save(draft, title="What I wrote meanwhile")
    assert caught.value.newer.title == "What the colleague wrote"
    assert Application.objects.get().title == "What the colleague wrote"


def test_after_the_close_an_answer_is_refused_with_the_closing_instant() -> None:
    draft = a_draft(owner=a_user(zone="Asia/Dhaka"))
    with pytest.raises(Refused, match="closed on .*Dhaka time"):
        save(draft, at=draft.call.closes_at, title="One second late")
    draft.refresh_from_db()
    assert draft.title != "One second late"


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.INELIGIBLE])
def test_what_was_taken_out_of_the_call_cannot_be_changed(state: State) -> None:
    with pytest.raises(Refused, match="can no longer be changed"):
        save(in_state(state), title="Changed all the same")


def test_a_change_after_sending_makes_a_new_receipt_and_no_second_mail() -> None:
    sent = an_application()
    save(sent, title="A better title than before")
    first, second = Receipt.objects.order_by("sequence")
    assert second.sequence == first.sequence + 1
    assert second.sha256 != first.sha256
    assert "A better title than before" in second.content.canonical
    assert Mail.objects.filter(key__startswith="received:").count() == 1


def test_a_sent_application_must_stay_whole() -> None:
    sent = an_application()
    with pytest.raises(Refused, match="Question 2"):
        save(sent, problem="")
    sent.refresh_from_db()
    assert sent.problem
    assert Receipt.objects.count() == 1


def test_a_draft_may_have_holes_and_makes_no_receipt() -> None:
    draft = save(a_draft(), problem="")
    assert draft.problem == ""
    assert not Receipt.objects.exists()


def test_sending_gives_number_instant_digest_mail_and_audit() -> None:
    draft, instant = a_draft(), now()
    receipt = submit(draft, at=instant)
    draft.refresh_from_db()
    assert (draft.state, draft.submitted_at, receipt.at, str(receipt)) == (
        "submitted",
        instant,
        instant,
        "0001",
    )
    assert receipt.sha256 == sha256(receipt.content.canonical.encode()).hexdigest()
    mail = Mail.objects.get(key=f"received:{receipt.pk}")
    assert mail.to_address == draft.owner.email
    assert receipt.sha256 in mail.body
    assert AuditEntry.objects.get(did="application.submitted").by == draft.owner


def test_the_mail_keeps_apostrophes_and_says_times_in_the_zone_of_the_person() -> None:
    draft = a_draft(owner=a_user(zone="Asia/Dhaka"), title="A guide to our river's plants")
    submit(draft)
    mail = Mail.objects.get(key__startswith="received:")
    assert mail.subject == "Receipt 0001: A guide to our river's plants"
    assert "Dhaka time" in mail.body


def test_the_same_key_gets_the_same_receipt() -> None:
    draft, key = a_draft(), uuid.uuid4()
    assert submit(draft, key=key) == submit(draft, key=key)
    assert submit(draft, key=key, at=draft.call.closes_at + timedelta(days=1)).sequence == 1
    assert (Receipt.objects.count(), Mail.objects.filter(key__startswith="received:").count()) == (1, 1)


def test_another_key_is_told_that_it_was_sent_before() -> None:
    draft = a_draft()
    submit(draft)
    with pytest.raises(Refused, match="sent before"):
        submit(draft)
    assert Receipt.objects.count() == 1


def test_the_key_of_another_application_is_refused() -> None:
    key = uuid.uuid4()
    submit(a_draft(), key=key)
    with pytest.raises(Refused, match="another application"):
        submit(a_draft(), key=key)


def test_only_the_owner_sends_and_withdraws() -> None:
    draft = a_draft()
    colleague = a_co_applicant(draft)
    with pytest.raises(Refused, match="Only the person who began"):
        applications.submit(application=draft, by=colleague, key=uuid.uuid4(), now=now())
    submit(draft)
    with pytest.raises(Refused, match="Only the person who began"):
        applications.withdraw(application=draft, by=colleague, now=now())
    draft.refresh_from_db()
    assert draft.state == State.SUBMITTED


def test_late_by_an_instant_is_late() -> None:
    draft = a_draft(owner=a_user(zone="America/Montevideo"))
    with pytest.raises(Refused, match="closed on .*Montevideo time"):
        submit(draft, at=draft.call.closes_at)
    assert submit(draft, at=draft.call.closes_at - timedelta(microseconds=1)).sequence == 1


def test_receipts_are_numbered_without_gaps_in_their_call() -> None:
    call = an_open_call()
    numbers = [submit(a_draft(call=call)).sequence for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert submit(a_draft()).sequence == 1


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"title": "Too short"}, 1),
        ({"problem": ""}, 2),
        ({"outcome_month": None}, 4),
        ({"job_kind": ""}, 5),
        ({"ask_gpu_seconds": None, "minimum_gpu_seconds": None, "wants_help": True}, 6),
        ({"ask_gpu_seconds": 1501 * HOUR}, 6),
        ({"data_rights": []}, 8),
        ({"shares": []}, 9),
        ({"shares": ["nothing"]}, 9),
        ({"steadiness": ""}, 10),
        ({"group_kind": ""}, 11),
        ({"contact_phone": "", "contact_email": ""}, 11),
        ({"promises": ["rules"]}, 12),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_sent(changed: dict[str, Any], number: int) -> None:
    draft = a_draft(**changed)
    assert [each.number for each in applications.missing_answers(draft)] == [number]
    with pytest.raises(Refused, match=f"Question {number}:") as caught:
        submit(draft)
    assert list(caught.value.fields) == [str(number)]
    assert not Receipt.objects.exists()


def test_a_gpu_that_the_call_does_not_offer_is_missing() -> None:
    draft = a_draft(gpu_type=a_gpu_type("h100"))
    assert [each.number for each in applications.missing_answers(draft)] == [6]


@pytest.mark.parametrize("before", list(State))
@pytest.mark.parametrize("after", [State.SUBMITTED, State.WITHDRAWN, State.INELIGIBLE])
def test_every_pair_of_states_moves_as_the_table_says(before: State, after: State) -> None:
    application = in_state(before)
    by, mails = application.owner, Mail.objects.count()
    move = {
        State.SUBMITTED: lambda: (
            applications.restore(application=application, by=None, now=now())
            if before == State.INELIGIBLE
            else submit(application)
        ),
        State.WITHDRAWN: lambda: applications.withdraw(application=application, by=by, now=now()),
        State.INELIGIBLE: lambda: applications.mark_ineligible(
            application=application, by=None, reason="No goal.", now=now()
        ),
    }[after]
    if after in TRANSITIONS[before]:
        move()
    else:
        with pytest.raises(Refused):
            move()
    application.refresh_from_db()
    moved = after in TRANSITIONS[before]
    assert application.state == (after if moved else before)
    assert Mail.objects.count() == mails + moved


def test_no_way_leads_back_to_a_draft_and_only_restore_leads_back_from_ineligible() -> None:
    assert not any(State.DRAFT in reached for reached in TRANSITIONS.values())
    with pytest.raises(Refused, match="cannot be sent"):
        submit(in_state(State.INELIGIBLE))


def test_restoring_is_refused_for_what_was_never_put_aside() -> None:
    for state in (State.DRAFT, State.SUBMITTED, State.WITHDRAWN):
        application = in_state(state)
        with pytest.raises(Refused):
            applications.restore(application=application, by=None, now=now())
        application.refresh_from_db()
        assert application.state == state


def test_restoring_is_refused_while_the_group_has_another_one_in_the_call() -> None:
    aside = in_state(State.INELIGIBLE)
    begin(aside.call, aside.owner)
    with pytest.raises(Refused, match="another application"):
        applications.restore(application=aside, by=None, now=now())


def test_the_reason_of_not_fitting_is_needed_kept_and_told() -> None:
    sent, chair = an_application(), a_chair()
    with pytest.raises(Refused, match="reason"):
        applications.mark_ineligible(application=sent, by=chair, reason="  ", now=now())
    applications.mark_ineligible(application=sent, by=chair, reason="It isn't about a goal.", now=now())
    sent.refresh_from_db()
    assert sent.state_reason == "It isn't about a goal."
    assert "It isn't about a goal." in Mail.objects.get(key__startswith="ineligible:").body


def test_each_putting_aside_and_taking_back_is_told_anew() -> None:
    sent = an_application()
    for _ in range(2):
        applications.mark_ineligible(application=sent, by=None, reason="No goal.", now=now())
        applications.restore(application=sent, by=None, now=now())
    assert Mail.objects.filter(key__startswith="ineligible:").count() == 2
    assert Mail.objects.filter(key__startswith="restored:").count() == 2


def test_nothing_moves_once_the_call_is_decided() -> None:
    application = Application.objects.filter(call=a_released_run().call).first()
    assert application is not None
    with pytest.raises(Refused, match="decided"):
        applications.withdraw(application=application, by=application.owner, now=now())
    with pytest.raises(Refused, match="decided"):
        applications.mark_ineligible(application=application, by=None, reason="Late.", now=now())


def test_the_canonical_content_is_one_text_and_survives_the_database() -> None:
    draft = a_draft(title="Ein Wörterbuch für হাওর", sdg_others=[10, 4])
    canonical = applications.canonical_content(draft)
    content = json.loads(canonical)
    assert content["answers"]["title"] == "Ein Wörterbuch für হাওর"
    assert content["answers"]["gpu_type"] == "a100"
    assert content["answers"]["sdg_others"] == [10, 4]
    assert canonical == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert applications.canonical_content(Application.objects.get(pk=draft.pk)) == canonical


def test_a_receipt_can_be_neither_changed_nor_erased_but_its_content_can() -> None:
    receipt = submit(a_draft())
    with pytest.raises(IntegrityError), transaction.atomic():
        Receipt.objects.filter(pk=receipt.pk).update(sequence=9)
    with pytest.raises(IntegrityError), transaction.atomic():
        Receipt.objects.filter(pk=receipt.pk)._raw_delete("default")
    assert SentContent.objects.filter(receipt=receipt).delete()[0] == 1
