"""The audit chain: sealed in order, append-only, and telling about each change."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from portal import audit
from portal.models import AuditEntry, AuditSeal
from tests.factories import a_user

pytestmark = pytest.mark.django_db


def some_entries(number: int) -> None:
    user = a_user()
    for n in range(number):
        audit.record(by=user, did="test.done", subject=user, at=timezone.now(), n=n)


def test_entries_are_sealed_once_and_the_chain_holds() -> None:
    some_entries(5)
    assert audit.seal(now=timezone.now()) == 5
    assert audit.seal(now=timezone.now()) == 0
    some_entries(2)
    assert audit.seal(now=timezone.now()) == 2
    assert list(audit.broken_links()) == []
    assert audit.head() != audit.GENESIS


@pytest.mark.parametrize("model", [AuditEntry, AuditSeal])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_what_was_written(model: type, verb: str) -> None:
    some_entries(1)
    audit.seal(now=timezone.now())
    statement = (
        f"UPDATE {model._meta.db_table} SET id = id"
        if verb == "update"
        else f"DELETE FROM {model._meta.db_table}"
    )
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert model.objects.count() == 1


def test_a_change_behind_the_databases_back_is_named() -> None:
    """The twin: with the wall taken out, the chain still tells."""
    some_entries(3)
    audit.seal(now=timezone.now())
    entry = AuditEntry.objects.order_by("pk")[1]
    table = AuditEntry._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
        else:
            cursor.execute(f"DROP TRIGGER {table}_no_update")
    AuditEntry.objects.filter(pk=entry.pk).update(did="test.forged")
    if connection.vendor == "postgresql":
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
        connection.cursor().execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")
    faults = list(audit.broken_links())
    assert faults == [f"audit entry {entry.pk}: its content was changed after it was sealed"]
