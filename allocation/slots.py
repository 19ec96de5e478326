"""The states of slots: each move is one compare-and-swap of all rows of a slot.

Called by reservations (reconcile, cancel_slot, close_time). A move that RESERVATION_TRANSITIONS does not name
changes nothing.
"""

from datetime import datetime

from django.db import transaction

from allocation.desired import grouped
from allocation.models import RESERVATION_TRANSITIONS, Cluster, Reservation, ReservationState
from portal import audit
from portal.models import User

PLANNED, PLACED, RUNNING = ReservationState.PLANNED, ReservationState.PLACED, ReservationState.RUNNING
ENDED, FAILED = ReservationState.ENDED, ReservationState.FAILED


def move_slot(*, slot_name: str, to: ReservationState, by: User | None, now: datetime) -> bool:
    """Moves a slot; False where it is no longer in a state that allows it."""
    allowed = [state for state, after in RESERVATION_TRANSITIONS.items() if to in after]
    with transaction.atomic():
        rows = Reservation.objects.filter(slot_name=slot_name, state__in=allowed)
        if not rows.update(state=to, state_since=now):
            return False
        first = Reservation.objects.filter(slot_name=slot_name).order_by("pk")[0]
        audit.record(by=by, did=f"reservation.{to}", subject=first, at=now, slot=slot_name)
    return True


def pass_time(*, cluster: Cluster, now: datetime) -> None:
    """Lets slots begin and end by the clock; one that was never placed before its end has failed."""
    rows = Reservation.objects.filter(gpu__cluster=cluster, starts_at__lte=now)
    for slot in grouped(rows.filter(state__in=[PLANNED, PLACED, RUNNING])):
        name, state, is_over = slot[0].slot_name, slot[0].state, slot[0].ends_at <= now
        if state == PLANNED and is_over:
            move_slot(slot_name=name, to=FAILED, by=None, now=now)
        if state == PLACED:
            move_slot(slot_name=name, to=RUNNING, by=None, now=now)
        if state != PLANNED and is_over:
            move_slot(slot_name=name, to=ENDED, by=None, now=now)
