"""The chair's pages: a call from preset to publishing, applications, reviewers."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from grants import reviews
from grants.models import Application, Assignment, Call, Recusal
from portal.models import AuditEntry
from tests import factories as make
from tests.grants.workroom import (
    CANARIES,
    a_secret_application,
    application_path,
    call_path,
    client_of,
    page,
    post,
    private_words,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_second_factor")]


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
    typed = typed_call(timezone.now(), title="Too late", reviewers_per_application="2")
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
    assert f"Not assigned: {second.public_id} to {conflicted}. This reviewer belongs to the group" in text


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
