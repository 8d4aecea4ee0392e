# SPDX-License-Identifier: Apache-2.0
"""Erasing a data subject from private documents, so that no root and no sum changes (rules C5, Y).

A subject is a site with its points and devices over a stretch of days. What names it goes; what a
root was built on stays as its digest. Each function takes a document and gives the erased one with
a fresh salt, or None where the subject does not stand in it. An erased batch:

    rows: {cell: [row...]} of what is kept; kept: per position of the batch either
    [salt hex32] of a record that follows, or [leaf digest hex64, cell, [day...]] of an erased one
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pedchain_domain import merkle
from pedchain_domain.text import hex_bytes

Document = dict[str, Any]
Row = list[Any]
FORM = "erased"
TRANSACTIONS = "/T"
"""What a device's name ends in where its charging transactions have counters of their own."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A site, its points and devices by id."""

    site: str
    points: tuple[str, ...]
    devices: tuple[str, ...]

    def is_device(self, name: str) -> bool:
        """Whether a name in a row, fold or trail is one of the subject's devices."""
        return name.removesuffix(TRANSACTIONS) in self.devices

    def names(self) -> tuple[str, ...]:
        """All ids findings may hold."""
        return (self.site, *self.points, *self.devices)


def subject(site: str, roster: Document) -> Subject:
    """The subject of a site by its cell's roster."""
    points = [name for name, about in roster["points"].items() if about["site"] == site]
    devices = [name for name, about in roster["devices"].items() if about["point"] in points]
    return Subject(site, tuple(sorted(points)), tuple(sorted(devices)))


def intervals(document: Document, who: Subject, salt: str) -> Document | None:
    """intervals/1 with the subject's points reduced to their roots."""
    points = document["points"]
    named = [name for name in who.points if "seed" in points.get(name, {})]
    if not named:
        return None
    left = {name: {"root": points[name]["root"]} for name in named}
    return {**document, "salt": salt, "points": {**points, **left}}


def fold(document: Document, who: Subject, salt: str) -> Document | None:
    """fold/1 without the subject's series, seeds and charging."""
    return _without(document, who, salt, ("series", "seeds", "charged"))


def trail(document: Document, who: Subject, salt: str) -> Document | None:
    """trail/1 without the subject's counters and payload digests."""
    return _without(document, who, salt, ("devices", "duplicates", "gaps"))


def index(document: Document, who: Subject, salt: str) -> Document | None:
    """A day's index without the subject's outermost registers."""
    edges = _without(document["edges"], who, salt, ("series",))
    return None if edges is None else {**document, "salt": salt, "edges": edges}


def of_site(document: Document, who: Subject, salt: str, field: str) -> Document | None:
    """draws/1 (`sites`) or a run's prints (`prints`) without the subject's site."""
    if who.site not in document[field]:
        return None
    left = {name: value for name, value in document[field].items() if name != who.site}
    return {**document, "salt": salt, field: left}


def totals(document: Document, who: Subject, salt: str) -> Document | None:
    """A run's kept totals without findings about the subject; no sum is touched."""
    found: dict[str, Any] = {}
    for part in ("totals", "entered"):
        findings = document[part]["findings"]
        left = [finding for finding in findings if finding[1] not in who.names()]
        if len(left) != len(findings):
            found[part] = {**document[part], "findings": left}
    return {**document, **found, "salt": salt} if found else None


def _without(document: Document, who: Subject, salt: str, fields: Sequence[str]) -> Document | None:
    changed: dict[str, Any] = {}
    for field in fields:
        held: Mapping[str, Any] = document.get(field, {})
        left = {name: value for name, value in held.items() if not who.is_device(name)}
        if len(left) != len(held):
            changed[field] = left
    return {**document, **changed, "salt": salt} if changed else None


class Kept(NamedTuple):
    """One position of a batch: a record with the salt of its leaf, or an erased one's leaf."""

    leaf: bytes
    salt: bytes | None = None
    record: bytes | None = None
    cell: int = 0
    days: tuple[str, ...] = ()

    def shown(self) -> list[Any]:
        """How the position stands in the document."""
        if self.salt is not None:
            return [self.salt.hex()]
        return [self.leaf.hex(), self.cell, list(self.days)]


def present(salt: bytes, record: bytes) -> Kept:
    """A record that stays."""
    return Kept(merkle.leaf_hash(salt + record), salt, record)


def gone(leaf: bytes, cell: int, days: Sequence[str]) -> Kept:
    """A record of which only the leaf is left, with the cell and the days it was filed for."""
    return Kept(leaf, cell=cell, days=tuple(days))


def positions(shown: Sequence[Sequence[Any]], records: Sequence[bytes]) -> list[Kept]:
    """The positions of an erased batch, read back; ValueError where they do not fit."""
    left = list(records)
    found = []
    for one in shown:
        if len(one) == 1:
            if not left:
                raise ValueError("a record is missing")
            found.append(present(hex_bytes(one[0]), left.pop(0)))
        else:
            found.append(gone(hex_bytes(one[0]), one[1], one[2]))
    if left:
        raise ValueError("a record too many")
    return found


def root(kept: Sequence[Kept]) -> bytes:
    """The batch's Merkle root, the same before and after an erasure."""
    return merkle.root([each.leaf for each in kept])
