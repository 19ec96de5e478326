"""What everybody may know of awards: the register and its totals, for the home page and the register."""

from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from allocation.models import Account, Award, Balance

PUBLIC_STATES = ("accepted", "active", "finished", "expired")


@dataclass(frozen=True)
class Totals:
    used_gpu_seconds: int
    awards: int
    groups: int
    countries: int


def totals() -> Totals:
    """Over all awards that were accepted; two queries however many there are."""
    used = Balance.objects.filter(account=Account.USED).aggregate(sum=Sum("gpu_seconds"))["sum"]
    counted = Award.objects.filter(state__in=PUBLIC_STATES).aggregate(
        awards=Count("pk"),
        groups=Count("application__group", distinct=True),
        countries=Count("application__country", distinct=True, filter=~Q(application__country="")),
    )
    return Totals(used_gpu_seconds=used or 0, **counted)
