"""Every pair of states: the moves of each table are made by a stage function, all other pairs are refused.

The states from which a test begins are written past the stage functions, since some are ends that cannot be left.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from allocation import award_life, awards, slots
from allocation.models import (
    AWARD_TRANSITIONS,
    RESERVATION_TRANSITIONS,
    RUN_TRANSITIONS,
    AllocationRun,
    Award,
    AwardState,
    Reservation,
    ReservationState,
    RunState,
)
from grants import applications
from grants.models import TRANSITIONS, Application, State
from portal.models import AuditEntry, Mail
from portal.refused import Refused
from tests import factories as make
from tests.allocation.awarded import a_simulated_cluster, just_now, some_awards

pytestmark = pytest.mark.django_db

Move = Callable[[Any], Any]


def pairs(states: type[models.TextChoices]) -> list[Any]:
    return [pytest.param(before, after, id=f"{before}-{after}") for before in states for after in states]


def tried(move: Move, row: Any) -> None:
    """A stage function says no by Refused, or by a False that its caller reads."""
    with suppress(Refused):
        move(row)


def check(row: Any, before: Any, after: Any, moves: Mapping[Any, Move], table: Mapping[Any, Any]) -> None:
    """Tries the move to `after` on a row that stands in `before`."""
    type(row).objects.filter(pk=row.pk).update(state=before)
    row.refresh_from_db()
    seen = (AuditEntry.objects.count(), Mail.objects.count(), row.state_since)
    if after in moves:
        tried(moves[after], row)
    row.refresh_from_db()
    if after in table[before]:
        assert row.state == after
        assert AuditEntry.objects.count() == seen[0] + 1
    else:
        assert row.state == before
        assert (AuditEntry.objects.count(), Mail.objects.count(), row.state_since) == seen


def refuses_unknown(row: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(state="lost")
    row.refresh_from_db()
    assert row.state != "lost"


@pytest.mark.parametrize(("before", "after"), pairs(State))
def test_moves_of_an_application(before: State, after: State) -> None:
    # A draft that was sent before keeps its receipt, so the key of a second try must be new: `a_receipt` makes one.
    application, now = make.an_application(), just_now()
    chair = application.call.chairs.get()
    to_submitted: Move = make.a_receipt if before != State.INELIGIBLE else restored(chair)
    moves: dict[State, Move] = {
        State.SUBMITTED: to_submitted,
        State.WITHDRAWN: lambda row: applications.withdraw(application=row, by=row.owner, now=now),
        State.INELIGIBLE: lambda row: applications.mark_ineligible(
            application=row, by=chair, reason="Too large.", now=now
        ),
    }
    check(application, before, after, moves, TRANSITIONS)


def restored(chair: Any) -> Move:
    return lambda row: applications.restore(application=row, by=chair, now=just_now())


@pytest.mark.parametrize("before", [each for each in State if each != State.INELIGIBLE])
def test_only_an_application_that_was_put_aside_comes_back(before: State) -> None:
    application = make.an_application()
    Application.objects.filter(pk=application.pk).update(state=before)
    with pytest.raises(Refused):
        restored(application.call.chairs.get())(application)
    application.refresh_from_db()
    assert application.state == before


@pytest.mark.parametrize(("before", "after"), pairs(RunState))
def test_moves_of_a_run(before: RunState, after: RunState) -> None:
    run = make.a_proposed_run(make.a_scored_call(points=(4,)))
    chair, now = run.call.chairs.get(), make.after_the_close(run.call, days=9)
    moves: dict[RunState, Move] = {
        RunState.APPROVED: lambda row: awards.approve(run=row, by=chair, now=now),
        RunState.RELEASED: lambda row: awards.release(run=row, by=chair, now=now),
        RunState.DISCARDED: lambda row: awards.discard(run=row, by=chair, now=now),
    }
    check(run, before, after, moves, RUN_TRANSITIONS)


def moves_of_an_award(before: AwardState, award: Award) -> dict[AwardState, Move]:
    owner, now = award.application.owner, award.offered_at + timedelta(days=1)
    over = award.ends_at + timedelta(seconds=1)
    return {
        AwardState.ACCEPTED: lambda row: awards.accept(award=row, by=owner, now=now),
        AwardState.ACTIVE: lambda row: awards.activate(award=row, now=now),
        AwardState.FINISHED: lambda row: awards.give_back(award=row, by=owner, now=now),
        AwardState.EXPIRED: lambda row: awards.end(award=row, now=over),
        AwardState.REVOKED: lambda row: awards.revoke(award=row, by=None, reason="Misuse.", now=now),
    }


@pytest.mark.parametrize(("before", "after"), pairs(AwardState))
def test_moves_of_an_award(before: AwardState, after: AwardState) -> None:
    award = make.an_award(accepted=False, call=make.a_scored_call(points=(4,)))
    moves = moves_of_an_award(before, award)
    is_turned_down = after == AwardState.FINISHED and AwardState.EXPIRED in AWARD_TRANSITIONS[before]
    if is_turned_down and after not in AWARD_TRANSITIONS[before]:
        del moves[after]  # giving back what never ran ends as expired: the pair of that move shows it
    check(award, before, after, moves, AWARD_TRANSITIONS)


@pytest.mark.parametrize("before", [AwardState.OFFERED, AwardState.ACCEPTED])
def test_hours_that_never_ran_and_are_given_back_count_as_expired(before: AwardState) -> None:
    award = make.an_award(accepted=False, call=make.a_scored_call(points=(4,)))
    Award.objects.filter(pk=award.pk).update(state=before)
    awards.give_back(award=award, by=award.application.owner, now=award.offered_at)
    award.refresh_from_db()
    assert award.state == AwardState.EXPIRED


@pytest.fixture(scope="module")
def one_slot(django_db_setup: None, django_db_blocker: Any) -> Any:
    """A slot of one GPU, made once: each test moves it and its move is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        (award,) = some_awards(20)
        gpu = a_simulated_cluster(gpus=1).gpus.get()
        now = just_now()
        yield Reservation.objects.create(
            award=award, gpu=gpu, starts_at=now, ends_at=now + timedelta(hours=5), state_since=now
        )
        transaction.set_rollback(True)


@pytest.mark.parametrize(("before", "after"), pairs(ReservationState))
def test_moves_of_a_reservation(one_slot: Reservation, before: Any, after: Any) -> None:
    def move(row: Reservation) -> bool:
        return slots.move_slot(slot_name=row.slot_name, to=after, by=None, now=just_now())

    check(one_slot, before, after, {after: move}, RESERVATION_TRANSITIONS)


def test_the_database_refuses_a_state_that_there_is_not(one_slot: Reservation) -> None:
    run = AllocationRun.objects.get()
    for row in (one_slot, one_slot.award, run, one_slot.award.application):
        refuses_unknown(row)


def test_a_broken_twin_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the guard a revoked award would come back to life."""
    award = make.an_award(accepted=False, call=make.a_scored_call(points=(4,)))
    moves = moves_of_an_award(AwardState.REVOKED, award)
    monkeypatch.setattr(award_life, "AWARD_TRANSITIONS", dict.fromkeys(AwardState, frozenset(AwardState)))
    with pytest.raises(AssertionError):
        check(award, AwardState.REVOKED, AwardState.ACCEPTED, moves, AWARD_TRANSITIONS)


@pytest.mark.parametrize(
    ("table", "states"),
    [
        (TRANSITIONS, State),
        (RUN_TRANSITIONS, RunState),
        (AWARD_TRANSITIONS, AwardState),
        (RESERVATION_TRANSITIONS, ReservationState),
    ],
    ids=["application", "run", "award", "reservation"],
)
def test_each_table_names_each_state_and_is_left_or_an_end(table: Any, states: Any) -> None:
    assert set(table) == set(states)
    reached = {after for moves in table.values() for after in moves}
    assert reached | {next(iter(states))} == set(states)
