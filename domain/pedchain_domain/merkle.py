# SPDX-License-Identifier: Apache-2.0
"""Merkle trees as RFC 6962, section 2.1: SHA-256, 0x00 before leaves, 0x01 before nodes."""

import hashlib
from collections.abc import Sequence


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf's data."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes; of no leaves, the hash of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        level = _next(level)
    return level[0]


def _next(level: list[bytes]) -> list[bytes]:
    # An odd last node rises unchanged, which equals the RFC's split at a power of two.
    odd = level[-1:] if len(level) % 2 else []
    pairs = zip(level[::2], level[1::2], strict=False)
    return [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of a leaf, from the leaf's sibling upwards; IndexError outside the tree."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    path, level, at = [], list(leaves), index
    while len(level) > 1:
        sibling = at ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = _next(level)
        at //= 2
    return path


def verify(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether `path` leads from the leaf hash at `index` of a tree of `size` to the root."""
    if not 0 <= index < size:
        return False
    reached, at, last, steps = leaf, index, size - 1, list(path)
    while last > 0:
        if at % 2 == 1 or at < last:
            if not steps:
                return False
            sibling = steps.pop(0)
            reached = node_hash(sibling, reached) if at % 2 else node_hash(reached, sibling)
        at //= 2
        last //= 2
    return not steps and reached == expected
