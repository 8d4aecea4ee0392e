# SPDX-License-Identifier: Apache-2.0
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import merkle

LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


def rfc_root(data: list[bytes]) -> bytes:
    """MTH as RFC 6962 2.1 writes it."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return hashlib.sha256(b"\x01" + rfc_root(data[:k]) + rfc_root(data[k:])).digest()


def test_vectors_of_rfc_6962_trees() -> None:
    # The certificate transparency test tree: eight leaves, its published roots.
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
              "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    hashes = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in leaves]
    assert hashes[0].hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root(hashes).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
    assert merkle.root(hashes[:3]).hex() == (
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    )


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_the_root_is_the_rfcs(data: list[bytes]) -> None:
    assert merkle.root([merkle.leaf_hash(leaf) for leaf in data]) == rfc_root(data)


@given(LEAVES, st.data())
def test_a_proof_holds_for_its_leaf_and_place_only(data: list[bytes], draw: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(leaf) for leaf in data]
    index = draw.draw(st.integers(0, len(leaves) - 1))
    root, path = merkle.root(leaves), merkle.proof(leaves, index)
    assert merkle.verify(leaves[index], index, len(leaves), path, root)
    assert not merkle.verify(merkle.leaf_hash(b"another leaf"), index, len(leaves), path, root)
    assert not merkle.verify(leaves[index], index, len(leaves), [*path, root], root)
    assert not merkle.verify(leaves[index], len(leaves), len(leaves), path, root)
    if path:
        assert not merkle.verify(leaves[index], index, len(leaves), path[:-1], root)


def test_there_is_no_proof_outside_the_tree() -> None:
    with pytest.raises(IndexError):
        merkle.proof([b"\x00" * 32], 1)
