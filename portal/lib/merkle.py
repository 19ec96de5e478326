"""A Merkle tree over digests: one root stands for a whole list, and a short proof shows that a digest is in
it.

Called when a call closes (the root of its receipts goes into the seed of the lot) and where a receipt is
checked. leaf = SHA-256(0x00 ‖ digest), node = SHA-256(0x01 ‖ left ‖ right); a node without a partner is
carried up as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of an empty list: SHA-256 of nothing, which no leaf and no node can be."""


def leaf(digest: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + digest).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(digests: Sequence[bytes]) -> bytes:
    """The root over the digests in the order given."""
    level = [leaf(digest) for digest in digests]
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else EMPTY_ROOT


def proof(digests: Sequence[bytes], index: int) -> list[bytes]:
    """The partners on the way from the leaf at `index` to the root, lowest first."""
    if not 0 <= index < len(digests):
        raise IndexError(f"there is no leaf {index}; the list has {len(digests)}")
    level = [leaf(digest) for digest in digests]
    partners = []
    while len(level) > 1:
        if index ^ 1 < len(level):
            partners.append(level[index ^ 1])
        level = _above(level)
        index //= 2
    return partners


def verify(digest: bytes, index: int, count: int, partners: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `digest` is the leaf at `index` of the list of `count` digests that has this root."""
    if not 0 <= index < count:
        return False
    here = leaf(digest)
    rest = list(partners)
    while count > 1:
        if index ^ 1 < count:
            if not rest:
                return False
            partner = rest.pop(0)
            here = node(partner, here) if index % 2 else node(here, partner)
        index //= 2
        count = (count + 1) // 2
    return not rest and here == expected_root


def _above(level: list[bytes]) -> list[bytes]:
    pairs = [node(level[n], level[n + 1]) for n in range(0, len(level) - 1, 2)]
    return pairs + level[len(level) - len(level) % 2 :]
