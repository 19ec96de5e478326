"""The ledger: balanced, never negative, append-only, and deaf to what it has heard already."""

import threading
from collections import Counter

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from allocation import ledger
from allocation.models import Account, Award, Balance, LedgerEntry
from grants.models import Pool
from portal.refused import Refused
from tests.factories import a_released_run, an_award, an_open_call

NOW = timezone.now()
HOUR = 3600


def given(pool: Pool, gpu_seconds: int, source: str = "gift") -> bool:
    return ledger.move(
        source=source,
        pool=pool,
        award=None,
        from_account=Account.FUNDER,
        to_account=Account.POOL,
        gpu_seconds=gpu_seconds,
        now=NOW,
    )


def a_pool() -> Pool:
    return an_open_call().pools.get()


@pytest.mark.django_db
class TestMoving:
    def test_hours_leave_one_account_and_reach_the_other(self):
        pool = a_pool()
        assert given(pool, 10 * HOUR)
        assert ledger.pool_balance(pool) == 10 * HOUR
        assert Balance.objects.get(pool=pool, account="funder").gpu_seconds == -10 * HOUR

    def test_a_source_that_is_known_changes_nothing(self):
        pool = a_pool()
        given(pool, HOUR)
        assert not given(pool, HOUR)
        assert ledger.pool_balance(pool) == HOUR and LedgerEntry.objects.count() == 1

    def test_a_known_source_for_another_movement_is_a_bug_and_flies(self):
        pool = a_pool()
        given(pool, HOUR)
        with pytest.raises(ValueError, match="known for another movement"):
            given(pool, 2 * HOUR)

    def test_an_account_never_falls_under_zero_and_nothing_of_the_try_remains(self):
        award = an_award()
        before = ledger.balances(award)
        with pytest.raises(ledger.NotEnough, match="only 75 are there"):
            ledger.move(
                source="too much",
                pool=award.pool,
                award=award,
                from_account=Account.READY,
                to_account=Account.USED,
                gpu_seconds=76 * HOUR,
                now=NOW,
            )
        assert ledger.balances(award) == before
        assert not LedgerEntry.objects.filter(source="too much").exists()

    def test_a_pool_that_is_too_small_holds_nothing_for_anybody(self):
        award = an_award(accepted=False)
        entries, left = LedgerEntry.objects.count(), ledger.pool_balance(award.pool)
        with pytest.raises(ledger.NotEnough, match=f"only {left // HOUR} are there"):
            ledger.hold_all(pool=award.pool, awards=[award] * 7, now=NOW)
        assert LedgerEntry.objects.count() == entries and ledger.pool_balance(award.pool) == left

    def test_not_enough_is_said_to_people(self):
        assert issubclass(ledger.NotEnough, Refused)

    def test_the_balances_of_many_awards_come_with_one_query(self, django_assert_num_queries):
        a_released_run()
        awards = list(Award.objects.all())
        with django_assert_num_queries(1):
            found = ledger.balances_of(awards)
        assert [found[award.pk] for award in awards] == [ledger.balances(award) for award in awards]


@pytest.mark.django_db
class TestWalls:
    @pytest.mark.parametrize("verb", ["UPDATE {} SET gpu_seconds = 1", "DELETE FROM {}"])
    def test_a_movement_can_be_neither_changed_nor_deleted(self, verb):
        given(a_pool(), HOUR)
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            connection.cursor().execute(verb.format(LedgerEntry._meta.db_table))
        assert LedgerEntry.objects.get().gpu_seconds == HOUR

    def test_the_database_refuses_a_balance_under_zero(self):
        pool = a_pool()
        given(pool, HOUR)
        with pytest.raises(IntegrityError), transaction.atomic():
            Balance.objects.filter(pool=pool, account="pool").update(gpu_seconds=-1)

    def test_the_database_refuses_a_second_balance_of_a_pool(self):
        pool = a_pool()
        given(pool, HOUR)
        with pytest.raises(IntegrityError), transaction.atomic():
            Balance.objects.create(pool=pool, award=None, account="pool")


@pytest.mark.django_db
class TestChecking:
    def test_a_healthy_ledger_says_nothing(self):
        an_award()
        assert list(ledger.check()) == []

    def test_a_balance_that_is_not_the_sum_of_its_movements_is_named(self):
        award = an_award()
        Balance.objects.filter(award=award, account="ready").update(gpu_seconds=5)
        faults = list(ledger.check())
        assert f"award {award.pk}, ready" in faults[0] and "5 are stored" in faults[0]
        assert any("do not balance" in fault for fault in faults)


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_racing_movements_with_one_source_move_once(self):
        pool = a_pool()
        done = at_once(8, lambda number: given(pool, HOUR))
        assert sorted(done) == [False] * 7 + [True]
        assert ledger.pool_balance(pool) == HOUR and list(ledger.check()) == []

    def test_racing_movements_take_no_more_than_there_is(self):
        award = an_award()

        def use(number: int) -> bool:
            try:
                return ledger.move(
                    source=f"use {number}",
                    pool=award.pool,
                    award=award,
                    from_account=Account.READY,
                    to_account=Account.USED,
                    gpu_seconds=30 * HOUR,
                    now=NOW,
                )
            except ledger.NotEnough:
                return False

        assert Counter(at_once(6, use)) == {True: 2, False: 4}
        assert ledger.balances(award)[Account.USED] == 60 * HOUR and list(ledger.check()) == []


def at_once(count: int, work) -> list:
    """Runs `work` in as many threads, which start together; what each returned or raised."""
    barrier, answers = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        try:
            barrier.wait(10)
            answers[number] = work(number)
        except Exception as error:
            answers[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


class Hours(RuleBasedStateMachine):
    """Any movements in any order, some of them told twice; a plain counter is the oracle."""

    pool: Pool
    awards: list[Award]

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.sources = 0
        self.told: list[dict] = []
        self.expected: Counter = Counter({key_of(row): row.gpu_seconds for row in Balance.objects.all()})

    def teardown(self) -> None:
        assert list(ledger.check()) == []
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @rule(
        which=st.integers(0, 1),
        ends=st.permutations(list(Account)).map(lambda accounts: accounts[:2]),
        gpu_seconds=st.integers(1, 40 * HOUR),
    )
    def move(self, which, ends, gpu_seconds):
        self.sources += 1
        movement = {
            "source": f"machine {self.sources}",
            "pool": self.pool,
            "award": self.awards[which],
            "from_account": ends[0],
            "to_account": ends[1],
            "gpu_seconds": gpu_seconds,
        }
        giving, taking = (key_of_end(movement, end) for end in ends)
        has_floor = ends[0] not in ledger.WITHOUT_FLOOR
        if has_floor and self.expected[giving] < gpu_seconds:
            with pytest.raises(ledger.NotEnough):
                ledger.move(**movement, now=NOW)
            return
        assert ledger.move(**movement, now=NOW)
        self.expected[giving] -= gpu_seconds
        self.expected[taking] += gpu_seconds
        self.told.append(movement)

    @rule(data=st.data())
    def replay(self, data):
        if self.told:
            assert not ledger.move(**data.draw(st.sampled_from(self.told)), now=NOW)

    @invariant()
    def stands_as_expected(self):
        standing = {key_of(row): row.gpu_seconds for row in Balance.objects.all()}
        assert {key: value for key, value in standing.items() if value} == +self.expected | {
            key: value for key, value in self.expected.items() if value < 0
        }


def key_of(row: Balance) -> tuple:
    return (row.pool_id, row.award_id, row.account)


def key_of_end(movement: dict, account: Account) -> tuple:
    award = None if account in ledger.OF_THE_POOL else movement["award"].pk
    return (movement["pool"].pk, award, str(account))


class TestStateMachine(TestCase):
    def test_any_movements_leave_the_ledger_balanced_and_never_negative(self):
        run = a_released_run()
        Hours.awards = list(Award.objects.filter(decision__run=run).order_by("pk")[:2])
        Hours.pool = Hours.awards[0].pool
        run_state_machine_as_test(
            Hours, settings=settings(max_examples=40, stateful_step_count=30, deadline=None)
        )
        assert list(ledger.check()) == []
