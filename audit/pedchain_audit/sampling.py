# SPDX-License-Identifier: Apache-2.0
"""A district's opened sample, held against a copied ledger (ADR 43).

Of each leaf: that the certificate's own block draws it; that it lies under the certificate's root;
that the records beside it lie under the public roots of their batches and were signed by the keys
registered for devices of the leaf's point; and that a measured interval is the difference of the
registers they hold. The blocks are verified on the way as far as chain, signatures, endorsements
and reads go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pedchain_audit.archive import Archive
from pedchain_audit.asking import channel
from pedchain_audit.errors import ArchiveError, VerificationError
from pedchain_audit.private import values
from pedchain_audit.registry import decode
from pedchain_audit.tracing import replayed
from pedchain_domain import columns, merkle, ocmf, proofs, pseudonyms, readings, sampling
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.text import hex_bytes
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.rwset import Namespace, hash_key

Document = dict[str, Any]
VERIFIED, MISSING, FAILED = "verified", "missing", "failed"
MEASURED = "M"
CLOCK_TOLERANCE_S = 120
_NAMED = ("district", "day", "run", "version", "root")


@dataclass(slots=True)
class Ground:
    """What the ledger says in public of one district: the day's newest certificate and its block,
    devices by id, roots of batches by transaction with their time."""

    channel: str
    certificate: Document = field(default_factory=dict)
    block: int = 0
    devices: dict[str, Document] = field(default_factory=dict)
    batches: dict[str, tuple[str, int]] = field(default_factory=dict)
    network: str = ""
    naming: bytes | None = None
    """What pseudonyms are made with, if the copy holds private data: one key of a DSO signs for
    many devices, and only the name then tells whose record it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one leaf, and in words why."""

    state: str
    text: str


def ground(archive: Archive, district: str, day: str) -> Ground:
    """Read a copied ledger. Raises `VerificationError`, `ArchiveError`."""
    found = Ground(channel(archive))
    for number, judged in replayed(archive):
        transaction = judged.transaction
        assert transaction is not None
        for namespace in judged.namespaces:
            for write in namespace.writes if namespace.name == f"metering-{district}" else ():
                if not write.deletes and write.key.startswith(compositekey.NAMESPACE):
                    at = transaction.timestamp // 1_000_000_000
                    note(found, number, day, (write.key, write.value), at)
                if write.key == compositekey.create("secret", []):
                    private = archive.private(number).private_data_map.get(judged.position)
                    found.naming = _naming(namespace, private, write.value)
    if not found.certificate:
        raise ArchiveError(f"the ledger holds no certificate of {district} {day}")
    return found


def _naming(namespace: Namespace, private: Any, marker: bytes) -> bytes | None:
    shown = values(namespace, None if private is None else private.SerializeToString()) or {}
    key = compositekey.create("secret", [decode(marker)["transaction"]])
    secret = shown.get(hash_key(key))
    return pseudonyms.naming_key(secret) if secret else None


def note(found: Ground, number: int, day: str, write: tuple[str, bytes], at: int) -> None:
    kind, attributes = compositekey.split(write[0])
    if kind == "certificate" and attributes == (day,):
        found.certificate, found.block = decode(write[1]), number
    elif kind == "device":
        found.devices[attributes[0]] = decode(write[1])
    elif kind == "batch":
        found.batches[attributes[-1]] = (decode(write[1])["root"], at)
    elif kind == "fence":
        found.network = decode(write[1])["network"]


def check(found: Ground, opening: Document, block_hash: str, leaves: int) -> list[Finding]:
    """A finding for each of the leaves that the block's hash draws.

    Raises `VerificationError` where the opening is of another certificate, or its points are not
    those the root stands for: nothing can be said of single leaves then.
    """
    certificate = found.certificate
    try:
        if any(opening.get(name) != certificate[name] for name in _NAMED):
            raise VerificationError("sample", "it opens another certificate than the one in force")
        cells: Mapping[str, list[list[str]]] = opening["cells"]
        roots = {cell: [root for _, root in points] for cell, points in cells.items()}
        if sampling.root_over(roots) != certificate["root"]:
            raise VerificationError("sample", "its points are not those of the certificate's root")
        return list(_findings(found, opening, block_hash, leaves))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise VerificationError("sample", f"it cannot be read: {error}") from error


def _findings(found: Ground, opening: Document, block_hash: str, leaves: int) -> Iterator[Finding]:
    certificate, cells = found.certificate, opening["cells"]
    sizes = {cell: len(points) for cell, points in cells.items()}
    start, grain = certificate["start"], certificate["grain"]
    count = (certificate["end"] - start) // grain
    where = (certificate["district"], certificate["day"])
    places = sampling.places(sizes, count, block_hash, *where, leaves)
    opened = opening["opened"]
    for at, place in enumerate(places):
        point, root = cells[place.cell][place.point]
        instant = start + place.interval * grain
        name = f"point {point}, interval {instant}"
        if at >= len(opened) or "proof" not in opened[at]:
            reason = "" if at >= len(opened) else f": {opened[at].get('refused')}"
            yield Finding(MISSING, f"{name}: not opened{reason}")
            continue
        try:
            leaf = _leaf(opened[at]["proof"], certificate["root"], root, (point, instant))
            registers = _registers(found, opened[at]["records"], point)
            yield finding(leaf, registers, (instant, instant + grain), name)
        except (DomainError, KeyError, TypeError, ValueError) as error:
            yield Finding(FAILED, f"{name}: {error}")


def _leaf(proof: Document, over: str, root: str, named: tuple[str, int]) -> Document:
    """The leaf a proof shows. ValueError where it is another one."""
    leaf = proofs.check(proof)
    if (proof["roots"][0], proof["roots"][-1]) != (root, over):
        raise ValueError("it leads to another root")
    if (leaf["point"], leaf["interval"]) != named:
        raise ValueError("it is another leaf than the one drawn")
    return leaf


Registers = dict[tuple[str, str], dict[int, int]]
"""(device, role) -> whole units by instant."""


def _registers(found: Ground, records: list[Document], point: str) -> Registers:
    """What the records say, each held against its batch and its key. ValueError."""
    stood: Registers = {}
    for one in records:
        received = hex_bytes(one["record"])
        entry = found.devices[one["device"]]["document"]
        if entry["point"] != point:
            raise ValueError("a record of another point")
        root, at = found.batches[one["transaction"]]
        index, size, path = one["proof"]
        leaf = merkle.leaf_hash(hex_bytes(one["salt"]) + received)
        if not merkle.verify(leaf, index, size, [hex_bytes(h) for h in path], hex_bytes(root)):
            raise ValueError("a record that is not in its batch")
        record = ocmf.parse(received)
        _named(found, entry["id"], record.device)
        device = {**entry, "name": record.device}
        domain = (found.network, found.channel)
        judged = readings.judge(received, record, device, *domain, at + CLOCK_TOLERANCE_S)
        if judged.row is None:
            raise ValueError(f"a record that is {judged.status}")
        if judged.status is Reason.RECORDED:
            _note_registers(stood, entry["id"], judged.row[5])
    return stood


def _named(found: Ground, device: str, name: str) -> None:
    """ValueError for a record of another device that the same key signs for; who has no private
    data holds it by the key alone."""
    if name == device or found.naming is None:
        return
    if pseudonyms.pseudonym(found.naming, name) != device:
        raise ValueError("a record of another device")


def _note_registers(stood: Registers, device: str, found: columns.Columns) -> None:
    for role in columns.roles(found):
        mine = stood.setdefault((device, role), {})
        for instant, whole in columns.knots(found, role):
            mine.setdefault(instant, whole)


def finding(leaf: Document, stood: Registers, ends: tuple[int, int], name: str) -> Finding:
    """A measured interval is what some device's registers differ by; others only lie where they
    were certified."""
    for role, (letter, wh) in sorted(leaf["registers"].items()):
        if letter != MEASURED:
            continue
        told = [
            values[ends[1]] - values[ends[0]]
            for (_, register), values in stood.items()
            if register == role and ends[0] in values and ends[1] in values
        ]
        if not told:
            return Finding(MISSING, f"{name}: no record tells {role} at both its ends")
        if wh not in told:
            return Finding(FAILED, f"{name}: {role} is {wh}, its registers differ by {told[0]}")
    shown = ", ".join(f"{role} {wh} ({c})" for role, (c, wh) in sorted(leaf["registers"].items()))
    return Finding(VERIFIED, f"{name}: {shown}")
