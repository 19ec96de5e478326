"""A funder's pools and what became of them; only sums and released awards. Read by the funder's page."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum

from allocation.models import Account, Balance
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
    stands = {
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
