"""The audit log: `record` writes an entry inside the caller's transaction; `seal` chains entries afterwards.

Sealing in its own order keeps writers from waiting for one another, and still lets nobody change, drop or
reorder an entry later without breaking the chain.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import models, transaction

from portal.models import AuditEntry, AuditSeal, Heartbeat, User

GENESIS = "0" * 64
LOCK = "audit-seal"


def record(*, by: User | None, did: str, subject: models.Model, at: datetime, **detail: object) -> AuditEntry:
    """Writes that somebody (None: the site) did something to a row. Detail holds ids and numbers only."""
    return AuditEntry.objects.create(
        at=at,
        by=by,
        did=did,
        subject_kind=subject._meta.label,
        subject_id=str(subject.pk),
        detail=detail,
    )


def digest(entry: AuditEntry, previous_sha256: str) -> str:
    """SHA-256 over the previous link and the entry's canonical JSON."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    content = [entry.pk, at, entry.by_id, entry.did, entry.subject_kind, entry.subject_id, entry.detail]
    text = json.dumps([previous_sha256, content], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def head() -> str:
    """The newest link of the chain: publish it, and nobody can rewrite what came before."""
    return AuditSeal.objects.order_by("-pk").values_list("sha256", flat=True).first() or GENESIS


def seal(*, now: datetime, at_most: int = 5000) -> int:
    """Chains entries that have no seal yet; returns how many. A second one at once waits, then finds none."""
    with transaction.atomic():
        Heartbeat.objects.get_or_create(name=LOCK, defaults={"beat_at": now})
        Heartbeat.objects.select_for_update().get(name=LOCK)
        previous, seals = head(), []
        for entry in AuditEntry.objects.unsealed()[:at_most]:
            sealed = digest(entry, previous)
            seals.append(AuditSeal(entry=entry, previous_sha256=previous, sha256=sealed))
            previous = sealed
        AuditSeal.objects.bulk_create(seals)
        Heartbeat.objects.filter(name=LOCK).update(beat_at=now)
    return len(seals)


def broken_links() -> Iterator[str]:
    """Says each place where the chain does not hold; nothing when all is well."""
    previous = GENESIS
    for link in AuditSeal.objects.select_related("entry").order_by("pk").iterator(chunk_size=2000):
        if link.previous_sha256 != previous:
            yield f"audit entry {link.entry_id}: the link before it is missing or was changed"
        if digest(link.entry, link.previous_sha256) != link.sha256:
            yield f"audit entry {link.entry_id}: its content was changed after it was sealed"
        previous = link.sha256
