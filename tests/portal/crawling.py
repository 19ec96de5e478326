"""Visits every page with every row that its address could name, and tells what the answers got wrong.

Called by the tests of rights; what is right rests on PAGES and on the relations in tests.portal.everybody.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import get_resolver, reverse

from allocation.models import Decision
from grants.models import Pool
from portal.access import PAGES, PUBLIC, Desk, Rows
from portal.models import Heartbeat
from tests.portal.everybody import CAN_BE, ROLES, Thing, World, undone

# Pages that other packages bring; they are about the person who opens them.
BROUGHT_ALONG = ("accounts/", "i18n/")
# The workroom ends in a page that is never there.
NEVER_THERE = "admin:None"
NO_ROW = Thing(Heartbeat(), ())
# A desk whose form names a call, and this test sends it empty.
FORM_ABOUT_A_ROW = ("admin:allocation_ranking_add", "post")
METHODS = ("get", "post", "head", "options")
RARE, SOME = ("head", "options"), ("visitor", "owner", "other_reviewer", "chair", "other_chair", "operator")
WORDS = {"name": "applicant", "token": "nothing", "app_label": "grants", "number": 1, "login_pk": 1}
MISSING = {
    "slug": "no-such",
    "public_id": "a00000000",
    "account_name": "g00000000",
    "pk": 987654,
    "object_id": "987654",
    "sequence": 9999,
}


def urls(patterns: Iterable[Any], space: str = "", before: str = "") -> Iterator[tuple[str, str]]:
    """(name, route) of every page that the resolver knows."""
    for each in patterns:
        route = before + str(each.pattern)
        if hasattr(each, "url_patterns"):
            yield from urls(
                each.url_patterns, space + (f"{each.namespace}:" if each.namespace else ""), route
            )
        else:
            yield f"{space}{each.name}", route


def own_urls() -> dict[str, str]:
    found = urls(get_resolver().url_patterns)
    return {name: route for name, route in found if not route.startswith(BROUGHT_ALONG)}


@dataclass(frozen=True)
class Visit:
    """A page as one row shows it; without a thing it is about no row that there is."""

    name: str
    path: str
    label: str
    thing: Thing | None

    def is_given(self, role: str, method: str) -> bool:
        page = PAGES[self.name]
        if isinstance(page, str):
            return page == PUBLIC or role != "visitor"
        if isinstance(page, Desk):
            return any(role in CAN_BE[relation] for relation in page.as_)
        right = page.post if method == "post" and page.post else page.right
        return self.thing is not None and self.thing.is_given(role, right, page.as_, page.kinds)


def of_row(row: Any) -> dict[str, Any]:
    """What an address may say of a row."""
    about = row.application if isinstance(row, Decision) else row
    found = {
        name: getattr(about, name) for name in ("public_id", "account_name", "slug") if hasattr(about, name)
    }
    if isinstance(row, Pool):
        found["slug"] = row.call.slug
    if hasattr(row, "receipts"):
        found["sequence"] = getattr(row.receipts.first(), "sequence", 9999)
    if hasattr(row, "logins"):
        found["login_pk"] = row.logins.values_list("pk", flat=True).first()
    return found | {"pk": row.pk, "object_id": row.pk}


def address(name: str, route: str, values: dict[str, Any]) -> str:
    wanted = {key: (WORDS | values)[key] for key in re.findall(r"<(?:\w+:)?(\w+)>", route)}
    path = reverse(name, kwargs=wanted)
    return f"{path}?ids={values['pk']}" if name.endswith("_assign") else path


def visits(world: World, names: Iterable[str] | None = None) -> Iterator[Visit]:
    """Every page with every row that its address could name, and with one that is not there."""
    for name, route in own_urls().items():
        if name == NEVER_THERE or (names is not None and name not in names):
            continue
        page = PAGES[name]
        if not isinstance(page, Rows):
            yield Visit(name, address(name, route, MISSING), "", NO_ROW)
            continue
        for label, thing in world.of_kinds(page.kinds).items():
            if (name, label) != ("receipt_content", "draft"):  # a draft has no receipt to show
                yield Visit(name, address(name, route, of_row(thing.row)), label, thing)
        yield Visit(name, address(name, route, MISSING), "missing", None)


def answer(client: Client, visit: Visit, method: str) -> tuple[int, str]:
    data = {"ids": visit.path.partition("ids=")[2], "step": "declare"} if method == "post" else None
    session = client.cookies.get("sessionid")
    with undone():
        response = getattr(client, method)(visit.path, data)
    if session is not None:
        client.cookies["sessionid"] = session  # signing out is undone too
    return response.status_code, response.headers.get("Location", "")


def leads_to_sign_in(status: int, where: str) -> bool:
    """The workroom's sign-out leads those who are out to its door."""
    return status == 302 and (where.startswith(("/accounts/login/", "/admin/login/")) or where == "/admin/")


def fault(visit: Visit, role: str, method: str, status: int, where: str) -> str:
    """What is wrong with an answer; empty when it is as the table says."""
    if status == 405:
        return ""  # what a page does not take is the same for all, see `crawl`
    if visit.is_given(role, method) and (visit.name, method) != FORM_ABOUT_A_ROW:
        is_sent_away = PAGES[visit.name] != PUBLIC and where.startswith("/accounts/login/")
        is_right = status < 400 and not (role != "visitor" and is_sent_away)
    else:
        is_right = status == 404 or (role == "visitor" and leads_to_sign_in(status, where))
    return "" if is_right else f"{role} {method} {visit.name} ({visit.label}): {status} {where}"


def asking(visit: Visit, method: str) -> list[str]:
    """Everybody opens every page; what is rarer is asked by those whom it is for and by some of the others."""
    if method == "get" and visit.thing is not None:
        return list(ROLES)
    if method in RARE:
        return list(SOME)
    return [role for role in ROLES if role in SOME or visit.is_given(role, method)]


def crawl(world: World, clients: dict[str, Client], names: Iterable[str] | None = None) -> list[str]:
    """Everybody opens everything in every way; what the answers got wrong."""
    faults = []
    taken: dict[tuple[str, str], set[bool]] = {}
    for visit in visits(world, names):
        for method in METHODS:
            known = taken.get((visit.name, method))
            if known == {False} or (known is not None and method in RARE):
                continue  # the page's first row has shown that it takes this from nobody, or all that is new
            for role in asking(visit, method):
                status, where = answer(clients[role], visit, method)
                faults.append(fault(visit, role, method, status, where))
                if not leads_to_sign_in(status, where) and status != 404:
                    taken.setdefault((visit.name, method), set()).add(status != 405)
    faults += [
        f"{key} is refused by its method for some only" for key, said in taken.items() if len(said) > 1
    ]
    return [each for each in faults if each]


def hostile_paths(hostile: str) -> Iterator[tuple[str, str]]:
    """Every page that takes an id, with something in its place that is none."""
    for name, route in own_urls().items():
        if "<" in route and name not in (NEVER_THERE, "enter"):
            plain = re.sub(r"\^|\$|\(\?P(<\w+>)[^)]*\)", r"\1", route)
            yield name, "/" + re.sub(r"<(?:\w+:)?\w+>", lambda _: hostile, plain)


def what_is_said(response: Any) -> str:
    """Body and headers, as one text."""
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return f"{head}\n{response.getvalue().decode('utf-8', 'replace')}"
