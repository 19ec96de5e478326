"""The lot: how a secret and the receipts make a seed, and how a seed makes an order.

Called by the rules (every tie ends here) and by the stage function that closes a call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def seed_from(secret: bytes, root: bytes) -> str:
    """SHA-256(secret ‖ Merkle root of the receipts), in hex."""
    return hashlib.sha256(secret + root).hexdigest()


def ticket(seed: str, candidate_id: str) -> bytes:
    """SHA-256(seed ‖ id); the smallest ticket is drawn first."""
    return hashlib.sha256(bytes.fromhex(seed) + candidate_id.encode("utf-8")).digest()


def drawn_order(seed: str, ids: Iterable[str]) -> list[str]:
    return sorted(ids, key=lambda each: ticket(seed, each))
