"""Words that a person must not learn: each private field holds words of its own, looked for in every page they open."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from allocation import reports
from allocation.models import Report
from grants import reviews
from grants.models import Call, Review
from portal.models import Heartbeat, User
from tests import factories as make
from tests.portal.crawling import visits, what_is_said
from tests.portal.everybody import CHAIRS, OPERATORS, ROLES, Thing, World, a_world, just_now, undone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_one_step")]


@pytest.fixture
def with_one_step(settings: Any) -> None:
    """The second factor has its own test."""
    settings.STAFF_NEEDS_MFA = False


@dataclass(frozen=True)
class Canary:
    """Words that stand in one private field, and the roles that may read them on some page."""

    words: str
    may_know: tuple[str, ...] = ()


def written_into(row: Any, field: str, name: str, *may_know: str) -> Canary:
    """Writes words that stand nowhere else into a column, past all rules."""
    words = f"qz{name}@canary.example" if "email" in field else f"Qz{name}quetzal"
    type(row)._default_manager.filter(pk=row.pk).update(**{field: words})
    return Canary(words, may_know)


def canaries_of(world: World) -> dict[str, Canary]:
    group = ("owner", "co_applicant")
    application, draft, owner = world["application"], world["draft"], world.users["owner"]
    own = world["own application"]
    own_review = make.a_review(own, reviewer=make.a_reviewer()).review
    decided = Review.objects.get(assignment__application=world["award"].application, **by(world, "assigned"))
    written: dict[str, tuple[Any, ...]] = {
        "group name": (application, "group_name", *group),
        "phone": (application, "contact_phone", *group),
        "contact": (application, "contact_email", *group),
        "known reviewers": (application, "known_reviewers", *group),
        "own group name": (own, "group_name", "chair_applicant"),
        "owner's address": (owner, "email", "owner", *OPERATORS),
        "owner's name": (owner, "display_name", *group, *OPERATORS),
        "draft's title": (draft, "title", *group),
        "draft's text": (draft, "problem", *group),
        "strange draft": (world["foreign draft"], "title"),
        "unsent strength": (world["review"], "strength", "assigned"),
        "unsent fix": (world["review"], "fix", "assigned"),
        "unsent harm": (world["review"], "harm_note", "assigned"),
        "harm": (decided, "harm_note", "assigned", "chair", "chair_applicant"),
        "strength of own": (own_review, "strength", "chair"),
        "harm of own": (own_review, "harm_note", "chair"),
        "reviewer of own": (own_review.assignment.reviewer, "email", *CHAIRS, *OPERATORS),
        "lot's secret": (world["call"], "lot_secret"),
        "other lot's secret": (world["foreign call"], "lot_secret"),
        "hidden call": (world["hidden call"], "title", "chair"),
        "mail's text": (world["mail"], "body"),
    }
    for role in ("assigned", "recused", "undeclared"):
        written[f"{role}'s address"] = (world.users[role], "email", role, *CHAIRS, *OPERATORS)
        written[f"{role}'s name"] = (world.users[role], "display_name", role, *CHAIRS, *OPERATORS)
    return {
        name: written_into(row, field, re.sub(r"\W", "", name), *may_know)
        for name, (row, field, *may_know) in written.items()
    }


def by(world: World, role: str) -> dict[str, Any]:
    return {"assignment__reviewer": world.users[role]}


def with_fresh_reports(world: World) -> World:
    """Reports are frozen: those of this world shall be frozen with the words in them."""
    fresh = {}
    for name in ("report", "foreign report"):
        old: Any = world[name]
        made = reports.request(kind="call", subject=old.call, by=None, language="en", now=timezone.now())
        thing = world.things[name]
        fresh[name] = Thing(made, thing.kinds, thing.relations)
    Report.objects.update(pdf=b"%PDF-1.7", state="ready")
    return World(world.users, {**world.things, **fresh})


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[World, dict[str, Canary]]]:
    with django_db_blocker.unblock(), transaction.atomic():
        made = a_world()
        Heartbeat.objects.create(name="queue", beat_at=just_now())
        words = canaries_of(made)
        yield with_fresh_reports(made), words
        transaction.set_rollback(True)


def told(text: str, canaries: Mapping[str, Canary]) -> list[str]:
    return [name for name, canary in canaries.items() if canary.words in text]


def leaks(world: World, canaries: Mapping[str, Canary], role: str) -> tuple[list[str], set[str]]:
    """(what a role reads and must not, what it reads at all) on every page that it may open."""
    client, wrong, read = world.client(role), [], set()
    for visit in visits(world):
        if not visit.is_given(role, "get"):
            continue
        with undone():
            found = told(what_is_said(client.get(visit.path)), canaries)
        read |= set(found)
        wrong += [
            f"{role} reads {name} on {visit.path}" for name in found if role not in canaries[name].may_know
        ]
    return wrong, read


@pytest.mark.parametrize("role", ROLES)
def test_nobody_reads_what_is_not_for_them(world: tuple[World, dict[str, Canary]], role: str) -> None:
    assert leaks(*world, role)[0] == []


def test_the_words_are_found_where_they_may_stand(world: tuple[World, dict[str, Canary]]) -> None:
    """Else the test above would look for words that stand nowhere."""
    read = {role: leaks(*world, role)[1] for role in ("owner", "assigned", "chair", "operator")}
    assert {"group name", "phone", "contact", "known reviewers", "draft's title"} <= read["owner"]
    assert {"unsent strength", "unsent fix", "unsent harm"} <= read["assigned"]
    assert {"assigned's name", "harm", "strength of own", "hidden call"} <= read["chair"]
    assert {"owner's address", "assigned's address"} <= read["operator"]


def test_a_broken_twin_is_noticed(world: tuple[World, dict[str, Canary]]) -> None:
    """A reviewer's page that shows who applies."""
    with undone():
        Call.objects.filter(pk=world[0]["call"].pk).update(is_blind=False)
        wrong, _read = leaks(*world, "assigned")
    assert any("group name" in each for each in wrong)


ODD = ["?o=1", "?o=-2.1", "?o=99", "?p=0", "?all=", "?e=1", "?_facets=True", "?q=%00", "?state=x", "?x__y=1"]


def lists() -> list[str]:
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]


@pytest.mark.parametrize("role", ["assigned", "other_reviewer", "other_chair", "chair_applicant", "operator"])
def test_no_search_or_order_tells_more(world: tuple[World, dict[str, Canary]], role: str) -> None:
    """A search for hidden words finds as much as a search for nonsense; no order and no lookup shows more."""
    made, canaries = world
    client = made.client(role)
    hidden = {name: canary for name, canary in canaries.items() if role not in canary.may_know}
    for path in lists():
        if client.get(path).status_code == 404:
            continue
        for query in ODD:
            response = client.get(path + query, follow=True)
            assert response.status_code < 500, path + query
            assert told(what_is_said(response), hidden) == [], path + query
        nonsense = rows_found(client, path, "zzzzzzz")
        assert all(rows_found(client, path, canary.words) == nonsense for canary in hidden.values()), path


def rows_found(client: Client, path: str, words: str) -> str:
    """The lines of a list that a search left."""
    text = client.get(path, {"q": words}).content.decode()
    found = "\n".join(re.findall(r"<tbody>.*?</tbody>", text, re.DOTALL))
    return re.sub(r"_changelist_filters=[^\"]*", "", found)


def without_tokens(text: str) -> str:
    text = re.sub(r'name="(csrfmiddlewaretoken|once)" value="[^"]*"', "", text)
    return re.sub(r"\?q=[^\"&]*", "", text)


@pytest.mark.parametrize(
    "lookup",
    [
        "application__group_name__startswith=Q",
        "application__owner__email__contains=canary",
        "application__title__gt=A",
        "application__contact_phone__isnull=0",
        "reviewer__email=x",
    ],
)
def test_no_lookup_reads_a_hidden_column(world: tuple[World, dict[str, Canary]], lookup: str) -> None:
    client = world[0].client("assigned")
    plain = without_tokens(
        client.get(reverse("admin:grants_assignment_changelist"), follow=True).content.decode()
    )
    answer = client.get(reverse("admin:grants_assignment_changelist") + f"?{lookup}", follow=True)
    text = without_tokens(answer.content.decode()).replace("?e=1", "")
    assert answer.status_code in (200, 400, 404)
    assert answer.status_code != 200 or world[0]["application"].title not in text or text == plain


IDENTITIES = [
    {"group_name": "Surma Voice Circle", "group_size": 4, "country": "BD", "contact_phone": "+880 1"},
    {"group_name": "Ateliers du Rif", "group_size": 77, "country": "MA", "contact_email": "rif@example.org"},
]


def pages_of_the_reviewer(call: Call, reviewer: User, who: str, identity: dict[str, Any]) -> list[str]:
    """Every page that shows an application to its reviewer, without what is random in it."""
    client = Client()
    client.force_login(reviewer)
    with undone():
        owner = make.a_user(who, display_name=who)
        application = make.an_application(call=call, owner=owner, **identity)
        assignment = make.an_assignment(application, reviewer=reviewer, declared=False)
        listed = reverse("admin:grants_assignment_changelist")
        page = reverse("admin:grants_assignment_change", args=[assignment.pk])
        searches = [f"{listed}?q={words}" for words in ("Surma", "Rif", who, "BD")]
        paths = ["/admin/", "/my/", listed, page, *searches, f"{listed}?o=2", f"{listed}?o=-1"]
        texts = [client.get(path).content.decode() for path in paths]
        reviews.declare(assignment=assignment, by=reviewer, now=timezone.now())
        texts += [client.get(path).content.decode() for path in [*paths, f"{page}?check=1"]]
        assert application.title in texts[-1]
        names = (application.public_id, f"assignment/{assignment.pk}/", f"q={who}", f'value="{who}"')
        for name in names:
            texts = [text.replace(name, "ID") for text in texts]
    return [without_tokens(text) for text in texts]


def test_two_applications_that_differ_in_who_applies_look_the_same_to_their_reviewer() -> None:
    call, reviewer = make.an_open_call(), make.a_reviewer()
    first, second = (
        pages_of_the_reviewer(call, reviewer, who, identity)
        for who, identity in zip(("amina", "yusuf"), IDENTITIES, strict=True)
    )
    assert len(first) == len(second) > 15
    assert first == second
