"""What mails, files and public pages say once a call is decided: of the group that won, and of the one that did not."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from allocation import awards, reports
from allocation.models import Award
from grants.models import Application, Call
from portal.models import Mail, User
from tests import factories as make
from tests.portal.crawling import what_is_said
from tests.portal.everybody import undone

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def released(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """Made once: no test here changes it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield a_released_call()
        transaction.set_rollback(True)


def a_marked_application(call: Call, name: str, points: int) -> Application:
    """Reviewed, with its name in every word that somebody must not read."""
    owner = make.a_user(f"qz{name.lower()}owner", display_name=f"Qz{name}Owner")
    answers = {"group_name": f"Qz{name}Group", "contact_phone": f"Qz{name}Phone"}
    application = make.an_application(call=call, owner=owner, **answers)
    for number in range(call.reviewers_per_application):
        reviewer = make.a_reviewer()
        User.objects.filter(pk=reviewer.pk).update(
            email=f"qzreviewer{name.lower()}{number}@example.org", display_name=f"QzReviewer{name}{number}"
        )
        reviewer.refresh_from_db()
        note = {"harm": "safeguards", "harm_note": f"QzHarm{name}", "strength": f"QzStrong{name}"}
        make.a_review(application, points=points, reviewer=reviewer, fix=f"QzFix{name}", **note)
    return application


def a_released_call() -> dict[str, Any]:
    call = make.an_open_call(hours=160)
    words = {
        "Winner": a_marked_application(call, "Winner", 5),
        "Declined": a_marked_application(call, "Declined", 1),
    }
    run = make.a_released_run(call)
    Call.objects.filter(pk=call.pk).update(released_at=timezone.now())
    award = Award.objects.get(pool__call=call)
    owner = award.application.owner
    awards.accept(award=award, by=owner, now=award.offered_at)
    report = reports.request(kind="call", subject=call, by=None, language="en", now=timezone.now())
    of_award = reports.request(kind="award", subject=award, by=None, language="en", now=timezone.now())
    return {"run": run, "call": call, "award": award, "reports": [report, of_award], **words}


def public_paths(released: dict[str, Any]) -> list[str]:
    run = released["run"].public_id
    public = [
        "/",
        "/calls/",
        f"/calls/{released['call'].slug}/",
        "/register/",
        "/register.csv",
        "/register.json",
    ]
    return [*public, f"/runs/{run}/", f"/runs/{run}/bundle.json"]


def test_the_public_reads_who_won_and_nobody_else(released: dict[str, Any]) -> None:
    text = "".join(what_is_said(Client().get(path)) for path in public_paths(released))
    assert "QzWinnerGroup" in text
    assert set(re.findall(r"[Qq]z\w+", text)) == {"QzWinnerGroup"}


def test_a_person_who_applied_alone_is_not_named(released: dict[str, Any]) -> None:
    with undone():
        Application.objects.filter(pk=released["Winner"].pk).update(group_kind="person")
        text = "".join(what_is_said(Client().get(path)) for path in public_paths(released))
    assert "Individual recipient" in text
    assert re.findall(r"[Qq]z\w+", text) == []


def test_the_funder_reads_no_reviewer_no_score_and_nobody_who_was_declined(released: dict[str, Any]) -> None:
    client, award = Client(), released["award"]
    client.force_login(make.a_funder(award.pool.funder))
    names = [each.public_id for each in released["reports"]]
    files = [f"/reports/{name}.{kind}" for name in names for kind in ("html", "csv")]
    for path in ["/funder/", f"/awards/{award.account_name}/", *files]:
        response = client.get(path)
        assert response.status_code == 200, path
        assert set(re.findall(r"[Qq]z\w+", what_is_said(response))) <= {"QzWinnerGroup"}, path
    for name in ("Winner", "Declined"):
        assert client.get(f"/applications/{released[name].public_id}/decision/").status_code == 404


def test_each_applicant_reads_the_words_for_them_and_not_whose_they_are(released: dict[str, Any]) -> None:
    for name, other in (("Winner", "Declined"), ("Declined", "Winner")):
        application, client = released[name], Client()
        client.force_login(application.owner)
        text = what_is_said(client.get(f"/applications/{application.public_id}/decision/"))
        assert {f"QzStrong{name}", f"QzFix{name}"} <= set(re.findall(r"Qz\w+", text))
        assert not re.search(f"[Qq]z[Rr]eviewer|QzHarm|{other}", text)
        receipt = application.receipts.get()
        base = f"/applications/{application.public_id}/"
        for path in (
            base,
            f"{base}check/",
            f"{base}receipt/",
            f"{base}receipt/{receipt.sequence}.json",
            "/my/",
        ):
            assert not re.search(f"[Qq]z[Rr]eviewer|QzHarm|{other}", what_is_said(client.get(path))), path


def test_mails_tell_each_person_only_their_own(released: dict[str, Any]) -> None:
    assert Mail.objects.count() > 6
    for mail in Mail.objects.all():
        text = f"{mail.subject}\n{mail.body}"
        assert not re.search(r"[Qq]z[Rr]eviewer|QzHarm", text), mail.key
        for name in ("Winner", "Declined"):
            if mail.to_address != released[name].owner.email:
                assert name not in text and name.lower() not in text, mail.key


def test_the_lot_is_secret_until_the_release_and_open_after_it(released: dict[str, Any]) -> None:
    call = Call.objects.get(pk=released["call"].pk)
    text = "".join(what_is_said(Client().get(path)) for path in public_paths(released))
    assert call.lot_secret in text
    running = make.an_open_call()
    text = "".join(what_is_said(Client().get(path)) for path in ("/", "/calls/", f"/calls/{running.slug}/"))
    assert running.lot_secret not in text
