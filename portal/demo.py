"""The demo: a small world made through the real stage functions, as if the last months had happened.

Called by `manage.py demo` only. Every function takes the instant at which it pretends to act; nothing writes rows
past the stage functions but the few that have none (a funder's name, a seat).
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings

from allocation import awards, ranking, reports, reservations, usage
from allocation.models import Award, Cluster
from grants import applications, calls, reviews
from grants.models import Application, Call, Funder, FunderSeat, GpuType, Pool
from portal import people
from portal.accounts import make_sign_in_link
from portal.demo_texts import GROUPS
from portal.models import User

HOUR = 3600
SUMMARY = (
    "Hours for small groups that build or adapt a model for people who are badly served by those that exist. "
    "No institution is needed."
)
DOMAIN = "demo.example"
ROLES = ("applicant", "reviewer", "chair", "funder", "operator")
SIMULATED_NODES = {"nodes": [{"name": f"sim{n}", "gpu_type": "a100", "gpus": 4} for n in (1, 2)]}


@dataclass(frozen=True)
class People:
    applicant: User
    reviewer: User
    second_reviewer: User
    chair: User
    funder: User
    operator: User


def load(*, now: datetime, slurm: dict[str, Any] | None) -> None:
    """Makes the whole demo once; a second call finds it there and changes nothing."""
    if User.objects.filter(email=f"chair@{DOMAIN}").exists():
        return
    who = _people(now - timedelta(days=120))
    body = Funder.objects.create(name="Ministry of Science", about="Gives hours of the national cluster.")
    FunderSeat.objects.create(funder=body, user=who.funder)
    gpu_type = GpuType.objects.create(key="a100", name="A100 40 GB", memory_gb=40, watts=400)
    _decided_call(who, body, gpu_type, now)
    deciding = _call_to_decide(who, body, gpu_type, now)
    _call_to_score(who, body, gpu_type, now)
    _open_call(who, body, gpu_type, now)
    if slurm is not None:
        reservations.attach(
            name="slurm",
            kind="slurm",
            settings=slurm,
            zone="UTC",
            pools=list(deciding.pools.all()),
            by=who.operator,
            now=now,
        )
    else:
        Cluster.objects.get().pools.add(*deciding.pools.all())


def evening(instant: datetime) -> datetime:
    """The same day at 18:00 in Dhaka, where the demo's calls are kept: deadlines are round."""
    return instant.replace(hour=12, minute=0, second=0, microsecond=0)


def _people(now: datetime) -> People:
    def person(name: str, shown: str, *roles: str) -> User:
        user = User.objects.create_user(f"{name}@{DOMAIN}", display_name=shown, zone="Asia/Dhaka")
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        for role in roles:
            people.give_role(user=user, role=role, by=None, now=now)
        user.refresh_from_db()
        return user

    return People(
        applicant=person("applicant", "Amina Khatun"),
        reviewer=person("reviewer", "Rosa Pérez", "reviewer"),
        second_reviewer=person("reviewer2", "Kofi Mensah", "reviewer"),
        chair=person("chair", "Leïla Ben Salah", "chair"),
        funder=person("funder", "Tarja Virtanen"),
        operator=person("operator", "Jun Park", "operator"),
    )


def _call(
    who: People,
    body: Funder,
    gpu_type: GpuType,
    *,
    slug: str,
    title: str,
    opens: datetime,
    closes: datetime,
    hours: int,
) -> Call:
    made = opens - timedelta(days=5)
    call = calls.create_from_preset(
        preset="standard",
        slug=slug,
        title=title,
        summary=SUMMARY,
        zone="Asia/Dhaka",
        dates=calls.CallDates(
            opens_at=opens,
            closes_at=closes,
            scoring_ends_at=closes + timedelta(days=7),
            decides_at=closes + timedelta(days=12),
            award_starts_at=closes + timedelta(days=13),
            award_ends_at=closes + timedelta(days=103),
        ),
        largest_ask_gpu_seconds=500 * HOUR,
        chair=who.chair,
        now=made,
    )
    pool = calls.add_pool(
        call=call, funder=body, gpu_type=gpu_type, gpu_seconds=hours * HOUR, by=who.chair, now=made
    )
    calls.add_earmark(
        pool=pool, gpu_seconds=hours * HOUR // 10, where={"first_timer": True}, by=who.chair, now=made
    )
    calls.publish(call=call, by=who.chair, now=made)
    call.refresh_from_db()
    return call


def _send(
    call: Call, gpu_type: GpuType, number: int, now: datetime, owner: User | None = None
) -> Application:
    """One group of the demo's texts applies."""
    group = GROUPS[number % len(GROUPS)]
    if owner is None:
        owner = User.objects.filter(email=f"group{number}@{DOMAIN}").first() or User.objects.create_user(
            f"group{number}@{DOMAIN}", display_name=group.contact
        )
    draft = applications.begin(call=call, user=owner, language="en", now=now)
    answers = group.answers(gpu_type=gpu_type, after=call.award_starts_at)
    sent = applications.save_answers(
        application=draft, by=owner, version=draft.version, answers=answers, now=now
    )
    applications.submit(application=sent, by=owner, key=uuid.uuid4(), now=now + timedelta(minutes=20))
    sent.refresh_from_db()
    return sent


def _score(application: Application, reviewer: User, points: tuple[int, ...], now: datetime) -> None:
    keys = application.call.criteria.order_by("order").values_list("key", flat=True)
    assignment = reviews.assign(application=application, reviewer=reviewer, by=None, now=now)
    reviews.declare(assignment=assignment, by=reviewer, now=now + timedelta(hours=20))
    assignment.refresh_from_db()
    reviews.save_review(
        assignment=assignment,
        by=reviewer,
        scores=dict(zip(keys, points, strict=True)),
        strength="The chain from model to people is clear, and the people were asked.",
        fix="Say who keeps the model running after the hours are used.",
        harm="none",
        harm_note="",
        now=now + timedelta(hours=21),
    )
    reviews.submit_review(assignment=assignment, by=reviewer, now=now + timedelta(hours=21))


def _scored(who: People, call: Call, gpu_type: GpuType, count: int) -> None:
    during, after = call.opens_at + timedelta(days=3), call.closes_at + timedelta(days=1)
    for number in range(count):
        owner = who.applicant if number == 0 else None
        application = _send(call, gpu_type, number, during + timedelta(hours=number), owner)
        high = (5 - number % 3, 4, 5 - number % 2, 4, 3 + number % 3, 4)
        _score(application, who.reviewer, high, after)
        _score(application, who.second_reviewer, tuple(max(1, points - number % 2) for points in high), after)


def _decided_call(who: People, body: Funder, gpu_type: GpuType, now: datetime) -> None:
    """A call from two months ago, decided, with awards that have been in use for some weeks."""
    closes = evening(now - timedelta(days=45))
    call = _call(
        who,
        body,
        gpu_type,
        slug="local-languages",
        title="Small models for local languages",
        opens=closes - timedelta(days=30),
        closes=closes,
        hours=900,
    )
    _scored(who, call, gpu_type, 7)
    decided = call.closes_at + timedelta(days=10)
    ranking.freeze(call=call, by=who.chair, now=decided)
    run = awards.propose(call=call, by=who.chair, now=decided)
    awards.approve(run=run, by=who.chair, now=decided + timedelta(hours=2))
    run.refresh_from_db()
    awards.release(run=run, by=who.chair, now=decided + timedelta(hours=3))
    cluster = reservations.attach(
        name="simulated",
        kind="simulated",
        settings=SIMULATED_NODES,
        zone="Asia/Dhaka",
        pools=list(Pool.objects.filter(call=call)),
        by=who.operator,
        now=decided,
    )
    for award in Award.objects.filter(pool__call=call).order_by("pk"):
        awards.accept(award=award, by=award.application.owner, now=decided + timedelta(days=1))
    _weeks_of_use(cluster, begins=decided + timedelta(days=1), until=now)
    reports.request(kind="call", subject=call, by=who.funder, language="en", now=now)


def _weeks_of_use(cluster: Cluster, *, begins: datetime, until: datetime) -> None:
    """What the worker would have done every few minutes, a few times a week."""
    rounds = (until - begins) // timedelta(days=2)
    for instant in [*(begins + timedelta(days=2) * n for n in range(rounds)), until]:
        cluster.refresh_from_db()
        reservations.plan(cluster=cluster, now=instant)
        reservations.reconcile(cluster=cluster, now=instant)
        usage.meter(cluster=cluster, now=instant)
    for award in Award.objects.filter(state="active").order_by("pk")[:2]:
        awards.write_progress_note(
            award=award,
            by=award.application.owner,
            text="The first training run works.\nCuts cost us two days.\nNext: the field test.",
            now=until - timedelta(hours=1),
        )


def _call_to_decide(who: People, body: Funder, gpu_type: GpuType, now: datetime) -> Call:
    """A call whose scores are in: the chair's next step is to propose."""
    closes = evening(now - timedelta(days=9))
    call = _call(
        who,
        body,
        gpu_type,
        slug="water-and-health",
        title="Water and health",
        opens=closes - timedelta(days=25),
        closes=closes,
        hours=400,
    )
    _scored(who, call, gpu_type, 5)
    return call


def _call_to_score(who: People, body: Funder, gpu_type: GpuType, now: datetime) -> None:
    """A call that reviewers are reading: one review is begun, three wait."""
    closes = evening(now - timedelta(days=2))
    call = _call(
        who,
        body,
        gpu_type,
        slug="classrooms",
        title="Models for classrooms",
        opens=closes - timedelta(days=20),
        closes=closes,
        hours=300,
    )
    for number in range(1, 5):
        application = _send(call, gpu_type, number, call.opens_at + timedelta(days=number))
        for reviewer in (who.reviewer, who.second_reviewer):
            reviews.assign(
                application=application, reviewer=reviewer, by=who.chair, now=closes + timedelta(hours=3)
            )


def _open_call(who: People, body: Funder, gpu_type: GpuType, now: datetime) -> None:
    """A call that takes applications now, with two sent."""
    call = _call(
        who,
        body,
        gpu_type,
        slug="spring",
        title="Spring call: voices and fields",
        opens=evening(now - timedelta(days=7)),
        closes=evening(now + timedelta(days=15)),
        hours=1200,
    )
    for number in (3, 4):
        _send(call, gpu_type, number, now - timedelta(days=number))


def sign_in_lines(*, now: datetime) -> list[str]:
    """One line a role: its name and a link that signs in."""
    lines = []
    for role in ROLES:
        user = User.objects.get(email=f"{role}@{DOMAIN}")
        link = make_sign_in_link(user=user, now=now, hours=24, is_reusable=True)
        lines.append(f"{role:<10} {settings.SITE_URL}{link}")
    return lines
