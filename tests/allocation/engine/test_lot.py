"""The lot: the seed from secret and root, and the order it draws."""

from __future__ import annotations

import hashlib

from allocation.engine.lot import drawn_order, seed_from, ticket


def test_the_seed_is_the_digest_of_secret_and_root() -> None:
    assert seed_from(b"s" * 32, b"r" * 32) == hashlib.sha256(b"s" * 32 + b"r" * 32).hexdigest()


def test_places_go_by_the_digest_of_seed_and_id() -> None:
    seed = seed_from(b"secret", b"root")
    assert ticket(seed, "ga") == hashlib.sha256(bytes.fromhex(seed) + b"ga").digest()
    ids = [f"g{n}" for n in range(50)]
    order = drawn_order(seed, ids)
    assert order == drawn_order(seed, reversed(ids))
    assert sorted(order) == sorted(ids)
    assert order != drawn_order(seed_from(b"other", b"root"), ids)
