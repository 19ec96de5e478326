"""Awards in use and the clusters that serve them, as of a call that was decided some days ago."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from allocation import awards, ranking, reservations
from allocation.models import Award, Cluster
from grants import applications, calls, reviews
from grants.models import Call, Pool
from tests import factories
from tests.factories import HOUR, count

CLOSED_DAYS_AGO = 20


def just_now() -> datetime:
    return timezone.now().replace(microsecond=0)


def a_decided_call(*, asks: list[int], pool_hours: int = 10_000) -> Call:
    """One application for each ask (in hours), all awarded whole and offered."""
    closes = just_now() - timedelta(days=CLOSED_DAYS_AGO)
    made, during, after = (closes + timedelta(days=days) for days in (-30, -5, 10))
    chair = factories.a_chair()
    call = calls.create_from_preset(
        preset="standard",
        slug=f"decided-{next(count)}",
        title="Small models for local languages",
        summary="Hours for groups that make something useful in a language of their own.",
        zone="Asia/Dhaka",
        dates=factories.some_dates(opens=closes - timedelta(days=20), closes=closes),
        largest_ask_gpu_seconds=5000 * HOUR,
        chair=chair,
        now=made,
    )
    kind, body = factories.a_gpu_type(), factories.a_funding_body()
    calls.add_pool(call=call, funder=body, gpu_type=kind, gpu_seconds=pool_hours * HOUR, by=chair, now=made)
    calls.publish(call=call, by=chair, now=made)
    call.refresh_from_db()
    for ask in asks:
        apply_and_score(call, ask, during, closes + timedelta(days=1))
    ranking.freeze(call=call, by=chair, now=after)
    run = awards.propose(call=call, by=chair, now=after)
    awards.approve(run=run, by=chair, now=after)
    run.refresh_from_db()
    awards.release(run=run, by=chair, now=after)
    return call


def apply_and_score(call: Call, ask: int, sent: datetime, scored: datetime) -> None:
    owner = factories.a_user("applicant")
    draft = applications.begin(call=call, user=owner, language="en", now=sent)
    answers = factories.some_answers(ask_gpu_seconds=ask * HOUR, minimum_gpu_seconds=ask * HOUR)
    draft = applications.save_answers(
        application=draft, by=owner, version=draft.version, answers=answers, now=sent
    )
    applications.submit(application=draft, by=owner, key=uuid4(), now=sent)
    draft.refresh_from_db()
    for _number in range(call.reviewers_per_application):
        give_review(draft, scored)


def give_review(application: Any, now: datetime) -> None:
    reviewer = factories.a_reviewer()
    made = reviews.assign(application=application, reviewer=reviewer, by=None, now=now)
    reviews.declare(assignment=made, by=reviewer, now=now)
    made.refresh_from_db()
    scores = dict.fromkeys(application.call.criteria.values_list("key", flat=True), 4)
    words = {"strength": "Clear chain.", "fix": "Say who pays.", "harm": "none", "harm_note": ""}
    reviews.save_review(assignment=made, by=reviewer, scores=scores, now=now, **words)
    reviews.submit_review(assignment=made, by=reviewer, now=now)


def some_awards(*asks: int) -> list[Award]:
    """Accepted awards of one pool, in the order of the asks; half of their hours are ready, and their time runs."""
    call = a_decided_call(asks=list(asks))
    offered = list(Award.objects.filter(pool__call=call).order_by("application"))
    for award in offered:
        accepted = max(award.offered_at, just_now() - timedelta(days=3))
        awards.accept(award=award, by=award.application.owner, now=accepted)
        award.refresh_from_db()
    return offered


def a_simulated_cluster(*, gpus: int = 8, unit: str = "gpu", pools: list[Pool] | None = None) -> Cluster:
    """Nodes of four GPUs each."""
    nodes = [
        {"name": f"sim{n + 1}", "gpu_type": "a100", "gpus": min(4, gpus - 4 * n)}
        for n in range(-(-gpus // 4))
    ]
    name = f"sim-{next(count)}"
    factories.a_gpu_type()
    return reservations.attach(
        name=name,
        kind="simulated",
        settings={"name": f"{name}-{uuid4().hex[:8]}", "unit": unit, "nodes": nodes},
        zone="UTC",
        pools=list(Pool.objects.all()) if pools is None else pools,
        by=None,
        now=just_now(),
    )
