"""The comparison of what shall be with what is: complete, ordered, and blind to what is not ours."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocation.clusters.base import (
    AccountState,
    Change,
    ClusterState,
    DesiredAccount,
    DesiredState,
    Kind,
    NodeGpu,
    ReservationState,
)
from allocation.clusters.comparison import APPLY_ORDER, compare, inventory_differences, limit_minutes, refusal
from tests.allocation.clusters.builders import (
    FIRST,
    NOON,
    SECOND,
    SINGLE_GPUS,
    WHOLE_NODES,
    account,
    desired,
    slot,
)

NAMES = st.sampled_from([FIRST, SECOND, "gccccccc2", "physics", "root", "gabc,def"])
USERS = st.frozensets(st.sampled_from(["ana", "ben", "cleo"]), max_size=3)
ACCOUNT_STATES = st.builds(
    AccountState,
    name=NAMES,
    is_marked=st.booleans(),
    users=USERS,
    limit_minutes=st.none() | st.integers(0, 5),
    is_held=st.booleans(),
)
STATES = st.lists(ACCOUNT_STATES).map(lambda found: ClusterState(accounts={a.name: a for a in found}))
WISHES = st.lists(
    st.builds(
        DesiredAccount,
        name=st.sampled_from([FIRST, SECOND]),
        users=USERS,
        limit_gpu_seconds=st.integers(0, 300),
        is_held=st.booleans(),
    ),
    unique_by=lambda wish: wish.name,
).map(lambda wishes: desired(*wishes))


def found_slot(wanted_number: int = 1, **other: object) -> ReservationState:
    wanted = slot(number=wanted_number)
    found = ReservationState(
        name=wanted.name,
        accounts=frozenset({FIRST}),
        nodes="box1",
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        gpus=(("a100", 2),),
    )
    return replace(found, **other)  # type: ignore[arg-type]


def state_with(*slots: ReservationState) -> ClusterState:
    state = AccountState(name=FIRST, is_marked=True, users=frozenset({"games"}), limit_minutes=600)
    return ClusterState(accounts={FIRST: state}, reservations={found.name: found for found in slots})


def kinds(changes: list[Change]) -> list[Kind]:
    return [change.kind for change in changes]


@given(WISHES, STATES)
def test_what_is_not_ours_is_never_touched(wanted: DesiredState, state: ClusterState) -> None:
    foreign = {
        name for name, found in state.accounts.items() if not found.is_marked or not name.startswith("g")
    }
    for change in compare(wanted, state, SINGLE_GPUS, NOON):
        assert change.kind is Kind.UNKNOWN or change.target not in foreign


@given(WISHES, STATES)
def test_changes_come_in_the_order_in_which_they_can_succeed(
    wanted: DesiredState, state: ClusterState
) -> None:
    places = [APPLY_ORDER[change.kind] for change in compare(wanted, state, SINGLE_GPUS, NOON)]
    assert places == sorted(places)


def test_a_new_award_is_account_then_people_then_limit_then_slot() -> None:
    changes = compare(desired(account(), slot()), ClusterState(), SINGLE_GPUS, NOON)
    assert kinds(changes) == [Kind.ACCOUNT_ADD, Kind.USER_ADD, Kind.LIMIT_SET, Kind.RESERVATION_CREATE]


def test_an_award_that_ended_loses_slot_then_hours_then_people_and_keeps_its_account() -> None:
    changes = compare(desired(), state_with(found_slot()), SINGLE_GPUS, NOON)
    assert kinds(changes) == [Kind.RESERVATION_DELETE, Kind.LIMIT_ZERO, Kind.USER_CLOSE]


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (1, 1), (60, 1), (61, 2), (-5, 0)])
def test_a_limit_is_rounded_up_so_that_nobody_is_shorted(seconds: int, minutes: int) -> None:
    assert limit_minutes(seconds) == minutes


def test_half_ours_is_told_and_left() -> None:
    unmarked = AccountState(name=FIRST, is_marked=False)
    odd = AccountState(name="physics", is_marked=True)
    state = ClusterState(accounts={FIRST: unmarked, "physics": odd})
    assert kinds(compare(desired(account()), state, SINGLE_GPUS, NOON)) == [Kind.UNKNOWN, Kind.UNKNOWN]


def test_a_reservation_whose_account_does_not_fit_its_name_is_told_and_left() -> None:
    changes = compare(
        desired(account()), state_with(found_slot(accounts=frozenset({SECOND}))), SINGLE_GPUS, NOON
    )
    assert kinds(changes) == [Kind.UNKNOWN]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, []),
        ({"ends_at": NOON + timedelta(hours=2)}, [Kind.RESERVATION_UPDATE]),
        ({"starts_at": NOON + timedelta(minutes=5)}, [Kind.RESERVATION_UPDATE]),
        ({"accounts": frozenset({SECOND})}, [Kind.RESERVATION_UPDATE]),
        ({"gpus": (("a100", 3),)}, [Kind.RESERVATION_REPLACE]),
        ({"gpus": (("h100", 2),)}, [Kind.RESERVATION_REPLACE]),
        ({"nodes": "box2"}, [Kind.RESERVATION_REPLACE]),
        ({"starts_at": NOON + timedelta(seconds=1)}, []),
    ],
)
def test_a_coming_slot_is_compared_in_all_it_has(other: dict[str, object], expected: list[Kind]) -> None:
    before = NOON - timedelta(days=1)
    state = state_with(found_slot(**other))
    assert kinds(compare(desired(account(), slot()), state, SINGLE_GPUS, before)) == expected


def test_a_cluster_of_whole_nodes_does_not_count_gpus() -> None:
    state = state_with(found_slot(gpus=()))
    assert compare(desired(account(), slot()), state, WHOLE_NODES, NOON) == []


def test_a_slot_made_late_is_not_made_again() -> None:
    state = state_with(found_slot(starts_at=NOON + timedelta(minutes=7)))
    now = NOON + timedelta(minutes=8)
    assert compare(desired(account(), slot()), state, SINGLE_GPUS, now) == []


def test_a_slot_that_began_and_was_put_off_is_made_anew() -> None:
    now = NOON + timedelta(minutes=8)
    later = slot(starts_at=NOON + timedelta(days=1))
    changes = compare(desired(account(), later), state_with(found_slot()), SINGLE_GPUS, now)
    assert kinds(changes) == [Kind.RESERVATION_REPLACE]


def test_a_slot_that_is_over_is_not_asked_for() -> None:
    now = NOON + timedelta(hours=1)
    assert compare(desired(account(), slot()), state_with(), SINGLE_GPUS, now) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Change(kind=Kind.ACCOUNT_ADD, target="a,b[1-3]"), "name"),
        (Change(kind=Kind.LIMIT_SET, target="root", limit_minutes=0), "name"),
        (Change(kind=Kind.USER_ADD, target=FIRST, user="ana,root"), "user"),
        (Change(kind=Kind.RESERVATION_DELETE, target="upkeep"), "name"),
        (Change(kind=Kind.RESERVATION_CREATE, target=slot().name, reservation=slot(node="box[1-2]")), "node"),
        (Change(kind=Kind.RESERVATION_CREATE, target=slot().name, reservation=slot(gpus=0)), "gpus"),
        (Change(kind=Kind.RESERVATION_CREATE, target=slot().name, reservation=slot(SECOND)), "name"),
        (Change(kind=Kind.LIMIT_SET, target=FIRST, limit_minutes=0), ""),
    ],
)
def test_what_must_not_reach_a_command_line_is_refused(change: Change, reason: str) -> None:
    assert refusal(change) == reason


def test_hardware_that_differs_is_told_node_by_node() -> None:
    ours = [NodeGpu(node="n1", index=0, gpu_type="a100"), NodeGpu(node="n2", index=0, gpu_type="a100")]
    theirs = [NodeGpu(node="n1", index=0, gpu_type="a100"), NodeGpu(node="n2", index=0, gpu_type="h100")]
    findings = inventory_differences(ours, theirs)
    assert [(finding.what, finding.ok) for finding in findings] == [("n2: portal a100; cluster h100", False)]
