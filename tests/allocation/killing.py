"""Kills a piece of work at its n-th statement to the database, as a power cut would; for tests of repeatability."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

Work = Callable[[], Any]
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")


class KilledError(BaseException):
    """No `except Exception` of the code under test may catch it."""


@contextmanager
def killed_at(number: int) -> Iterator[list[int]]:
    """Lets `number` statements pass and stops the next one; gives a list that counts them."""
    seen = [0]

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(VERBS):
            if seen[0] == number:
                raise KilledError
            seen[0] += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield seen


def statements_of(work: Work) -> int:
    """How many statements the work makes; all it did is taken back."""
    with transaction.atomic():
        with killed_at(10**9) as seen:
            work()
        transaction.set_rollback(True)
    return seen[0]


def ends_alike(work: Work, state: Callable[[], Any], *, fresh: Work = lambda: None) -> int:
    """Kills the work at each statement, runs it again, and compares the end with that of an undisturbed run.

    `fresh` readies what lies outside of the database. Returns at how many places it was killed.
    """
    fresh()
    with transaction.atomic():
        work()
        expected = state()
        transaction.set_rollback(True)
    fresh()
    count = statements_of(work)
    for number in range(count):
        fresh()
        with transaction.atomic():
            try:
                with transaction.atomic(), killed_at(number):
                    work()
            except KilledError:
                pass
            work()
            assert state() == expected, f"killed at statement {number}"
            transaction.set_rollback(True)
    return count
