"""`manage.py audit verify`: holds what was written against its digests; exit 1 names the first fault."""

import hashlib
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from allocation import ledger
from grants.models import SentContent
from portal import audit
from portal.models import AuditEntry


def broken_receipts() -> Iterator[str]:
    for content in SentContent.objects.select_related("receipt__call").iterator(chunk_size=500):
        digest = hashlib.sha256(content.canonical.encode()).hexdigest()
        if digest != content.receipt.sha256:
            yield f"receipt {content.receipt} of {content.receipt.call.slug}: its content was changed"


class Command(BaseCommand):
    help = "Checks the audit chain, the ledger's balance and the receipts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["verify"])

    def handle(self, *args: Any, **options: Any) -> None:
        sealed = audit.seal(now=timezone.now(), at_most=1_000_000)
        faults = [*audit.broken_links(), *ledger.check(), *broken_receipts()]
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} things do not hold; the first: {faults[0]}")
        self.stdout.write(
            f"{AuditEntry.objects.count()} audit entries ({sealed} sealed now), the ledger and "
            f"{SentContent.objects.count()} receipts hold. Head of the chain: {audit.head()}"
        )
