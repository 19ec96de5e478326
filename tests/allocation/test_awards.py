"""Runs and awards: proposed, approved, released; accepted, used in halves, given back, ended."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from allocation import awards, bundles, ledger, ranking
from allocation.models import (
    AWARD_TRANSITIONS,
    RUN_TRANSITIONS,
    Account,
    AllocationRun,
    Award,
    AwardState,
    Decision,
    LedgerEntry,
    RunState,
)
from grants import applications, calls
from portal.models import AuditEntry, Mail
from portal.refused import Refused
from tests.allocation.test_ledger import at_once
from tests.factories import (
    HOUR,
    a_chair,
    a_co_applicant,
    a_funding_body,
    a_gpu_type,
    a_proposed_run,
    a_released_run,
    a_review,
    a_scored_call,
    after_the_close,
    an_application,
    an_award,
    at,
    some_dates,
)

pytestmark = pytest.mark.django_db


def later(call, **away):
    return after_the_close(call, **(away or {"days": 9}))


def now_of(award: Award):
    return after_the_close(award.pool.call, days=11)


def hours(award: Award) -> dict[str, int]:
    return {str(key): value // HOUR for key, value in ledger.balances(award).items() if value}


class TestProposing:
    def test_a_run_holds_the_engines_problem_and_result_as_canonical_bytes(self):
        run = a_proposed_run()
        problem, result = json.loads(run.problem), json.loads(run.result)
        assert [each["score"] for each in problem["candidates"]].count(5000) == 1
        assert result["input_sha256"] == run.input_sha256
        assert awards.replay(bundles.bundle(run)) == []

    def test_the_hours_are_cut_where_the_pool_ends(self):
        run = a_proposed_run(a_scored_call(hours=225, points=(5, 4, 3)))
        given = {each["id"]: each["gpu_seconds"] for each in json.loads(run.result)["decisions"]}
        in_order = run.ranking.rows.order_by("place").values_list("application__public_id", flat=True)
        assert [given[each] // HOUR for each in in_order] == [150, 75, 0]

    def test_an_earmark_keeps_its_hours_for_those_it_names(self):
        call = _call_with_an_earmark(hours=200, earmarked=100, where={"country": ["KE"]})
        best, named = an_application(call=call), an_application(call=call, country="KE")
        for application, points in ((best, 5), (named, 3)):
            a_review(application, points=points), a_review(application, points=points)
        given = {
            each["id"]: each["gpu_seconds"] // HOUR
            for each in json.loads(a_proposed_run(call).result)["decisions"]
        }
        assert given == {best.public_id: 93, named.public_id: 93}

    def test_a_group_with_an_accepted_award_is_no_first_timer_elsewhere(self):
        award = an_award()
        again = an_application(owner=award.application.owner)
        assert again.group == award.application.group
        assert not awards.first_timer(again) and awards.first_timer(award.application)

    def test_the_same_input_gives_the_run_that_is_there(self):
        run = a_proposed_run()
        again = awards.propose(call=run.call, by=None, now=later(run.call))
        assert again == run and AllocationRun.objects.count() == 1

    def test_it_needs_a_ranking(self):
        call = a_scored_call(points=(4,))
        with pytest.raises(Refused, match="no ranking yet"):
            awards.propose(call=call, by=None, now=later(call))

    def test_it_needs_a_ranking_of_the_scores_as_they_are(self):
        call = a_scored_call(points=(4,))
        ranking.freeze(call=call, by=None, now=later(call))
        a_review(call.applications.get(), points=2)
        with pytest.raises(Refused, match="changed since the ranking was frozen"):
            awards.propose(call=call, by=None, now=later(call))

    def test_a_rule_that_the_engine_does_not_have_is_refused_in_words(self):
        run = a_proposed_run()
        with pytest.raises(Refused, match="no rule 'by-hand'"):
            awards.propose(call=run.call, by=None, now=later(run.call), rule="by-hand")

    def test_beside_an_approved_run_nothing_is_proposed(self):
        run = _approved()
        with pytest.raises(Refused, match="already approved by"):
            awards.propose(call=run.call, by=None, now=later(run.call))

    def test_the_seed_comes_from_the_secret_and_every_receipt(self):
        run = a_proposed_run()
        seed = ranking.seed(run.call)
        assert json.loads(run.problem)["seed"] == seed
        assert len(ranking.receipt_leaves(run.call)) == run.call.receipts_issued


def _call_with_an_earmark(*, hours: int, earmarked: int, where: dict):
    chair, begun = a_chair(), at(days=-3)
    call = calls.create_from_preset(
        preset="standard",
        slug="earmarked",
        title="With an earmark",
        summary="Some hours are for a purpose.",
        zone="UTC",
        dates=some_dates(opens=begun, closes=at(days=9)),
        largest_ask_gpu_seconds=500 * HOUR,
        chair=chair,
        now=begun,
    )
    offered = {"gpu_type": a_gpu_type(), "gpu_seconds": hours * HOUR, "by": chair, "now": begun}
    pool = calls.add_pool(call=call, funder=a_funding_body(), **offered)
    calls.add_earmark(pool=pool, gpu_seconds=earmarked * HOUR, where=where, by=chair, now=begun)
    calls.publish(call=call, by=chair, now=begun)
    call.refresh_from_db()
    return call


def _approved() -> AllocationRun:
    run = a_proposed_run()
    awards.approve(run=run, by=run.call.chairs.get(), now=later(run.call))
    run.refresh_from_db()
    return run


class TestReleasing:
    def test_every_applicant_gets_one_decision_and_one_mail(self):
        run = a_released_run(a_scored_call(hours=225, points=(5, 4, 2)))
        sent = run.call.applications.all()
        assert Decision.objects.filter(run=run).count() == 3
        for application in sent:
            mail = Mail.objects.get(key=f"decision:{run.pk}:{application.pk}")
            assert mail.to_address == application.owner.email
            assert f"/applications/{application.public_id}/decision/" in mail.body

    def test_the_mail_says_the_outcome_first_then_why(self):
        run = a_released_run(a_scored_call(hours=100, points=(5, 2)))
        rows = run.ranking.rows.order_by("place")
        first, second = (Mail.objects.get(key=f"decision:{run.pk}:{row.application_id}") for row in rows)
        assert first.subject.startswith("93 hours for ")
        assert first.body.startswith(
            "You get 93 hours.\n\nYou asked for 150 hours; 93 of them could be given."
        )
        assert second.body.startswith("No hours could be given this time.")
        assert "Your mean score was 2.0; this call needs 3.0." in second.body

    def test_hours_go_from_the_funder_into_the_pool_and_are_held_for_the_awards(self):
        run = a_released_run(a_scored_call(hours=225, points=(5, 4, 3)))
        pool = run.call.pools.get()
        assert ledger.pool_balance(pool) == 0
        assert [hours(award) for award in Award.objects.order_by("-gpu_seconds")] == [
            {"held": 150},
            {"held": 75},
        ]
        assert list(ledger.check()) == []

    def test_an_offer_stands_for_fourteen_days(self):
        award = an_award(accepted=False)
        assert award.state == AwardState.OFFERED
        assert award.offer_ends_at - award.offered_at == timedelta(days=14)

    def test_the_call_is_released_and_other_proposals_are_discarded(self):
        run = a_proposed_run()
        a_review(run.call.applications.first(), points=5)
        ranking.freeze(call=run.call, by=None, now=later(run.call))
        newer = awards.propose(call=run.call, by=None, now=later(run.call))
        awards.approve(run=newer, by=None, now=later(run.call))
        awards.release(run=newer, by=None, now=later(run.call, days=10))
        run.refresh_from_db()
        run.call.refresh_from_db()
        assert run.state == RunState.DISCARDED and run.call.released_at == later(run.call, days=10)

    def test_feedback_does_not_tell_who_wrote_it(self):
        run = a_released_run()
        decision = Decision.objects.filter(run=run)[0]
        assert decision.feedback == [{"strength": "Clear chain.", "fix": "Say who pays the phones."}] * 2

    def test_what_did_not_fit_the_call_has_a_decision_and_no_second_mail(self):
        call = a_scored_call(points=(4,))
        outside = an_application(call=call)
        chair = call.chairs.get()
        applications.mark_ineligible(
            application=outside, by=chair, reason="Not a small group.", now=later(call, hours=1)
        )
        run = a_released_run(call)
        decision = Decision.objects.get(run=run, application=outside)
        assert decision.outcome == "declined" and decision.reasons == [{"kind": "ineligible"}]
        assert not Mail.objects.filter(key=f"decision:{run.pk}:{outside.pk}").exists()

    def test_the_release_waits_when_somebody_withdrew_meanwhile(self):
        run = _approved()
        gone = run.call.applications.first()
        applications.withdraw(application=gone, by=gone.owner, now=later(run.call))
        with pytest.raises(Refused, match="Discard it and propose again"):
            awards.release(run=run, by=None, now=later(run.call))
        assert (
            Decision.objects.count() == 0 and Award.objects.count() == 0 and LedgerEntry.objects.count() == 0
        )
        run.refresh_from_db()
        assert run.state == RunState.APPROVED

    def test_the_second_chair_is_told_by_whom_and_when(self):
        run = _approved()
        first, second = run.call.chairs.get(), _second_chair(run.call)
        awards.release(run=run, by=first, now=later(run.call))
        with pytest.raises(Refused, match=f"already released by {first} on .*Dhaka time"):
            awards.release(run=run, by=second, now=later(run.call))
        assert Mail.objects.filter(key__startswith="decision:").count() == 3

    def test_queries_grow_only_with_what_is_written(self):
        """An application costs its mail; everything is read once for all."""
        counts = []
        for size in (2, 6):
            run = a_proposed_run(a_scored_call(points=(2,) * size))
            awards.approve(run=run, by=None, now=later(run.call))
            with CaptureQueriesContext(connection) as asked:
                awards.release(run=run, by=None, now=later(run.call))
            counts.append(len(asked))
        assert (counts[1] - counts[0]) / 4 <= 7


def _second_chair(call):
    chair = a_chair()
    calls.add_chair(call=call, chair=chair, by=None, now=call.opens_at)
    return chair


class TestEveryPairOfRunStates:
    @pytest.mark.parametrize("before", RunState)
    @pytest.mark.parametrize("after", [RunState.APPROVED, RunState.RELEASED, RunState.DISCARDED])
    def test_a_run_moves_only_as_the_table_says(self, before, after):
        run = a_proposed_run()
        now = later(run.call)
        ways = {
            RunState.PROPOSED: [],
            RunState.APPROVED: [awards.approve],
            RunState.RELEASED: [awards.approve, awards.release],
            RunState.DISCARDED: [awards.discard],
        }
        for step in ways[before]:
            step(run=run, by=None, now=now)
        move = {"approved": awards.approve, "released": awards.release, "discarded": awards.discard}[after]
        if after in RUN_TRANSITIONS[before]:
            move(run=run, by=None, now=now)
            run.refresh_from_db()
            assert run.state == after
        else:
            with pytest.raises(Refused, match=run.public_id):
                move(run=run, by=None, now=now)
            run.refresh_from_db()
            assert run.state == before


class TestEveryPairOfAwardStates:
    @pytest.mark.parametrize("before", AwardState)
    @pytest.mark.parametrize("after", [state for state in AwardState if state != AwardState.OFFERED])
    def test_an_award_moves_only_as_the_table_says(self, before, after):
        award = _award_that_is(before)
        may = after in AWARD_TRANSITIONS[before]
        try:
            _bring(award, after)
            moved = True
        except Refused:
            moved = False
        award.refresh_from_db()
        assert moved == may
        assert award.state == (after if may else before)
        assert list(ledger.check()) == []


def _award_that_is(state: AwardState) -> Award:
    award = an_award(accepted=False)
    if state in (AwardState.ACCEPTED, AwardState.ACTIVE, AwardState.FINISHED):
        _bring(award, AwardState.ACCEPTED)
    if state in (AwardState.ACTIVE, AwardState.FINISHED):
        _bring(award, AwardState.ACTIVE)
    if state in (AwardState.FINISHED, AwardState.EXPIRED, AwardState.REVOKED):
        _bring(award, state)
    award.refresh_from_db()
    assert award.state == state
    return award


def _bring(award: Award, state: AwardState) -> None:
    """The stage function that leads to a state, at an instant when it may."""
    now, over = now_of(award), award.ends_at + timedelta(seconds=1)
    if state == AwardState.ACCEPTED:
        awards.accept(award=award, by=None, now=now)
    elif state == AwardState.ACTIVE:
        if not awards.activate(award=award, now=now):
            raise Refused("nothing moved")
    elif state == AwardState.EXPIRED:
        awards.end(award=award, now=over)
    elif state == AwardState.REVOKED:
        awards.revoke(award=award, by=None, reason="The work has stopped.", now=now)
    else:
        _finish(award, over)


def _finish(award: Award, over) -> None:
    """All hours used: then the award ends as finished, in place of expired."""
    award.refresh_from_db()
    if award.state == AwardState.ACTIVE:
        for account in (Account.HELD, Account.READY):
            rest = ledger.balances(award)[account]
            if rest:
                ledger.move(
                    source=f"test {account}",
                    pool=award.pool,
                    award=award,
                    from_account=account,
                    to_account=Account.USED,
                    gpu_seconds=rest,
                    now=over,
                )
        awards.end(award=award, now=now_of(award))
    elif award.state in (AwardState.OFFERED, AwardState.ACCEPTED):
        raise Refused("only an active award can be finished")
    else:
        awards.end(award=award, now=over)


class TestTheLifeOfAnAward:
    def test_accepting_makes_half_ready(self):
        award = an_award()
        assert hours(award) == {"held": 75, "ready": 75}
        assert Mail.objects.filter(key__startswith=f"offer_accepted:{award.pk}:").count() == 1

    def test_an_odd_second_is_in_the_first_half(self):
        assert awards.first_half(7) == 4

    def test_accepting_twice_is_told_in_words(self):
        award = an_award()
        with pytest.raises(Refused, match="is “accepted” since"):
            awards.accept(award=award, by=None, now=now_of(award))
        assert hours(award) == {"held": 75, "ready": 75}

    def test_a_co_applicant_cannot_accept(self):
        award = an_award(accepted=False)
        person = a_co_applicant(award.application)
        with pytest.raises(Refused, match="leads the group"):
            awards.accept(award=award, by=person, now=now_of(award))

    def test_the_offer_ends_to_the_microsecond(self):
        award = an_award(accepted=False)
        with pytest.raises(Refused, match="The offer stood until"):
            awards.accept(award=award, by=None, now=award.offer_ends_at)
        awards.accept(award=award, by=None, now=award.offer_ends_at - timedelta(microseconds=1))

    def test_the_note_opens_the_second_half_once(self):
        award = an_award()
        awards.write_progress_note(award=award, by=None, text="It works.\nCuts.\nNext.", now=now_of(award))
        assert hours(award) == {"ready": 150}
        award.refresh_from_db()
        with pytest.raises(Refused, match="already written on"):
            awards.write_progress_note(award=award, by=None, text="Again", now=now_of(award))
        assert award.progress_note == "It works.\nCuts.\nNext."

    @pytest.mark.parametrize(("text", "says"), [("  ", "Write a line"), ("x" * 1501, "at most 1500 fit")])
    def test_a_note_that_cannot_be_kept_says_what_to_change(self, text, says):
        award = an_award()
        with pytest.raises(Refused, match=says) as refused:
            awards.write_progress_note(award=award, by=None, text=text, now=now_of(award))
        assert "text" in refused.value.fields and hours(award)["held"] == 75

    def test_no_note_before_the_hours_are_accepted(self):
        award = an_award(accepted=False)
        with pytest.raises(Refused, match="Accept the hours first"):
            awards.write_progress_note(award=award, by=None, text="It works.", now=now_of(award))

    def test_what_is_given_back_is_in_the_pool_again(self):
        award = an_award()
        pool_had = ledger.pool_balance(award.pool)
        awards.activate(award=award, now=now_of(award))
        awards.give_back(award=award, by=award.application.owner, now=now_of(award))
        award.refresh_from_db()
        assert award.state == AwardState.FINISHED and hours(award) == {}
        assert ledger.pool_balance(award.pool) == pool_had + award.gpu_seconds
        with pytest.raises(Refused, match="“finished” since"):
            awards.give_back(award=award, by=award.application.owner, now=now_of(award))

    def test_an_offer_that_is_turned_down_goes_back_whole(self):
        award = an_award(accepted=False)
        awards.give_back(award=award, by=award.application.owner, now=now_of(award))
        award.refresh_from_db()
        assert award.state == AwardState.EXPIRED and hours(award) == {}

    def test_pausing_keeps_the_hours_and_tells_the_reason(self):
        award = an_award()
        awards.pause(award=award, by=None, reason="The key leaked.", now=now_of(award))
        award.refresh_from_db()
        assert award.paused_at == now_of(award) and hours(award) == {"held": 75, "ready": 75}
        assert "The key leaked." in Mail.objects.get(key__startswith="award_paused:").body
        with pytest.raises(Refused, match="paused already"):
            awards.pause(award=award, by=None, reason="Again", now=now_of(award))
        awards.resume(award=award, by=None, reason="", now=now_of(award))
        award.refresh_from_db()
        assert award.paused_at is None
        with pytest.raises(Refused, match="is not paused"):
            awards.resume(award=award, by=None, reason="", now=now_of(award))

    def test_pausing_and_revoking_need_a_reason(self):
        award = an_award()
        for stage in (awards.pause, awards.revoke):
            with pytest.raises(Refused) as refused:
                stage(award=award, by=None, reason=" ", now=now_of(award))
            assert refused.value.fields["reason"] == "Write a line here."

    def test_an_award_does_not_end_while_time_and_hours_are_left(self):
        award = an_award()
        with pytest.raises(Refused, match="150 hours are left"):
            awards.end(award=award, now=now_of(award))

    def test_what_expires_is_written_as_expired_on_its_way_to_the_pool(self):
        award = an_award()
        awards.end(award=award, now=award.ends_at)
        ways = list(award.movements.values_list("from_account", "to_account").order_by("pk"))[-4:]
        assert ways == [("held", "expired"), ("expired", "pool"), ("ready", "expired"), ("expired", "pool")]

    def test_the_worker_ends_what_is_due_and_nothing_else(self):
        run = a_released_run()
        offered, accepted, other = Award.objects.filter(decision__run=run).order_by("pk")
        awards.accept(award=accepted, by=None, now=now_of(accepted))
        assert awards.end_due(now=offered.offer_ends_at - timedelta(seconds=1)) == []
        ended = awards.end_due(now=offered.offer_ends_at)
        assert ended == [offered.account_name, other.account_name]
        assert awards.end_due(now=offered.offer_ends_at) == []
        assert awards.end_due(now=accepted.ends_at) == [accepted.account_name]

    def test_each_step_is_in_the_audit(self):
        award = an_award()
        awards.give_back(award=award, by=None, now=now_of(award))
        did = AuditEntry.objects.filter(subject_kind="allocation.Award", subject_id=str(award.pk))
        assert list(did.values_list("did", flat=True).order_by("pk")) == [
            "award.accepted",
            "award.given-back",
        ]


@pytest.mark.django_db(transaction=True)
class TestTwoChairsAtOnce:
    def test_one_releases_and_the_other_is_told(self):
        run = _approved()
        people = [run.call.chairs.get(), _second_chair(run.call)]
        answers = at_once(2, lambda n: awards.release(run=run, by=people[n], now=later(run.call)))
        assert one_was_told(answers, "already released by")
        assert Mail.objects.filter(key__startswith="decision:").count() == 3
        assert AuditEntry.objects.filter(did="run.released").count() == 1
        assert list(ledger.check()) == []

    def test_one_approves_and_the_other_is_told(self):
        run = a_proposed_run()
        people = [run.call.chairs.get(), _second_chair(run.call)]
        answers = at_once(2, lambda n: awards.approve(run=run, by=people[n], now=later(run.call)))
        assert one_was_told(answers, "already approved by")

    def test_two_chairs_cannot_approve_two_runs_of_a_call(self):
        run = a_proposed_run()
        a_review(run.call.applications.first(), points=5)
        ranking.freeze(call=run.call, by=None, now=later(run.call))
        newer = awards.propose(call=run.call, by=None, now=later(run.call))
        AllocationRun.objects.filter(pk=run.pk).update(ranking=newer.ranking)
        runs = [AllocationRun.objects.get(pk=run.pk), newer]
        answers = at_once(2, lambda n: awards.approve(run=runs[n], by=None, now=later(run.call)))
        assert one_was_told(answers, "already approved by")

    def test_without_the_guard_both_chairs_approve(self):
        """The broken twin: looks first and writes afterwards. The test above must not pass for it."""
        run = a_proposed_run()
        barrier = threading.Barrier(2)

        def approve_unguarded(number: int) -> None:
            state = AllocationRun.objects.values_list("state", flat=True).get(pk=run.pk)
            barrier.wait(10)
            if state != RunState.PROPOSED:
                raise Refused("This run was already approved by somebody.")
            with transaction.atomic():
                AllocationRun.objects.filter(pk=run.pk).update(state=RunState.APPROVED)

        assert not one_was_told(at_once(2, approve_unguarded), "already approved by")


def one_was_told(answers: list, words: str) -> bool:
    refused = [each for each in answers if isinstance(each, Refused)]
    return answers.count(None) == 1 and len(refused) == 1 and words in str(refused[0])
