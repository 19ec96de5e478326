"""What the pages about decisions show, put together from rows: one decision, one run in public, one proposal.

Called by the views and the chair's admin.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from allocation import bundles, ledger, words
from allocation.models import Account, AllocationRun, Award, Decision, Ranking, RankingRow
from allocation.words import Facts
from grants.models import Application, Call, MembershipRole
from grants.rubric import shown
from portal.lib import merkle
from portal.lib.charts import Box, Datum
from portal.lib.hours import say_hours
from portal.models import User


@dataclass(frozen=True)
class CriterionLine:
    name: str
    thousandths: int
    weight: int
    needed_thousandths: int


@dataclass(frozen=True)
class Told:
    """A decision in words: the outcome first, then why, then what would have been enough."""

    headline: str
    reasons: list[str]
    needed: list[str]
    criteria: list[CriterionLine]
    row: RankingRow | None


@dataclass(frozen=True)
class PoolLine:
    name: str
    gpu_seconds: int
    left_gpu_seconds: int

    @property
    def given_gpu_seconds(self) -> int:
        return self.gpu_seconds - self.left_gpu_seconds


@dataclass(frozen=True)
class Line:
    """One application in a proposal; `application` is None where the chair stood back from it."""

    row: RankingRow
    application: Application | None
    gpu_seconds: int
    added_up_gpu_seconds: int
    reasons: list[str]
    is_below_the_line: bool


@dataclass(frozen=True)
class Proposal:
    lines: list[Line]
    pools: list[PoolLine]
    asked_gpu_seconds: int
    awarded: int

    @property
    def left_gpu_seconds(self) -> int:
        return sum(pool.left_gpu_seconds for pool in self.pools)

    @property
    def given_gpu_seconds(self) -> int:
        return sum(pool.given_gpu_seconds for pool in self.pools)


@dataclass(frozen=True)
class Place:
    """Where a receipt stands among the leaves, and its way to the root."""

    number: int
    sha256: str
    partners: list[str]


@dataclass(frozen=True)
class AwardHours:
    """Where the hours of an award are, for its page and its chart."""

    used_gpu_seconds: int
    ready_gpu_seconds: int
    held_gpu_seconds: int
    returned_gpu_seconds: int

    @property
    def left_gpu_seconds(self) -> int:
        return self.ready_gpu_seconds + self.held_gpu_seconds

    @property
    def parts(self) -> list[Datum]:
        named = (
            (_("used"), self.used_gpu_seconds),
            (_("free now"), self.ready_gpu_seconds),
            (_("free after your note"), self.held_gpu_seconds),
        )
        return [
            Datum(label, seconds, _("%(hours)s h") % {"hours": say_hours(seconds)})
            for label, seconds in named
        ]

    @property
    def bars(self) -> list[Box]:
        """The parts as boxes on a scale of 1000, for the meter."""
        whole = sum(part.value for part in self.parts) or 1
        edges = [*accumulate((part.value * 1000 // whole for part in self.parts), initial=0)]
        return [
            Box(x=start, y=0, width=end - start, height=10, fill=fill)
            for (start, end), fill in zip(pairwise(edges), ("fa", "fb", "fc"), strict=True)
        ]

    @property
    def alt(self) -> str:
        return ", ".join(f"{part.text} {part.label}" for part in self.parts)


def hours_of(award: Award) -> AwardHours:
    standing = ledger.balances(award)
    used, ready, held = (standing[each] for each in (Account.USED, Account.READY, Account.HELD))
    overrun = -standing[Account.OVERRUN]
    return AwardHours(used, ready, held, award.gpu_seconds + overrun - used - ready - held)


def leads_the_group(user: User, award: Award) -> bool:
    return award.application.group.memberships.filter(user=user, role=MembershipRole.OWNER).exists()


def tell(decision: Decision) -> Told:
    """Everything but the feedback, which stands in the decision as its reviewers wrote it."""
    call = decision.application.call
    row = RankingRow.objects.filter(
        ranking=decision.run.ranking_id, application=decision.application_id
    ).first()
    facts = facts_of(decision.application, row, decision.gpu_seconds, criteria_of(call), pool_names(call))
    return Told(
        headline=words.outcome_words(decision.outcome, facts),
        reasons=words.to_applicant(decision.reasons, facts),
        needed=words.what_was_needed(decision.reasons, facts),
        criteria=_criterion_lines(call, row) if row and row.reviews else [],
        row=row,
    )


def criteria_of(call: Call) -> dict[str, str]:
    return dict(call.criteria.values_list("key", "name"))


def pool_names(call: Call) -> dict[str, str]:
    return {key: str(pool) for key, pool in bundles.pools_by_id(call).items()}


def facts_of(
    application: Application,
    row: RankingRow | None,
    got: int,
    criteria: Mapping[str, str],
    pools: Mapping[str, str],
) -> Facts:
    ask = application.ask_gpu_seconds or 0
    return Facts(
        score=row.mean_thousandths if row else 0,
        ask=ask,
        minimum=application.minimum_gpu_seconds or ask,
        got=got,
        criteria=criteria,
        pools=pools,
    )


def _criterion_lines(call: Call, row: RankingRow) -> list[CriterionLine]:
    return [
        CriterionLine(
            name=shown(each.name),
            thousandths=row.criteria_thousandths[each.key],
            weight=each.weight,
            needed_thousandths=each.floor * 1000,
        )
        for each in call.criteria.order_by("order")
        if each.key in row.criteria_thousandths
    ]


def public_decisions(run: AllocationRun) -> QuerySet[Decision]:
    """The decisions that the bundle holds: those of the ranking, in the order of their public ids."""
    ranked = run.ranking.rows.values("application")
    return (
        Decision.objects.filter(run=run, application__in=ranked)
        .select_related("application", "pool__gpu_type")
        .order_by("application__public_id")
    )


def public_totals(run: AllocationRun) -> dict[str, Any]:
    return public_decisions(run).aggregate(
        applications=Count("pk"),
        awarded=Count("pk", filter=Q(outcome="awarded")),
        asked=Sum("application__ask_gpu_seconds", default=0),
        given=Sum("gpu_seconds", default=0),
    )


def public_pools(run: AllocationRun) -> list[PoolLine]:
    given = dict(
        Decision.objects.filter(run=run, pool__isnull=False)
        .order_by()
        .values_list("pool")
        .annotate(sum=Sum("gpu_seconds"))
    )
    pools = run.call.pools.select_related("gpu_type", "funder").order_by("pk")
    return [PoolLine(str(pool), pool.gpu_seconds, pool.gpu_seconds - given.get(pool.pk, 0)) for pool in pools]


def find_receipt(receipts: list[str], sha256: str) -> Place | None:
    """The place of a receipt by its digest, with the partners by which anyone can compute the root."""
    wanted = sha256.strip().lower()
    if wanted not in receipts:
        return None
    index = receipts.index(wanted)
    partners = merkle.proof([bytes.fromhex(each) for each in receipts], index)
    return Place(index + 1, wanted, [partner.hex() for partner in partners])


def proposal(run: AllocationRun, visible: QuerySet[Application]) -> Proposal:
    """A run in the order of its ranking, for a chair who sees the applications that are `visible`."""
    result = json.loads(run.result)
    given = {each["id"]: each for each in result["decisions"]}
    left = {each["id"]: each["left"] for each in result["pools"]}
    criteria, pools = criteria_of(run.call), pool_names(run.call)
    rows = list(ranked_rows(run.ranking))
    seen = set(visible.filter(call=run.call).values_list("pk", flat=True))
    last = max((row.place for row in rows if given[row.application.public_id]["gpu_seconds"]), default=0)
    lines, added_up = [], 0
    for row in rows:
        decision = given[row.application.public_id]
        got = decision["gpu_seconds"]
        added_up += got
        facts = facts_of(row.application, row, got, criteria, pools)
        lines.append(
            Line(
                row=row,
                application=row.application if row.application_id in seen else None,
                gpu_seconds=got,
                added_up_gpu_seconds=added_up,
                reasons=words.to_chair([*decision["reasons"], *row.reasons], facts),
                is_below_the_line=row.place == last + 1,
            )
        )
    return Proposal(
        lines=lines,
        pools=[
            PoolLine(str(pool), pool.gpu_seconds, left[key])
            for key, pool in bundles.pools_by_id(run.call).items()
        ],
        asked_gpu_seconds=sum(row.application.ask_gpu_seconds or 0 for row in rows),
        awarded=sum(1 for line in lines if line.gpu_seconds),
    )


def ranked_rows(frozen: Ranking) -> QuerySet[RankingRow]:
    return frozen.rows.select_related("application__gpu_type").order_by("place")
