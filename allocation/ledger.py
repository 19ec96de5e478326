"""The ledger of hours: every movement goes from one account to another and is written once.

Called by awards (offers, halves, returns) and usage (what jobs used). `move`, `move_all` and
`hold_all` are the only writers of movements and balances.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from allocation.models import Account, Award, Balance, LedgerEntry
from grants.models import Pool
from portal.lib.hours import say_hours
from portal.refused import Refused

OF_THE_POOL = (Account.FUNDER, Account.POOL)
# They stand outside: a funder gives, and an overrun is what jobs took beyond what was ready.
WITHOUT_FLOOR = (Account.FUNDER, Account.OVERRUN)
OF_AN_AWARD = (Account.HELD, Account.READY, Account.USED, Account.EXPIRED, Account.OVERRUN)

Key = tuple[int, int | None, str]


class NotEnough(Refused):
    """The account does not hold what the movement would take from it."""


def move(
    *,
    source: str,
    pool: Pool,
    award: Award | None,
    from_account: Account,
    to_account: Account,
    gpu_seconds: int,
    now: datetime,
) -> bool:
    """Moves hours, once for each source. False: this source is known, and nothing was changed.

    Raises NotEnough where the account would fall under zero, and ValueError where the source is known for
    another movement.
    """
    entry = LedgerEntry(
        source=source,
        at=now,
        pool=pool,
        award=award,
        from_account=from_account,
        to_account=to_account,
        gpu_seconds=gpu_seconds,
    )
    with transaction.atomic():
        if not _is_new(entry):
            return False
        giving, taking = _balances_locked([_key(entry, from_account), _key(entry, to_account)])
        _refuse_less_than_nothing(from_account, giving.gpu_seconds, gpu_seconds)
        Balance.objects.filter(pk=giving.pk).update(gpu_seconds=F("gpu_seconds") - gpu_seconds)
        Balance.objects.filter(pk=taking.pk).update(gpu_seconds=F("gpu_seconds") + gpu_seconds)
    return True


@dataclass(frozen=True, kw_only=True)
class Move:
    """One movement of an award's hours, as `move_all` takes them."""

    source: str
    from_account: Account
    to_account: Account
    gpu_seconds: int


def move_all(*, award: Award, moves: Sequence[Move], now: datetime) -> None:
    """Makes many new movements of one award at the price of a few statements; for metering.

    The caller holds the award's row and knows that the sources are new; one that is known raises
    IntegrityError, and then none is made. Raises NotEnough as `move` does.
    """
    change: Counter[Account] = Counter()
    for each in moves:
        change[each.from_account] -= each.gpu_seconds
        change[each.to_account] += each.gpu_seconds
    entries = (
        LedgerEntry(
            source=each.source,
            at=now,
            pool_id=award.pool_id,
            award=award,
            from_account=each.from_account,
            to_account=each.to_account,
            gpu_seconds=each.gpu_seconds,
        )
        for each in moves
    )
    with transaction.atomic():
        LedgerEntry.objects.bulk_create(entries, batch_size=1000)
        accounts = sorted(account for account in change if change[account])
        rows = _balances_locked(
            [(award.pool_id, _award_of(account, award.pk), str(account)) for account in accounts]
        )
        for account, row in zip(accounts, rows, strict=True):
            _refuse_less_than_nothing(account, row.gpu_seconds, -change[account])
            Balance.objects.filter(pk=row.pk).update(gpu_seconds=F("gpu_seconds") + change[account])


def hold_all(*, pool: Pool, awards: Sequence[Award], now: datetime) -> None:
    """Moves the hours of new awards from their pool to `held` at the price of a few statements; for a release.

    The caller made the awards in the same transaction, so none has a movement yet. Raises NotEnough as `move`.
    """
    whole = sum(award.gpu_seconds for award in awards)
    entries = [
        LedgerEntry(
            source=f"award:{award.pk}:held",
            at=now,
            pool=pool,
            award=award,
            from_account=Account.POOL,
            to_account=Account.HELD,
            gpu_seconds=award.gpu_seconds,
        )
        for award in awards
    ]
    held = [
        Balance(pool=pool, award=award, account=Account.HELD, gpu_seconds=award.gpu_seconds)
        for award in awards
    ]
    with transaction.atomic():
        (row,) = _balances_locked([(pool.pk, None, str(Account.POOL))])
        _refuse_less_than_nothing(Account.POOL, row.gpu_seconds, whole)
        LedgerEntry.objects.bulk_create(entries, batch_size=1000)
        Balance.objects.bulk_create(held, batch_size=1000)
        Balance.objects.filter(pk=row.pk).update(gpu_seconds=F("gpu_seconds") - whole)


def _refuse_less_than_nothing(account: Account, had: int, needed: int) -> None:
    if account not in WITHOUT_FLOOR and had < needed:
        raise NotEnough(
            _("This needs %(needed)s hours, but only %(left)s are there.")
            % {"needed": say_hours(needed), "left": say_hours(had)}
        )


def _is_new(entry: LedgerEntry) -> bool:
    """Writes the movement; a racing twin with the same source waits here and then finds it written."""
    known = LedgerEntry.objects.filter(source=entry.source).first()
    if known is None:
        try:
            with transaction.atomic():
                entry.save(force_insert=True)
            return True
        except IntegrityError:
            known = LedgerEntry.objects.filter(source=entry.source).first()
            if known is None:
                raise
    if _content(known) != _content(entry):
        raise ValueError(f"The source {entry.source} is known for another movement")
    return False


def _content(entry: LedgerEntry) -> tuple[object, ...]:
    return (entry.pool_id, entry.award_id, str(entry.from_account), str(entry.to_account), entry.gpu_seconds)


def _key(entry: LedgerEntry, account: Account) -> Key:
    return (entry.pool_id, _award_of(account, entry.award_id), str(account))


def _award_of(account: Account | str, award: int | None) -> int | None:
    """Accounts of the pool belong to no award, whichever award a movement is about."""
    return None if account in OF_THE_POOL else award


def _balances_locked(keys: list[Key]) -> list[Balance]:
    """The rows of these accounts, made where there are none, locked in the order of their keys."""
    pks = [Balance.objects.get_or_create(**_lookup(key))[0].pk for key in keys]
    locked = {row.pk: row for row in Balance.objects.select_for_update().filter(pk__in=pks).order_by("pk")}
    return [locked[pk] for pk in pks]


def _lookup(key: Key) -> dict[str, Any]:
    pool, award, account = key
    return {"pool_id": pool, "award_id": award, "account": account}


def balances(award: Award, *, for_update: bool = False) -> dict[Account, int]:
    """What stands on each account of an award; `for_update` holds it still until the transaction ends."""
    rows = Balance.objects.filter(award=award).order_by("pk")
    if for_update:
        rows = rows.select_for_update()
    found = dict.fromkeys(OF_AN_AWARD, 0)
    return found | {Account(row.account): row.gpu_seconds for row in rows}


def balances_of(awards: Iterable[Award]) -> dict[int, dict[Account, int]]:
    """As `balances`, for many awards by one query; the keys are their primary keys."""
    found = {award.pk: dict.fromkeys(OF_AN_AWARD, 0) for award in awards}
    rows = Balance.objects.filter(award__in=found).values_list("award", "account", "gpu_seconds")
    for award, account, gpu_seconds in rows:
        if award is not None:
            found[award][Account(account)] = gpu_seconds
    return found


def pool_balance(pool: Pool) -> int:
    """What nobody holds: the hours of a pool that can still be given."""
    row = Balance.objects.filter(pool=pool, award=None, account=Account.POOL).first()
    return row.gpu_seconds if row else 0


def check() -> Iterator[str]:
    """Says every place where balances are not the sum of their movements; nothing when all is well."""
    summed = _summed()
    stored: dict[Key, int] = {
        (pool, award, account): gpu_seconds
        for pool, award, account, gpu_seconds in Balance.objects.order_by("pk").values_list(
            "pool", "award", "account", "gpu_seconds"
        )
    }
    for key in sorted(summed.keys() | stored.keys(), key=str):
        pool, award, account = key
        where = f"pool {pool}, award {award}, {account}" if award else f"pool {pool}, {account}"
        if summed[key] != stored.get(key, 0):
            yield f"{where}: the movements give {summed[key]} GPU-seconds, {stored.get(key, 0)} are stored"
        if stored.get(key, 0) < 0 and account not in WITHOUT_FLOOR:
            yield f"{where}: {stored[key]} GPU-seconds are less than nothing"
    totals = Balance.objects.values("pool").annotate(sum=Sum("gpu_seconds")).order_by("pool")
    for total in totals.exclude(sum=0):
        yield f"pool {total['pool']}: its accounts do not balance, {total['sum']} GPU-seconds are over"


def _summed() -> Counter[Key]:
    summed: Counter[Key] = Counter()
    for column, sign in (("from_account", -1), ("to_account", 1)):
        rows = LedgerEntry.objects.order_by().values("pool", "award", column).annotate(sum=Sum("gpu_seconds"))
        for row in rows:
            account = row[column]
            summed[(row["pool"], _award_of(account, row["award"]), account)] += sign * row["sum"]
    return summed
