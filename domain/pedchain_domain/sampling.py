# SPDX-License-Identifier: Apache-2.0
"""The sample of a certified day: which leaves are opened, and what an auditor says of it (ADR 43).

    sample/1   {schema, day, run, version, root: hex64, block, hash: hex64, leaves, verified,
                missing, failed, opening: hex64 | null}

A day's leaves are the intervals of its points, cell after cell, point after point, in order of
time. Which of them are opened is drawn by the hash of the block that holds the certificate, so that
nobody knows it while values can still be chosen, and anybody can redo it. A larger sample begins
with the smaller one: no size leads around a leaf.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pedchain_domain import leaves
from pedchain_domain.fields import Shape, count, digest, one_of, positive, up_to
from pedchain_domain.instants import parse_day
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.text import hex_bytes

Document = dict[str, Any]
LEAVES_MAX = 256
"""Leaves of one sample: of a year's half a million, 256 find a share of 1.2 % with 95 %."""
RUNS = ("P", "F", "FINAL")


class Place(NamedTuple):
    """A leaf: the cell and the position of its point in it, the interval's position in the day."""

    cell: str
    point: int
    interval: int


def drawn(block_hash: str, district: str, day: str, population: int, size: int) -> list[int]:
    """The positions of `size` leaves out of `population`, none twice; all, if there are fewer.

    A shuffle (Fisher, Yates) that stops after `size` steps; each step's number is the first 128
    bits of SHA-256 over block hash, district, day and step, so that none is likelier by 2^-100.
    DomainError `too-large` beyond `LEAVES_MAX`.
    """
    if not 0 < size <= LEAVES_MAX:
        raise DomainError(Reason.TOO_LARGE, "leaves")
    moved: dict[int, int] = {}
    found = []
    for step in range(min(size, population)):
        text = f"sample\x00{block_hash}\x00{district}\x00{day}\x00{step}"
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
        at = step + number % (population - step)
        found.append(moved.get(at, at))
        moved[at] = moved.get(step, step)
    return found


def places(
    sizes: Mapping[str, int], intervals: int, block_hash: str, district: str, day: str, size: int
) -> list[Place]:
    """The drawn leaves of a district whose cells have so many points each, all points having as
    many `intervals`."""
    cells = sorted(sizes, key=int)
    population = intervals * sum(sizes.values())
    return [
        _place(cells, sizes, *divmod(position, intervals))
        for position in drawn(block_hash, district, day, population, size)
    ]


def _place(cells: Sequence[str], sizes: Mapping[str, int], point: int, interval: int) -> Place:
    for cell in cells:
        if point < sizes[cell]:
            return Place(cell, point, interval)
        point -= sizes[cell]
    raise IndexError(point)


def root_over(cells: Mapping[str, Sequence[str]]) -> str:
    """The certificate's root from the roots (hex) of all points by cell. It binds how many points
    there are: whoever hides one comes to another root. ValueError for what is no hex."""
    roots = [
        leaves.nested_root([hex_bytes(root) for root in cells[cell]])
        for cell in sorted(cells, key=int)
    ]
    return leaves.nested_root(roots).hex()


def _day(value: object) -> bool:
    if not isinstance(value, str):
        return False
    parse_day(value)
    return True


def _digest_or_none(value: object) -> bool:
    return value is None or digest(value)


SHAPE: Shape = {
    "day": _day,
    "run": one_of(*RUNS),
    "version": positive,
    "root": digest,
    "block": count,
    "hash": digest,
    "leaves": up_to(LEAVES_MAX),
    "verified": up_to(LEAVES_MAX),
    "missing": up_to(LEAVES_MAX),
    "failed": up_to(LEAVES_MAX),
    "opening": _digest_or_none,
}


def check(document: Document) -> None:
    """Refuse a sample/1 whose counts do not add up, or that tells of leaves nobody opened;
    DomainError."""
    counts = document["verified"] + document["missing"] + document["failed"]
    if not document["leaves"] or counts != document["leaves"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "leaves")
    if document["opening"] is None and document["missing"] != document["leaves"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "opening")
