"""Latency, queries and bytes of each page at 100 and at 10,000 applications, by Django's test client in one process.

Called by `python -m tests.bench pages --json`. Rows beyond the first few are copies made in bulk: this measures
reading, and reading does not care how a row came to be.
"""

import gzip
import os
import shutil
import statistics
import tempfile
import time
from typing import Any

SIZES = (100, 10_000)
REQUESTS = 12


def run() -> dict[str, Any]:
    folder = tempfile.mkdtemp(prefix="openhours-bench-")
    os.environ["OPENHOURS_DATA"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    try:
        import django

        django.setup()
        return measure_all()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure_all() -> dict[str, Any]:
    from django.conf import settings
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    setup_test_environment()
    settings.ALLOWED_HOSTS, settings.STAFF_NEEDS_MFA = ["testserver"], False
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    world = make_world()
    figures: dict[str, Any] = {}
    have = 0
    for size in SIZES:
        add_copies(world, size - have)
        have = size
        figures[f"{size} applications"] = {
            name: measure(person, path) for name, person, path in pages_of(world)
        }
    return figures


def make_world() -> dict[str, Any]:
    """A released call, whose award has slots and use, and an open one with a draft."""
    from tests import factories

    call = factories.a_scored_call(points=(5, 4))
    award = factories.an_award(call=call)
    reviewer = factories.a_reviewer()
    factories.an_assignment(factories.an_application(), reviewer=reviewer)
    draft = factories.a_draft(owner=award.application.owner)
    return {
        "award": award,
        "call": call,
        "chair": call.chairs.get(),
        "draft": draft,
        "operator": factories.an_operator(),
        "reviewer": reviewer,
        "owner": award.application.owner,
        "funder": factories.a_funder(award.pool.funder),
    }


def add_copies(world: dict[str, Any], number: int) -> None:
    """Copies an application of the released call with its group, decision and award, `number` times."""
    from allocation.models import Award, Decision
    from grants.models import Application, Group
    from portal.lib.names import new_account_name, new_application_id, new_group_id

    award = world["award"]
    source, decision = award.application, award.decision
    groups = Group.objects.bulk_create(copy_of(source.group, public_id=new_group_id()) for _ in range(number))
    applications = Application.objects.bulk_create(
        copy_of(source, public_id=new_application_id(), group=group) for group in groups
    )
    decisions = Decision.objects.bulk_create(copy_of(decision, application=row) for row in applications)
    Award.objects.bulk_create(
        copy_of(award, account_name=new_account_name(), application=row.application, decision=row)
        for row in decisions
    )


def copy_of(row: Any, **changed: Any) -> Any:
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }
    made = type(row)(**values)
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def pages_of(world: dict[str, Any]) -> list[tuple[str, Any, str]]:
    """(name, who opens it, path): every page that a person meets on the way."""
    application, award, draft = world["award"].application, world["award"], world["draft"]
    run = award.decision.run
    return [
        ("home", None, "/"),
        ("calls", None, "/calls/"),
        ("call", None, f"/calls/{world['call'].slug}/"),
        ("estimate", None, "/estimate/"),
        ("register", None, "/register/"),
        ("run", None, f"/runs/{run.public_id}/"),
        ("my page", world["owner"], "/my/"),
        ("application", world["owner"], f"/applications/{application.public_id}/"),
        ("question 2", world["owner"], f"/applications/{draft.public_id}/q/2/"),
        ("question 6", world["owner"], f"/applications/{draft.public_id}/q/6/"),
        ("check answers", world["owner"], f"/applications/{draft.public_id}/check/"),
        ("decision", world["owner"], f"/applications/{application.public_id}/decision/"),
        ("award", world["owner"], f"/awards/{award.account_name}/"),
        ("funder", world["funder"], "/funder/"),
        ("admin: applications", world["chair"], "/admin/grants/application/"),
        ("admin: calls", world["chair"], "/admin/grants/call/"),
        ("admin: runs", world["chair"], "/admin/allocation/allocationrun/"),
        ("admin: my reviews", world["reviewer"], "/admin/grants/assignment/"),
        ("admin: clusters", world["operator"], "/admin/allocation/cluster/"),
    ]


def measure(person: Any, path: str) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    if person is not None:
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    queries = len(captured)  # counted now: the next request empties the log
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        client.get(path)
        times.append((time.perf_counter() - began) * 1000)
    return {
        "status": answer.status_code,
        "queries": queries,
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(sorted(times)[int(0.95 * (REQUESTS - 1))], 1),
        "html_bytes": len(answer.content),
        "html_bytes_gz": len(gzip.compress(answer.content)),
    }
