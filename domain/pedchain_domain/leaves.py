# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of a day's intervals, and proofs a subject can show (rules C5).

Leaf = H(0x00 | salt128 | canonical {interval, point, registers}), registers as
{role: [class, Wh]}. Salts are cut from SHAKE-256 of the point's seed; the seed comes from marks of
the point's signed records and dies with them, so an erased leaf cannot be guessed back.
Trees nest: intervals of a point, points of a shard, shards of a district; each root is a leaf of
the next, so that shards are hashed apart and an erased point keeps 32 bytes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from pedchain_domain import canonical, merkle
from pedchain_domain.intervals import Series
from pedchain_domain.text import hex_bytes

Document = dict[str, Any]
_SALT = 16


def leaf_salt(seed: str, position: int) -> bytes:
    """The 128-bit salt of the leaf at a position of the point's day."""
    return _salts(seed, position + 1)[-1]


def _salts(seed: str, count: int) -> list[bytes]:
    stream = hashlib.shake_256(hex_bytes(seed)).digest(_SALT * count)
    return [stream[at : at + _SALT] for at in range(0, len(stream), _SALT)]


def leaf_bytes(point: str, interval: int, registers: Mapping[str, Sequence[Any]]) -> bytes:
    """The canonical part of a leaf: what a subject reveals beside the salt."""
    shown = {role: list(pair) for role, pair in registers.items()}
    return canonical.encode({"interval": interval, "point": point, "registers": shown})


def interval_leaves(
    point: str, seed: str, start: int, grain: int, registers: Mapping[str, Series]
) -> list[bytes]:
    """Leaf hashes of a point's day, in time order: of `leaf_salt` and `leaf_bytes`, spelt here
    without the general writer because there are a hundred thousand of them a day."""
    columns = [
        [f'"{role}":["{letter}",{wh}]' for letter, wh in zip(one.classes, one.values, strict=True)]
        for role, one in sorted(registers.items())
    ]
    shown = (
        columns[0] if len(columns) == 1 else [",".join(row) for row in zip(*columns, strict=True)]
    )
    tail = f',"point":"{point}","registers":{{'
    times = range(start, start + len(shown) * grain, grain)
    texts = [f'{{"interval":{at}{tail}{row}}}}}' for at, row in zip(times, shown, strict=True)]
    salts = _salts(seed, len(shown))
    return [
        sha256(b"\x00" + salt + text.encode()).digest()
        for salt, text in zip(salts, texts, strict=True)
    ]


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
