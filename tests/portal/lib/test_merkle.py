"""The Merkle tree: by hand for small lists, proofs for all, and nothing else is proved."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.merkle import EMPTY_ROOT, leaf, node, proof, root, verify

DIGESTS = [hashlib.sha256(bytes([n])).digest() for n in range(20)]


def test_small_trees_are_as_by_hand() -> None:
    a, b, c = (hashlib.sha256(b"\x00" + digest).digest() for digest in DIGESTS[:3])
    ab = hashlib.sha256(b"\x01" + a + b).digest()
    assert root([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()
    assert root(DIGESTS[:1]) == a == leaf(DIGESTS[0])
    assert root(DIGESTS[:2]) == ab == node(a, b)
    assert root(DIGESTS[:3]) == hashlib.sha256(b"\x01" + ab + c).digest()
    assert proof(DIGESTS[:3], 2) == [ab]


@pytest.mark.parametrize("count", range(1, 21))
def test_each_leaf_is_proved_in_a_list_of_any_length(count: int) -> None:
    digests = DIGESTS[:count]
    for index, digest in enumerate(digests):
        partners = proof(digests, index)
        assert verify(digest, index, count, partners, root(digests))
        assert len(partners) <= (count - 1).bit_length()


@given(st.integers(1, 20), st.data())
def test_nothing_else_is_proved(count: int, data: st.DataObject) -> None:
    digests = DIGESTS[:count]
    index = data.draw(st.integers(0, count - 1))
    partners, top = proof(digests, index), root(digests)
    other = data.draw(st.integers(0, count + 1).filter(lambda each: each != index))
    assert not verify(digests[index], other, count, partners, top)
    assert not verify(b"x" * 32, index, count, partners, top)
    assert not verify(digests[index], index, count, [*partners, b"x" * 32], top)
    assert not verify(digests[index], index, count, partners, b"x" * 32)
    if partners:
        assert not verify(digests[index], index, count, partners[:-1], top)


def test_order_and_length_change_the_root() -> None:
    assert root(DIGESTS[:2]) != root(DIGESTS[1::-1])
    assert len({root(DIGESTS[:count]) for count in range(21)}) == 21


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    with pytest.raises(IndexError, match="there is no leaf 3; the list has 3"):
        proof(DIGESTS[:3], 3)
