"""Pages of decisions, awards and runs, and the chair's pages about them."""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from allocation import awards, bundles, ledger
from allocation.models import Account, AllocationRun, Award, Decision, Ranking
from grants import applications, calls
from grants.models import Recusal
from portal.models import Mail
from tests.factories import (
    a_chair,
    a_co_applicant,
    a_funder,
    a_proposed_run,
    a_released_run,
    a_reviewer,
    a_scored_call,
    a_user,
    after_the_close,
    an_application,
    an_award,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_factor(settings):
    settings.STAFF_NEEDS_MFA = False


def page(client, user, name, *parts, follow=False):
    if user is not None:
        client.force_login(user)
    return client.get(reverse(name, args=parts), follow=follow)


def post(client, user, name, *parts, **data):
    client.force_login(user)
    return client.post(reverse(name, args=parts), {"once": str(uuid.uuid4()), **data}, follow=True)


def text(response) -> str:
    return response.content.decode()


def decided(**wanted) -> tuple[AllocationRun, Decision]:
    run = a_released_run(a_scored_call(hours=225, points=(5, 4, 2)))
    return run, Decision.objects.filter(run=run, **wanted).order_by("-gpu_seconds").select_related(
        "application"
    )[0]


class TestTheDecision:
    def test_it_says_the_outcome_first_then_why_then_every_score(self, client):
        _, decision = decided(outcome="declined")
        answer = page(client, decision.application.owner, "decision", decision.application.public_id)
        said = text(answer)
        told = [
            "<h1>No hours could be given this time</h1>",
            "Your mean score was 2.0; this call needs 3.0.",
            "SDG change",
            "Clear chain.",
            "Say who pays the phones.",
            reverse("run", args=[decision.run.public_id]),
        ]
        places = [said.index(each) for each in told]
        assert places == sorted(places)

    def test_what_would_have_been_enough_has_numbers(self, client):
        run = a_released_run(a_scored_call(hours=200, points=(5, 4)))
        decision = Decision.objects.get(run=run, outcome="declined")
        said = text(page(client, decision.application.owner, "decision", decision.application.public_id))
        assert "When your turn came, 50 hours were left in Ministry" in said
        assert "A smallest useful amount of 50 hours instead of 75." in said
        assert "A score of 5.001 instead of 4.0." in said or "A score of" in said

    def test_an_awarded_group_is_led_to_its_award(self, client):
        _, decision = decided(outcome="awarded")
        said = text(page(client, decision.application.owner, "decision", decision.application.public_id))
        assert "<h1>You get 150 hours</h1>" in said
        assert reverse("award", args=[decision.award.account_name]) in said

    def test_what_did_not_fit_the_call_reads_why(self, client):
        call = a_scored_call(points=(4,))
        outside = an_application(call=call)
        applications.mark_ineligible(
            application=outside, by=call.chairs.get(), reason="Too large a group.", now=after_the_close(call)
        )
        a_released_run(call)
        said = text(page(client, outside.owner, "decision", outside.public_id))
        assert "did not fit the rules" in said and "Too large a group." in said

    def test_before_the_release_there_is_no_page(self, client):
        run = a_proposed_run()
        application = run.call.applications.first()
        assert page(client, application.owner, "decision", application.public_id).status_code == 404

    def test_only_the_group_and_the_chair_read_it(self, client):
        run, decision = decided()
        name, public_id = "decision", decision.application.public_id
        assert page(client, a_co_applicant(decision.application), name, public_id).status_code == 200
        assert page(client, run.call.chairs.get(), name, public_id).status_code == 200
        reviewer = decision.application.assignments.first().reviewer
        funder = a_funder(run.call.pools.get().funder)
        for other in (a_user(), a_chair(), reviewer, funder):
            assert page(client, other, name, public_id).status_code == 404
        client.logout()
        assert page(client, None, name, public_id).status_code == 302

    def test_a_chair_who_stood_back_does_not_read_it(self, client):
        run, decision = decided()
        chair = run.call.chairs.get()
        Recusal.objects.create(
            application=decision.application, reviewer=chair, kind="family", at=timezone.now()
        )
        assert page(client, chair, "decision", decision.application.public_id).status_code == 404


class TestTheAward:
    def test_an_offer_is_accepted_on_its_page(self, client):
        award = an_award(accepted=False)
        owner = award.application.owner
        assert "150 hours are offered to you" in text(page(client, owner, "award", award.account_name))
        said = text(post(client, owner, "accept_award", award.account_name))
        assert "The hours are yours." in said and "150 of your 150 hours are left" in said
        assert "75 h</b> free now" in said and "75 h</b> free after your note" in said

    def test_a_double_click_accepts_once_and_says_no_error(self, client):
        award = an_award(accepted=False)
        client.force_login(award.application.owner)
        key = str(uuid.uuid4())
        for _ in range(2):
            answer = client.post(reverse("accept_award", args=[award.account_name]), {"once": key})
            assert answer.status_code == 302
        assert Mail.objects.filter(key__startswith="offer_accepted:").count() == 1
        assert ledger.balances(award)[Account.READY] == award.gpu_seconds // 2

    def test_a_late_second_try_is_told_how_it_stands(self, client):
        award = an_award()
        said = text(post(client, award.application.owner, "accept_award", award.account_name))
        assert "This award is “accepted” since" in said

    def test_the_note_is_written_in_three_lines(self, client):
        award = an_award()
        lines = {"worked": "It trains.", "failed": "Power cuts.", "next": "Field test."}
        said = text(post(client, award.application.owner, "progress_note", award.account_name, **lines))
        award.refresh_from_db()
        assert award.progress_note == "It trains.\nPower cuts.\nField test."
        assert "The second half of your hours is open." in said and "150 h</b> free now" in said

    def test_a_note_that_lacks_a_line_keeps_every_character(self, client):
        award = an_award()
        lines = {"worked": "It trains, “really” <well>.", "failed": "", "next": "Field test."}
        answer = post(client, award.application.owner, "progress_note", award.account_name, **lines)
        said = text(answer)
        assert "It trains, “really” &lt;well&gt;." in said and "Field test." in said
        assert "One answer needs a look" in said
        award.refresh_from_db()
        assert award.progress_note_at is None

    def test_giving_back_ends_it(self, client):
        award = an_award()
        said = text(post(client, award.application.owner, "give_back", award.account_name))
        assert "back in the pool" in said and "150 hours went back to the pool." in said

    def test_a_co_applicant_reads_and_changes_nothing(self, client):
        award = an_award(accepted=False)
        person = a_co_applicant(award.application)
        said = text(page(client, person, "award", award.account_name))
        assert (
            "The person who leads the group accepts them." in said
            and '<button class="btn">Accept' not in said
        )
        assert post(client, person, "accept_award", award.account_name).status_code == 404

    @pytest.mark.parametrize("name", ["accept_award", "give_back", "progress_note"])
    def test_others_find_nothing_there(self, client, name):
        award = an_award()
        for other in (a_user(), a_reviewer(), a_chair()):
            assert page(client, other, "award", award.account_name).status_code == 404
            assert (
                post(client, other, name, award.account_name, worked="a", failed="b", next="c").status_code
                == 404
            )

    def test_the_funder_reads_it_and_the_chair_accepts_nothing_for_a_group(self, client):
        award = an_award(accepted=False)
        funder = a_funder(award.pool.funder)
        assert page(client, funder, "award", award.account_name).status_code == 200
        chair = award.pool.call.chairs.get()
        assert "leads the group" in text(post(client, chair, "accept_award", award.account_name))
        award.refresh_from_db()
        assert award.state == "offered"


class TestTheRun:
    def test_everybody_may_read_and_download_it(self, client):
        run = a_released_run(a_scored_call(hours=225, points=(5, 4, 2)))
        said = text(page(client, None, "run", run.public_id))
        assert f"manage.py replay {run.public_id}.json" in said and run.input_sha256 in said
        assert run.call.lot_secret in said
        answer = page(client, None, "run_bundle", run.public_id)
        assert answer.content == bundles.as_bytes(run)
        assert answer["Content-Disposition"] == f'attachment; filename="{run.public_id}.json"'
        assert awards.replay(json.loads(answer.content)) == []

    def test_it_names_nobody(self, client):
        run = a_released_run(a_scored_call(hours=225, points=(5, 4, 2)))
        said = text(page(client, None, "run", run.public_id))
        for application in run.call.applications.all():
            assert application.public_id in said
            for private in (application.title, application.group_name, application.owner.email):
                assert private not in said

    def test_before_the_release_it_is_not_there(self, client):
        run = a_proposed_run()
        for user in (None, run.call.chairs.get()):
            assert page(client, user, "run", run.public_id).status_code == 404
            assert page(client, user, "run_bundle", run.public_id).status_code == 404

    def test_an_applicant_finds_the_own_receipt_and_its_way_to_the_root(self, client):
        run = a_released_run()
        receipt = run.call.receipts.order_by("sequence").last()
        where = reverse("run", args=[run.public_id])
        said = text(client.get(where, {"receipt": f" {receipt.sha256.upper()} "}))
        assert f"it is number {receipt.sequence}." in said
        assert "No receipt with this digest" in text(client.get(where, {"receipt": "f" * 64}))
        assert client.get(where, {"receipt": "x", "page": "no"}).status_code == 200

    def test_a_run_of_thirty_costs_as_many_queries_as_of_one(self, client):
        counts = []
        for size in (1, 30):
            run = a_released_run(a_scored_call(points=(3,) * size))
            with CaptureQueriesContext(connection) as asked:
                page(client, None, "run", run.public_id)
            counts.append(len(asked))
        assert counts[0] == counts[1] <= 12


class TestTheChairsPages:
    def test_from_the_scores_to_the_release_by_buttons(self, client):
        call = _closed_now(a_scored_call(hours=225, points=(5, 4, 2)))
        chair = call.chairs.get()
        assert call.title in text(page(client, chair, "admin:allocation_ranking_add"))
        said = text(post(client, chair, "admin:allocation_ranking_add", call=call.pk))
        assert "Mean 2.0 is under 3.0." in said
        frozen = Ranking.objects.get()
        said = text(post(client, chair, "admin:allocation_ranking_propose", frozen.pk, rule="rank-and-cut"))
        assert "The line: below here nobody gets hours; 0 hours are left" in said
        assert "In part, step 0 of 4. 75 hours left in Ministry" in said
        run = AllocationRun.objects.get()
        assert "Approved." in text(post(client, chair, "admin:allocation_allocationrun_approve", run.pk))
        assert "Released:" in text(post(client, chair, "admin:allocation_allocationrun_release", run.pk))
        assert Award.objects.count() == 2

    def test_the_second_chair_reads_who_was_first_and_when(self, client):
        run = a_proposed_run()
        first, second = run.call.chairs.get(), a_chair()
        calls.add_chair(call=run.call, chair=second, by=first, now=run.call.opens_at)
        post(client, first, "admin:allocation_allocationrun_approve", run.pk)
        said = text(post(client, second, "admin:allocation_allocationrun_approve", run.pk))
        assert f"Run {run.public_id} was already approved by {first} on " in said

    def test_missing_reviews_are_told_and_can_be_done_without(self, client):
        call = _closed_now(a_scored_call(points=(4,)))
        waiting = call.applications.get()
        type(call).objects.filter(pk=call.pk).update(reviewers_per_application=3)
        chair = call.chairs.get()
        said = text(post(client, chair, "admin:allocation_ranking_add", call=call.pk))
        assert "still waits for reviews" in said and waiting.public_id in said
        said = text(post(client, chair, "admin:allocation_ranking_add", call=call.pk, without_missing="on"))
        assert "The ranking is frozen." in said

    def test_what_a_chair_stood_back_from_stays_hidden(self, client):
        run = a_proposed_run()
        chair, hidden = run.call.chairs.get(), run.call.applications.first()
        Recusal.objects.create(application=hidden, reviewer=chair, kind="family", at=timezone.now())
        for name, row in (("ranking", run.ranking), ("allocationrun", run)):
            said = text(page(client, chair, f"admin:allocation_{name}_change", row.pk))
            assert hidden.public_id not in said and "You stood back from this application" in said

    def test_other_chairs_reviewers_and_applicants_find_nothing(self, client):
        run = a_proposed_run()
        for other in (a_chair(), a_reviewer(), run.call.applications.first().owner):
            for name, row in (("ranking", run.ranking), ("allocationrun", run)):
                assert page(client, other, f"admin:allocation_{name}_change", row.pk).status_code == 404
            for step in ("approve", "release", "discard"):
                assert (
                    post(client, other, f"admin:allocation_allocationrun_{step}", run.pk).status_code == 404
                )
        run.refresh_from_db()
        assert run.state == "proposed"

    def test_an_award_is_paused_resumed_and_taken_back_with_a_reason(self, client):
        award = an_award()
        chair = award.pool.call.chairs.get()
        said = text(post(client, chair, "admin:allocation_award_pause", award.pk, reason=""))
        assert "This field is required." in said
        assert "Paused." in text(post(client, chair, "admin:allocation_award_pause", award.pk, reason="Leak"))
        said = text(post(client, chair, "admin:allocation_award_pause", award.pk, reason="Leak, again"))
        assert "paused already" in said and "Leak, again" in said
        assert "Resumed." in text(
            post(client, chair, "admin:allocation_award_resume", award.pk, reason="Safe")
        )
        assert "Taken back." in text(
            post(client, chair, "admin:allocation_award_revoke", award.pk, reason="Over")
        )
        award.refresh_from_db()
        assert award.state == "revoked"

    @pytest.mark.parametrize("name", ["ranking", "allocationrun", "award"])
    def test_a_list_of_many_costs_as_many_queries_as_of_one(self, client, name):
        chair, counts = a_chair(), []
        client.force_login(chair)
        page(client, chair, f"admin:allocation_{name}_changelist")
        for size in (1, 4):
            while Ranking.objects.count() < size:
                run = a_released_run()
                calls.add_chair(call=run.call, chair=chair, by=None, now=run.call.opens_at)
            with CaptureQueriesContext(connection) as asked:
                assert page(client, chair, f"admin:allocation_{name}_changelist").status_code == 200
            counts.append(len(asked))
        assert counts[0] == counts[1]


def _closed_now(call):
    """The same call, as if it had closed yesterday: pages read the clock."""
    type(call).objects.filter(pk=call.pk).update(closes_at=timezone.now() - timedelta(days=1))
    call.refresh_from_db()
    return call
