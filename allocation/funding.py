"""A funder's pools and what became of them; only sums and released awards. Read by the funder's page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from allocation import ledger
from allocation.models import Account, Award, Balance
from allocation.register import public_name
from grants.models import Funder, Pool


@dataclass(frozen=True)
class PoolUse:
    """GPU-seconds of one pool. `left` can still be given; `ready` can be used at once."""

    pool: Pool
    awards: int
    awarded: int
    used: int
    ready: int
    left: int

    @property
    def unused(self) -> int:
        return max(self.awarded - self.used, 0)


def pools(user: Any) -> list[PoolUse]:
    """Every pool of the person's funders, newest call first; two queries."""
    mine = Pool.objects.filter(funder__in=Funder.objects.visible_to(user, as_={"funder"}))
    live = ~Q(awards__state="revoked")
    rows = (
        mine.select_related("call", "funder", "gpu_type")
        .annotate(
            number=Count("awards", filter=live), awarded=Sum("awards__gpu_seconds", filter=live, default=0)
        )
        .order_by("-call__opens_at", "pk")
    )
    stands: dict[tuple[int, str], int] = {
        (row["pool"], row["account"]): row["sum"]
        for row in Balance.objects.filter(pool__in=mine)
        .values("pool", "account")
        .annotate(sum=Sum("gpu_seconds"))
    }

    def at(pool: Pool, account: str, otherwise: int = 0) -> int:
        return stands.get((pool.pk, account), otherwise)

    return [
        PoolUse(
            pool=row,
            awards=row.number,
            awarded=row.awarded,
            used=at(row, Account.USED),
            ready=at(row, Account.READY),
            left=at(row, Account.POOL, otherwise=row.gpu_seconds),
        )
        for row in rows
    ]


MOST_WATCHED = 30


@dataclass(frozen=True)
class Watched:
    """An award that a funder may want to ask about, with the reason; the group as the register names it."""

    award: Award
    group: str
    used: int
    why: str


def awards_to_watch(user: Any, now: datetime) -> list[Watched]:
    """Of the funder's pools, what is paused, idle or nearly used up, latest end last; two queries."""
    rows = list(
        Award.objects.visible_to(user, as_={"funder"})
        .filter(state__in=["accepted", "active"])
        .select_related("application", "pool__call")
        .order_by("ends_at", "pk")
    )
    stands = ledger.balances_of(rows)
    found = []
    for award in rows:
        used = stands[award.pk][Account.USED]
        why = _why(award, used, now)
        if why:
            found.append(Watched(award=award, group=public_name(award.application), used=used, why=why))
    return found[:MOST_WATCHED]


def _why(award: Award, used: int, now: datetime) -> str:
    """Empty where all goes its way."""
    if award.paused_at is not None:
        return _("Paused: no new job starts.")
    is_past_half = now - award.starts_at > award.ends_at - now
    if is_past_half and used * 4 < award.gpu_seconds:
        return _("More than half of the time is over, and less than a quarter of the hours is used.")
    if used * 5 >= award.gpu_seconds * 4:
        return _("More than four fifths of the hours are used.")
    return ""
