"""What everybody may know of awards: the register and its totals, for the home page, the register and its files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import cast

from django.core.cache import cache
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from allocation.models import Account, Award, Balance
from grants.models import Application

PUBLIC_STATES = ("accepted", "active", "finished", "expired")
PERSON = "person"
TOTALS_KEPT_SECONDS = 60
PART = 500


@dataclass(frozen=True)
class Totals:
    used_gpu_seconds: int
    awards: int
    groups: int
    countries: int


@dataclass(frozen=True)
class Line:
    """One award as the public sees it: no person's name, no contact, no score."""

    award: str
    group: str
    country: str
    call: str
    call_slug: str
    summary: str
    sdg: int | None
    granted_gpu_seconds: int
    used_gpu_seconds: int
    starts: date
    ends: date
    state: str
    is_simulated: bool


def totals() -> Totals:
    """Over all awards that were accepted, as they were at most a minute ago."""
    return cast(Totals, cache.get_or_set("register.totals", _counted_totals, TOTALS_KEPT_SECONDS))


def _counted_totals() -> Totals:
    used = Balance.objects.filter(account=Account.USED).aggregate(sum=Sum("gpu_seconds"))["sum"]
    counted = Award.objects.filter(state__in=PUBLIC_STATES).aggregate(
        awards=Count("pk"),
        groups=Count("application__group", distinct=True),
        countries=Count("application__country", distinct=True, filter=~Q(application__country="")),
    )
    return Totals(used_gpu_seconds=used or 0, **counted)


def public_name(application: Application) -> str:
    """A group by its name; a person who applied alone is not named."""
    return _("Individual recipient") if application.group_kind == PERSON else application.group_name


def awards(*, call: str = "", sdg: str = "") -> QuerySet[Award]:
    """Public awards, newest first, with what a line needs; filters that name nothing known show nothing."""
    rows = (
        Award.objects.filter(state__in=PUBLIC_STATES)
        .select_related("application", "pool__call")
        .order_by("-pk")
    )
    if call:
        rows = rows.filter(pool__call__slug=call)
    if sdg:
        rows = rows.filter(application__sdg_main=int(sdg)) if sdg.isascii() and sdg.isdigit() else rows.none()
    return rows


def lines(rows: Iterable[Award]) -> Iterator[Line]:
    """One line an award; two queries a page of awards."""
    found = list(rows)
    used = dict(
        Balance.objects.filter(award__in=found, account=Account.USED).values_list("award", "gpu_seconds")
    )
    simulated = set(
        Award.objects.filter(pk__in=[row.pk for row in found])
        .filter(usage_records__is_simulated=True)
        .values_list("pk", flat=True)
    )
    for award in found:
        application = award.application
        yield Line(
            award=award.account_name,
            group=public_name(application),
            country=application.country,
            call=award.pool.call.title,
            call_slug=award.pool.call.slug,
            summary=application.title,
            sdg=application.sdg_main,
            granted_gpu_seconds=award.gpu_seconds,
            used_gpu_seconds=used.get(award.pk, 0),
            starts=award.starts_at.date(),
            ends=award.ends_at.date(),
            state=award.state,
            is_simulated=award.pk in simulated,
        )


def all_lines(rows: QuerySet[Award]) -> Iterator[Line]:
    """Every award there is, read in parts, so that the whole register never stands in memory."""
    left = rows.iterator(chunk_size=PART)
    while part := list(islice(left, PART)):
        yield from lines(part)
