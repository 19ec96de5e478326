"""Freezes the ranking of a call: means of the reviews, what is fundable, who stands where.

Called by the chair's admin, `manage.py allocate` and the demo. Awards read the rows and never change them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allocation.engine import digest, lot
from allocation.models import Ranking, RankingRow
from grants import rubric
from grants.models import Application, Assignment, Call, Harm, Receipt, Recusal, Review
from portal import audit
from portal.lib import dates, merkle
from portal.models import User
from portal.refused import Refused


@dataclass(frozen=True)
class Scored:
    """An application with its submitted reviews. Who has sent one can no longer stand back, so all count."""

    application: Application
    receipt_sha256: str
    reviews: tuple[Review, ...]

    @property
    def scores(self) -> list[dict[str, int]]:
        return [{score.criterion.key: score.points for score in each.scores.all()} for each in self.reviews]

    @property
    def harm(self) -> str:
        is_stopped = any(each.harm == Harm.STOP for each in self.reviews)
        return rubric.HARM_STOP if is_stopped else rubric.HARM_PASS


def freeze(*, call: Call, by: User | None, now: datetime, without_missing: bool = False) -> Ranking:
    """Stores where every sent application stands. The same scores again give the ranking that is there.

    Refused before the close, after the release, and while reviews are missing unless `without_missing`.
    """
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=call.pk)
        _refuse_at_a_wrong_time(call, now)
        if not without_missing:
            _refuse_while_reviews_miss(call)
        scored = scored_applications(call)
        if not scored:
            raise Refused(_("Nobody has sent an application in this call, so there is nothing to rank."))
        input_sha256 = digest(inputs(call, scored))
        ranking, is_new = Ranking.objects.get_or_create(
            call=call, input_sha256=input_sha256, defaults={"made_at": now, "made_by": by}
        )
        if is_new:
            RankingRow.objects.bulk_create(_rows(ranking, scored), batch_size=500)
            detail = {"applications": len(scored), "input_sha256": input_sha256}
            audit.record(by=by, did="ranking.frozen", subject=ranking, at=now, **detail)
    return ranking


def is_current(ranking: Ranking) -> bool:
    """Whether reviews, applications and rubric are still those from which the ranking was made."""
    return digest(inputs(ranking.call, scored_applications(ranking.call))) == ranking.input_sha256


def missing_reviews(call: Call) -> dict[Application, int]:
    """How many reviews each application still waits for, where it waits for any."""
    recusals = Recusal.objects.filter(application__call=call)
    stood_back = set(recusals.values_list("application", "reviewer"))
    wanted: Counter[int] = Counter()
    got: Counter[int] = Counter()
    assignments = Assignment.objects.filter(application__call=call, application__state="submitted")
    for application, reviewer, submitted_at in assignments.values_list(
        "application", "reviewer", "review__submitted_at"
    ):
        if (application, reviewer) not in stood_back:
            wanted[application] += 1
            got[application] += submitted_at is not None
    sent = call.applications.filter(state="submitted").order_by("pk")
    waits = {each: max(call.reviewers_per_application, wanted[each.pk]) - got[each.pk] for each in sent}
    return {application: count for application, count in waits.items() if count > 0}


def scored_applications(call: Call) -> list[Scored]:
    """Every sent application in the order of its public id; a constant number of queries."""
    reviews = defaultdict(list)
    for review in (
        Review.objects.submitted()
        .filter(assignment__application__call=call, assignment__application__state="submitted")
        .select_related("assignment")
        .prefetch_related("scores__criterion")
        .order_by("pk")
    ):
        reviews[review.assignment.application_id].append(review)
    newest = newest_receipts(call)
    sent = call.applications.filter(state="submitted").select_related("gpu_type", "group", "owner")
    return [
        Scored(application=each, receipt_sha256=newest.get(each.pk, ""), reviews=tuple(reviews[each.pk]))
        for each in sent.order_by("public_id")
    ]


def inputs(call: Call, scored: Iterable[Scored]) -> dict[str, Any]:
    """All that decides who stands where, as canonical data without anybody's name."""
    return {
        "call": call.slug,
        "minimum_mean": call.minimum_mean_thousandths,
        "criteria": [
            [each.key, each.weight, each.floor, each.breaks_ties] for each in call.criteria.order_by("order")
        ],
        "applications": [
            {
                "id": each.application.public_id,
                "receipt": each.receipt_sha256,
                "reviews": sorted(
                    [sorted(map(list, scores.items())), str(review.harm)]
                    for scores, review in zip(each.scores, each.reviews, strict=True)
                ),
            }
            for each in scored
        ],
    }


def seed(call: Call) -> str:
    """The seed of the call's lot: SHA-256(secret ‖ Merkle root of the receipts)."""
    return lot.seed_from(bytes.fromhex(call.lot_secret), merkle.root(receipt_leaves(call)))


def receipt_leaves(call: Call) -> list[bytes]:
    """The digests of all receipts in the order of their numbers, also of applications withdrawn since."""
    digests = Receipt.objects.filter(call=call).order_by("sequence").values_list("sha256", flat=True)
    return [bytes.fromhex(sha256) for sha256 in digests]


def newest_receipts(call: Call) -> dict[int, str]:
    """The digest of the last receipt of each application, by primary key."""
    return dict(Receipt.objects.filter(call=call).order_by("sequence").values_list("application", "sha256"))


def _rows(ranking: Ranking, scored: list[Scored]) -> list[RankingRow]:
    call = ranking.call
    criteria = list(call.criteria.order_by("order"))
    weights = {each.key: each.weight for each in criteria}
    floors = {each.key: each.floor for each in criteria if each.floor}
    tie_key = next((each.key for each in criteria if each.breaks_ties), None)
    rows = [_row(ranking, each, weights, floors, tie_key) for each in scored]
    drawn = seed(call)
    rows.sort(key=lambda row: _standing(row, drawn))
    for place, row in enumerate(rows, start=1):
        row.place = place
    return rows


def _row(
    ranking: Ranking,
    scored: Scored,
    weights: Mapping[str, int],
    floors: Mapping[str, int],
    tie_key: str | None,
) -> RankingRow:
    row = RankingRow(ranking=ranking, application=scored.application, reviews=len(scored.reviews))
    if not scored.reviews:
        row.mean_thousandths = row.tie_thousandths = 0
        row.is_fundable, row.reasons = False, [{"kind": "no_review"}]
        return row
    combined = rubric.combine(scored.scores, weights)
    verdict = rubric.is_fundable(
        combined,
        floors,
        harm=scored.harm,
        least_mean_thousandths=ranking.call.minimum_mean_thousandths,
    )
    row.mean_thousandths = combined.total_thousandths
    row.tie_thousandths = combined.by_criterion.get(tie_key, 0) if tie_key else 0
    row.criteria_thousandths = dict(combined.by_criterion)
    row.is_fundable = verdict.is_fundable
    row.reasons = [_as_data(reason) for reason in verdict.reasons]
    return row


def _as_data(reason: rubric.Reason) -> dict[str, Any]:
    facts = {
        "criterion": reason.criterion,
        "had": reason.had_thousandths,
        "needed": reason.needed_thousandths,
    }
    return {"kind": reason.kind, **{name: value for name, value in facts.items() if value is not None}}


def _standing(row: RankingRow, drawn: str) -> tuple[int, int, Fraction, bytes]:
    """As the engine's: mean down, tie-break down, the smaller ask in A100-equivalents, then the lot."""
    application = row.application
    kind = application.gpu_type
    factor = Fraction(kind.factor_numerator, kind.factor_denominator) if kind else Fraction(1)
    ask = (application.ask_gpu_seconds or 0) * factor
    return (-row.mean_thousandths, -row.tie_thousandths, ask, lot.ticket(drawn, application.public_id))


def _refuse_at_a_wrong_time(call: Call, now: datetime) -> None:
    zone = dates.parse_zone(call.zone)
    if call.released_at is not None:
        raise Refused(
            _("The decisions of this call were released on %(at)s; its ranking stays as it is.")
            % {"at": dates.say_instant(call.released_at, zone)}
        )
    if now < call.closes_at:
        raise Refused(
            _("The call is open until %(at)s. Freeze the ranking after that.")
            % {"at": dates.say_deadline(call.closes_at, zone)}
        )


def _refuse_while_reviews_miss(call: Call) -> None:
    missing = missing_reviews(call)
    if not missing:
        return
    text = ngettext(
        "%(count)d application still waits for reviews: %(names)s. Wait for them, or freeze without them.",
        "%(count)d applications still wait for reviews: %(names)s. Wait for them, or freeze without them.",
        len(missing),
    )
    names = ", ".join(each.public_id for each in list(missing)[:10])
    raise Refused(text % {"count": len(missing), "names": names + ("…" if len(missing) > 10 else "")})
