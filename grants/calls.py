"""Makes, changes and publishes calls. The only writer of calls, criteria, pools, earmarks and funders.

Called by the chair's pages in the workroom, by commands and by the demo. Everything about a call may change
until it opens, nothing after.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from grants.models import Call, Criterion, Earmark, Funder, FunderSeat, GpuType, Pool
from grants.presets import PRESETS, Preset
from grants.rubric import LEAST, MOST, TIE_CRITERION
from portal import audit
from portal.lib.dates import DateRefused, parse_zone
from portal.models import User
from portal.refused import Refused

CHANGEABLE = frozenset(
    {
        "title",
        "summary",
        "zone",
        "largest_ask_gpu_seconds",
        "minimum_mean_thousandths",
        "reviewers_per_application",
        "is_blind",
        "grid_g_per_kwh",
        "pue_hundredths",
        "rule",
    }
)
CRITERION_CHANGEABLE = frozenset({"name", "weight", "floor", "anchors"})
EARMARK_KEYS = frozenset({"sdg", "principal_only", "country", "kind", "first_timer", "gpu_type"})


@dataclass(frozen=True)
class CallDates:
    """The instants of a call, in the order in which they come."""

    opens_at: datetime
    closes_at: datetime
    scoring_ends_at: datetime
    decides_at: datetime
    award_starts_at: datetime
    award_ends_at: datetime


def create_from_preset(
    *,
    preset: str,
    slug: str,
    title: str,
    summary: str,
    zone: str,
    dates: CallDates,
    largest_ask_gpu_seconds: int,
    is_blind: bool = True,
    chair: User,
    now: datetime,
) -> Call:
    """Makes an unpublished call with the preset's rubric, chaired by `chair`.

    Raises Refused, with the fields at fault, for dates out of order, a zone that does not exist or a taken slug.
    """
    if not chair.is_chair or preset not in PRESETS:
        raise Refused(_("A chair makes a call, from a preset that there is."))
    _check(dates, zone, largest_ask_gpu_seconds)
    with transaction.atomic():
        if Call.objects.filter(slug=slug).exists():
            raise Refused(
                _("Another call has this name in its address."), fields={"slug": _("Choose another name.")}
            )
        call = Call.objects.create(
            slug=slug,
            title=title,
            summary=summary,
            zone=zone,
            largest_ask_gpu_seconds=largest_ask_gpu_seconds,
            is_blind=is_blind,
            **asdict(dates),
            **_from_preset(PRESETS[preset]),
        )
        call.chairs.add(chair)
        Criterion.objects.bulk_create(_criteria(call, PRESETS[preset]))
        audit.record(by=chair, did="call.made", subject=call, at=now, preset=preset)
    return call


def _from_preset(preset: Preset) -> dict[str, Any]:
    # The secret is fixed, and its hash published, before anybody applies: a lot drawn with it proves itself.
    secret = secrets.token_hex(32)
    return {
        "preset": preset.key,
        "minimum_mean_thousandths": preset.least_mean_thousandths,
        "reviewers_per_application": preset.reviewers_per_application,
        "lot_secret": secret,
        "lot_secret_sha256": sha256(bytes.fromhex(secret)).hexdigest(),
    }


def _criteria(call: Call, preset: Preset) -> list[Criterion]:
    scored = [criterion for criterion in preset.criteria if not criterion.is_gate]
    return [
        Criterion(
            call=call,
            key=criterion.key,
            name=criterion.name,
            weight=criterion.weight,
            floor=criterion.floor,
            order=order,
            anchors=dict(criterion.anchors),
            breaks_ties=criterion.key == TIE_CRITERION,
        )
        for order, criterion in enumerate(scored, start=1)
    ]


def add_chair(*, call: Call, chair: User, by: User | None, now: datetime) -> None:
    """Lets another chair run the call too."""
    with transaction.atomic():
        if not chair.is_chair or not chair.is_active:
            raise Refused(_("This person is not a chair. An operator gives the role."))
        call.chairs.add(chair)
        audit.record(by=by, did="call.chair_added", subject=call, at=now, chair=chair.pk)


def add_funder(*, name: str, about: str = "", by: User | None, now: datetime) -> Funder:
    with transaction.atomic():
        if Funder.objects.filter(name__iexact=name).exists():
            raise Refused(
                _("This funder is here already."), fields={"name": _("Take the one that is there.")}
            )
        funder = Funder.objects.create(name=name, about=about)
        audit.record(by=by, did="funder.added", subject=funder, at=now)
    return funder


def seat(*, funder: Funder, user: User, by: User | None, now: datetime) -> FunderSeat:
    """Lets a person read for a funder."""
    with transaction.atomic():
        given, is_new = FunderSeat.objects.get_or_create(funder=funder, user=user)
        if is_new:
            audit.record(by=by, did="funder.seat_given", subject=given, at=now)
    return given


def add_pool(
    *, call: Call, funder: Funder, gpu_type: GpuType, gpu_seconds: int, by: User | None, now: datetime
) -> Pool:
    """Offers hours of a funder on one GPU type in a call that has not opened."""
    with transaction.atomic():
        row = _before_opening(call, now)
        if gpu_seconds <= 0:
            raise Refused(
                _("A pool needs hours."), fields={"hours": _("Write a number of hours above zero.")}
            )
        if Pool.objects.filter(call=row, funder=funder, gpu_type=gpu_type).exists():
            raise Refused(_("The call has a pool of this funder on this GPU already."))
        pool = Pool.objects.create(call=row, funder=funder, gpu_type=gpu_type, gpu_seconds=gpu_seconds)
        audit.record(by=by, did="call.pool_added", subject=pool, at=now, gpu_seconds=gpu_seconds)
    return pool


def add_earmark(
    *, pool: Pool, gpu_seconds: int, where: Mapping[str, Any], by: User | None, now: datetime
) -> Earmark:
    """Keeps a part of a pool for applications that match `where` (as in the bundle's format)."""
    with transaction.atomic():
        _before_opening(pool.call, now)
        row = Pool.objects.select_for_update().get(pk=pool.pk)
        kept = row.earmarks.aggregate(kept=Sum("gpu_seconds"))["kept"] or 0
        if gpu_seconds <= 0 or not where or not EARMARK_KEYS.issuperset(where):
            raise Refused(_("An earmark needs hours and says for whom they are kept."))
        if kept + gpu_seconds > row.gpu_seconds:
            raise Refused(
                _("The earmarks of a pool cannot be more than the pool."),
                fields={"hours": _("Write fewer hours.")},
            )
        earmark = Earmark.objects.create(pool=row, gpu_seconds=gpu_seconds, where=dict(where))
        audit.record(by=by, did="call.earmark_added", subject=earmark, at=now, gpu_seconds=gpu_seconds)
    return earmark


def change(*, call: Call, changes: Mapping[str, Any], by: User | None, now: datetime) -> Call:
    """Changes a call that has not opened: columns in CHANGEABLE, `dates`, and `criteria` by their keys.

    Raises Refused once the call is open: who applies must be able to rely on what stood there.
    """
    with transaction.atomic():
        row = _before_opening(call, now)
        columns = {name: value for name, value in changes.items() if name in CHANGEABLE}
        dates: CallDates = changes.get("dates") or _dates(row)
        if unknown := set(changes) - CHANGEABLE - {"dates", "criteria"}:
            raise ValueError(f"Not a column that a chair changes: {sorted(unknown)}")
        for name, value in (columns | asdict(dates)).items():
            setattr(row, name, value)
        _check(dates, row.zone, row.largest_ask_gpu_seconds)
        row.save()
        _change_criteria(row, changes.get("criteria") or {})
        audit.record(by=by, did="call.changed", subject=row, at=now, columns=sorted(changes))
    return row


def _change_criteria(call: Call, changes: Mapping[str, Mapping[str, Any]]) -> None:
    for criterion in call.criteria.filter(key__in=list(changes)):
        for name, value in changes[criterion.key].items():
            if name not in CRITERION_CHANGEABLE:
                raise ValueError(f"Not a column that a chair changes: {name}")
            setattr(criterion, name, value)
        if not LEAST <= criterion.floor <= MOST:
            raise Refused(_("Floors go from 0 to 5."), fields={f"floor_{criterion.key}": _("Write 0 to 5.")})
        criterion.save()
    if not call.criteria.filter(weight__gt=0).exists():
        raise Refused(_("At least one criterion needs a weight above zero."))


def missing(call: Call) -> list[str]:
    """What must still be done before the call can be published; nothing when it is ready."""
    lacks = []
    if not call.title.strip() or not call.summary.strip():
        lacks.append(_("Say in title and summary what the hours are for."))
    if not call.pools.exists():
        lacks.append(_("Add a pool: whose hours, on which GPU, how many."))
    if not call.criteria.filter(weight__gt=0).exists():
        lacks.append(_("Give at least one criterion a weight."))
    lacks += [
        _("Write the words for 0, 1, 3 and 5 of “%(name)s”.") % {"name": criterion.name}
        for criterion in call.criteria.all()
        if not all(criterion.anchors.get(points) for points in ("0", "1", "3", "5"))
    ]
    if not call.chairs.filter(is_active=True).exists():
        lacks.append(_("The call needs a chair."))
    return lacks


def publish(*, call: Call, by: User | None, now: datetime) -> None:
    """Shows the call to everybody. It opens by its date, and only then is it frozen.

    Raises Refused while something is missing, when its close is past, or when it is published already.
    """
    with transaction.atomic():
        row = Call.objects.select_for_update().get(pk=call.pk)
        if row.published_at is not None:
            raise Refused(_("This call is published already."))
        if lacks := missing(row):
            raise Refused(" ".join(lacks))
        if row.closes_at <= now:
            raise Refused(
                _("The day on which it closes is past."), fields={"closes_at": _("Choose a later day.")}
            )
        row.published_at = now
        row.save(update_fields=["published_at"])
        audit.record(by=by, did="call.published", subject=row, at=now)


def is_frozen(call: Call, now: datetime) -> bool:
    """From its opening on, a published call stays as it is."""
    return call.published_at is not None and call.opens_at <= now


def _before_opening(call: Call, now: datetime) -> Call:
    row: Call = Call.objects.select_for_update().get(pk=call.pk)
    if is_frozen(row, now):
        raise Refused(_("This call has opened: it stays as it is."))
    return row


def _dates(call: Call) -> CallDates:
    return CallDates(**{name: getattr(call, name) for name in CallDates.__dataclass_fields__})


def _check(dates: CallDates, zone: str, largest_ask_gpu_seconds: int) -> None:
    faults: dict[str, object] = {}
    if dates.opens_at >= dates.closes_at:
        faults["closes_at"] = _("It closes after it opens.")
    if dates.closes_at > dates.scoring_ends_at:
        faults["scoring_ends_at"] = _("Scores are due after the close.")
    if dates.scoring_ends_at > dates.decides_at:
        faults["decides_at"] = _("Decisions come after the scores.")
    if dates.award_starts_at >= dates.award_ends_at or dates.decides_at > dates.award_ends_at:
        faults["award_ends_at"] = _("The hours end after they start, and after the decisions.")
    if largest_ask_gpu_seconds <= 0:
        faults["largest_ask"] = _("Write a number of hours above zero.")
    try:
        parse_zone(zone)
    except DateRefused as fault:
        faults["zone"] = str(fault)
    if faults:
        raise Refused(_("Some dates or figures do not fit together."), fields=faults)
