# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of a day's intervals, and proofs a subject can show (rules C5).

Leaf = H(0x00 | salt128 | canonical {interval, point, registers}), registers as
{role: [class, Wh]}. The salt of a leaf is H(seed | interval), shortened; the point's seed comes
from marks of its signed records and dies with them, so an erased leaf cannot be guessed back.
Trees nest: intervals of a point, points of a shard, shards of a district; each root is a leaf of
the next, so that shards are hashed apart and an erased point keeps 32 bytes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pedchain_domain import canonical, merkle
from pedchain_domain.intervals import Series
from pedchain_domain.text import hex_bytes

Document = dict[str, Any]


def leaf_salt(seed: str, interval: int) -> bytes:
    """The 128-bit salt of an interval's leaf."""
    return hashlib.sha256(hex_bytes(seed) + interval.to_bytes(8, "big")).digest()[:16]


def leaf_bytes(point: str, interval: int, registers: Mapping[str, Sequence[Any]]) -> bytes:
    """The canonical part of a leaf: what a subject reveals beside the salt."""
    shown = {role: list(pair) for role, pair in registers.items()}
    return canonical.encode({"interval": interval, "point": point, "registers": shown})


def interval_leaves(
    point: str, seed: str, start: int, grain: int, registers: Mapping[str, Series]
) -> list[bytes]:
    """Leaf hashes of a point's day, in time order."""
    roles = sorted(registers)
    columns = [(role, registers[role].classes, registers[role].values) for role in roles]
    count = len(columns[0][1]) if columns else 0
    tail = f',"point":"{point}","registers":{{'
    raw_seed = hex_bytes(seed)
    hashes = []
    for at in range(count):
        interval = start + at * grain
        shown = ",".join(
            [f'"{role}":["{letters[at]}",{values[at]}]' for role, letters, values in columns]
        )
        salt = hashlib.sha256(raw_seed + interval.to_bytes(8, "big")).digest()[:16]
        body = f'{{"interval":{interval}{tail}{shown}}}}}'
        hashes.append(hashlib.sha256(b"\x00" + salt + body.encode()).digest())
    return hashes


def root_leaf(root: bytes) -> bytes:
    """The leaf by which a tree's root stands in the next tree."""
    return merkle.leaf_hash(root)


def nested_root(roots: Sequence[bytes]) -> bytes:
    """Root over roots."""
    return merkle.root([root_leaf(root) for root in roots])


def prove(trees: Sequence[tuple[Sequence[bytes], int]]) -> list[list[Any]]:
    """Proof through nested trees, innermost first: each is (its leaf hashes, the index in it).

    Returns [[index, size, [sibling hex]]] for `verify`.
    """
    return [
        [index, len(hashes), [sibling.hex() for sibling in merkle.proof(hashes, index)]]
        for hashes, index in trees
    ]


def verify(salt: bytes, shown: bytes, proof: Sequence[Sequence[Any]], roots: Sequence[str]) -> bool:
    """Whether a shown leaf lies under the last of `roots` (hex, innermost first)."""
    reached = merkle.leaf_hash(salt + shown)
    for (index, size, path), root in zip(proof, roots, strict=True):
        siblings = [hex_bytes(sibling) for sibling in path]
        if not merkle.verify(reached, index, size, siblings, hex_bytes(root)):
            return False
        reached = root_leaf(hex_bytes(root))
    return True
