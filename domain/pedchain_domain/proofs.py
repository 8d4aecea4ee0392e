# SPDX-License-Identifier: Apache-2.0
"""Inclusion proofs: that an interval of a point lies under a certificate's root (rules C5).

    proof/1 {schema, district, day, run, salt: hex32, shown: canonical text of the leaf,
             path: [[index, size, [sibling hex]]], roots: [point's, cell's, district's] hex}

A member of the collection makes it, whoever is shown it checks it against the `root` of the
certificate on the ledger, offline: nothing but the shown leaf and hashes is told.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pedchain_domain import canonical, leaves, merkle
from pedchain_domain.calendar import Day
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.text import hex_bytes

Document = dict[str, Any]
_FIELDS = ("day", "district", "path", "roots", "run", "salt", "schema", "shown")
_LEVELS = 3


def cell_root(intervals: Document) -> str:
    """The root over the points of a cell's intervals/1, hex."""
    points = intervals["points"]
    return leaves.nested_root([hex_bytes(points[point]["root"]) for point in points]).hex()


def make(
    intervals: Document, roots: Mapping[str, str], point: str, instant: int, day: Day, grain: int
) -> Document:
    """The proof for a point's interval that begins at `instant`, without district and run.

    `intervals` is the intervals/1 of the point's cell, `roots` are all cells' roots. DomainError
    `unknown-day` for an instant that is no interval of the day, `malformed-document` for a point
    without leaves.
    """
    at, cells = (instant - day["start"]) // grain, sorted(roots, key=int)
    tree = intervals["points"].get(point)
    if tree is None or "seed" not in tree:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "no leaves of this point")
    if not day["start"] <= instant < day["end"] or instant % grain:
        raise DomainError(Reason.UNKNOWN_DAY, "no interval of the day")
    shown = _shown(point, tree, day, grain)
    salts = [leaves.leaf_salt(tree["seed"], position) for position in range(len(shown))]
    hashes = [merkle.leaf_hash(salt + leaf) for salt, leaf in zip(salts, shown, strict=True)]
    points = intervals["points"]
    path = leaves.prove(
        [
            (hashes, at),
            (_leaves(points[name]["root"] for name in points), list(points).index(point)),
            (_leaves(roots[cell] for cell in cells), cells.index(str(intervals["shard"]))),
        ]
    )
    ours = [tree["root"], cell_root(intervals), _over(roots[cell] for cell in cells)]
    return {
        "schema": "proof/1",
        "day": day["day"],
        "salt": salts[at].hex(),
        "shown": shown[at].decode(),
        "path": path,
        "roots": ours,
    }


def _shown(point: str, tree: Document, day: Day, grain: int) -> list[bytes]:
    columns = sorted(tree["registers"].items())
    return [
        leaves.leaf_bytes(
            point,
            day["start"] + at * grain,
            {role: [classes[at], values[at]] for role, (values, classes) in columns},
        )
        for at in range((day["end"] - day["start"]) // grain)
    ]


def _leaves(roots: Any) -> list[bytes]:
    return [leaves.root_leaf(hex_bytes(root)) for root in roots]


def _over(roots: Any) -> str:
    return leaves.nested_root([hex_bytes(root) for root in roots]).hex()


def check(document: object) -> Document:
    """What a proof shows: the leaf {interval, point, registers: {role: [class, Wh]}}.

    DomainError `malformed-document` for anything that is no proof, or does not hold. Whether its
    last root is the certificate's is for the caller to compare.
    """
    proof = _form(document)
    shown: bytes = proof["shown"].encode()
    if not leaves.verify(hex_bytes(proof["salt"]), shown, proof["path"], proof["roots"]):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "the path does not lead to the root")
    leaf = canonical.decode_canonical(shown)
    if not isinstance(leaf, dict):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "shown")
    return leaf


def _form(document: object) -> Document:
    if not isinstance(document, dict) or tuple(sorted(document)) != _FIELDS:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "fields")
    texts = [document["salt"], document["shown"], *_list(document["roots"])]
    if not all(isinstance(text, str) for text in texts) or len(document["roots"]) != _LEVELS:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "texts")
    for level in _list(document["path"]):
        counts = isinstance(level, list) and len(level) == 3 and _counts(level[:2])
        if not counts or not all(isinstance(text, str) for text in _list(level[2])):
            raise DomainError(Reason.MALFORMED_DOCUMENT, "path")
    if len(document["path"]) != _LEVELS:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "path")
    return document


def _list(value: object) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > 64:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "list")
    return value


def _counts(values: Sequence[object]) -> bool:
    return all(type(value) is int and value >= 0 for value in values)
