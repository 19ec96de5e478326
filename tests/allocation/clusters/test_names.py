"""Names that may reach a cluster."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocation.clusters import names

HOSTILE = [
    "gabcdefgh,root",
    "g[1-3]aaaaaa",
    "gabcdefgh\n",
    "GABCDEFGH",
    "gabcdefg1",
    "gabcdefgh ",
    "'gabcdefgh'",
    "gabcdefgh;reboot",
    "--help",
    "",
    "gabcdefghı",
]


def test_new_names_are_clean_and_do_not_repeat() -> None:
    made = {names.new_account_name() for _each in range(500)}
    assert len(made) == 500
    assert all(names.is_account(name) for name in made)


def test_a_seeded_name_is_always_the_same() -> None:
    first, second = (names.new_account_name(Random(7)) for _each in range(2))
    assert first == second


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_no_account_and_makes_no_slot(name: str) -> None:
    assert not names.is_account(name)
    assert not names.is_slot(f"{name}-s1")
    with pytest.raises(ValueError, match="no slot name"):
        names.slot_name(name, 1)


@given(st.integers(min_value=1, max_value=10**17))
def test_a_slot_tells_its_account(number: int) -> None:
    assert names.account_of_slot(names.slot_name("gabcdefgh", number)) == "gabcdefgh"


@given(st.text())
def test_a_user_that_passes_holds_nothing_that_slurm_expands(text: str) -> None:
    assert not (names.is_user(text) and set(text) & set(",[]\"'= \n*%"))
