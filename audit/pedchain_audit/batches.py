# SPDX-License-Identifier: Apache-2.0
"""Step 6: the records of a batch, each signed by its device's registered key as of its counter.

    16 bytes salt | 4 bytes length | canonical {"form", "rows": {cell: [row...]}} | records

`form` is `sent` where the records are the gateway's own bytes (domain.batch), else `kept`: each
record after its 4-byte length.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pedchain_domain import batch, canonical, erasure, merkle, ocmf, readings
from pedchain_domain.reasons import DomainError

SALT_BYTES = 16
#: Seconds a record may be ahead of the transaction's own time.
CLOCK_TOLERANCE_S = 120

Document = dict[str, Any]
Rows = dict[int, list[list[Any]]]


class BatchError(Exception):
    """A batch is not what its marker or its devices' keys say; the text tells which."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a batch is judged on: device entries, ledger's name, and the latest instant allowed."""

    device: Callable[[str], Document | None]
    network: str
    channel: str
    latest: int


def check(document: bytes, marker: Document, ground: Ground) -> tuple[Rows, int]:
    """Rows by cell and the number of signatures checked.

    Raises `BatchError` where a record is not authentic, a row is not what its record says, or the
    public marker does not count and commit to these records.
    """
    salt, header, records = parts(document)
    if len(records) != marker["records"] or root(salt, records) != marker["root"]:
        raise BatchError("the marker commits to other records")
    rows: Rows = {}
    for received in records:
        cell, row = judged(received, ground)
        rows.setdefault(cell, []).append(row)
    if {str(cell): found for cell, found in rows.items()} != header["rows"]:
        raise BatchError("the rows are not what the records say")
    return rows, len(records)


def check_erased(
    document: bytes, marker: Document, ground: Ground
) -> tuple[Rows, int, dict[str, None]]:
    """The same for a batch that records were erased from, and the days these were filed for.

    What is left of an erased record is the digest that the marker's root needs.
    """
    _, header, records = parts(document)
    try:
        kept = erasure.positions(header["kept"], records)
    except (ValueError, IndexError, TypeError, KeyError) as error:
        raise BatchError("the private document cannot be read") from error
    if len(kept) != marker["records"] or erasure.root(kept).hex() != marker["root"]:
        raise BatchError("the marker commits to other records")
    rows: Rows = {}
    for received in records:
        cell, row = judged(received, ground)
        rows.setdefault(cell, []).append(row)
    if {str(cell): found for cell, found in rows.items()} != header["rows"]:
        raise BatchError("the rows are not what the records say")
    return rows, len(records), dict.fromkeys(day for each in kept for day in each.days)


def parts(document: bytes) -> tuple[bytes, Document, list[bytes]]:
    """Salt, header and records of a private batch document."""
    start = SALT_BYTES + 4
    end = start + int.from_bytes(document[SALT_BYTES:start], "big")
    try:
        header = canonical.decode(document[start:end])
        assert isinstance(header, dict)
        body = document[end:]
        records = batch.decode(body) if header["form"] == "sent" else batch.unframe(body)
    except (DomainError, AssertionError, KeyError) as error:
        raise BatchError("the private document cannot be read") from error
    return document[:SALT_BYTES], header, records


def root(salt: bytes, records: Sequence[bytes]) -> str:
    """Merkle root over the records, each after a salt of its own, hex."""
    leaves = [
        merkle.leaf_hash(record_salt(salt, position) + record)
        for position, record in enumerate(records)
    ]
    return merkle.root(leaves).hex()


def record_salt(salt: bytes, position: int) -> bytes:
    return hmac.digest(salt, b"record" + position.to_bytes(4, "big"), "sha256")[:SALT_BYTES]


def judged(received: bytes, ground: Ground) -> tuple[int, list[Any]]:
    """Cell and row of one record, its signature checked (rules R1)."""
    try:
        record = ocmf.parse(received)
    except DomainError as error:
        raise BatchError(f"a record is malformed: {error.reason}") from error
    entry = ground.device(record.device)
    if entry is None:
        raise BatchError("a record names a device that is not registered")
    verdict = readings.judge(
        received, record, entry["document"], ground.network, ground.channel, ground.latest
    )
    if verdict.row is None:
        raise BatchError(f"a record is not authentic: {verdict.status}")
    return int(entry["cell"]), verdict.row
