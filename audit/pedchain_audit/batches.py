# SPDX-License-Identifier: Apache-2.0
"""Step 6: the records of a batch, each signed by its device's registered key as of its counter.

    16 bytes salt | 4 bytes length | canonical {"form", "rows": {cell: [row...]}} | records

`form` is `sent` where the records are the gateway's own bytes (domain.batch), else `kept`: each
record after its 4-byte length.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pedchain_audit.errors import Broken
from pedchain_domain import (
    batch,
    canonical,
    erasure,
    merkle,
    ocmf,
    pseudonyms,
    readings,
    transactions,
)
from pedchain_domain.reasons import DomainError

SALT_BYTES = 16
#: Seconds a record may be ahead of the transaction's own time.
CLOCK_TOLERANCE_S = 120

Document = dict[str, Any]
Rows = dict[int, list[list[Any]]]


class BatchError(Broken):
    """A batch is not what its marker or its devices' keys say; the text tells which."""

    check = "readings"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a batch is judged on: entries of the devices its rows name, the key of the district's
    pseudonyms, the ledger's name, and the latest instant allowed."""

    entries: Mapping[str, Document]
    naming: bytes | None
    network: str
    channel: str
    latest: int
    _found: dict[str, Document | None] = field(default_factory=dict, compare=False)

    def device(self, name: str) -> Document | None:
        """A device's entry, by its id or by the name its records carry."""
        if name not in self._found:
            self._found[name] = self._device(name)
        return self._found[name]

    def _device(self, name: str) -> Document | None:
        entry = self.entries.get(name)
        if entry is not None or self.naming is None:
            return entry
        derived = self.entries.get(pseudonyms.pseudonym(self.naming, name))
        if derived is None:
            return None
        return {**derived, "document": {**derived["document"], "name": name}}


def rows_of(document: bytes) -> Rows:
    """The rows a batch document says its records make, by cell; `check` tells whether they do."""
    try:
        return {int(cell): rows for cell, rows in _header(document)[0]["rows"].items()}
    except (DomainError, AssertionError, KeyError, ValueError, AttributeError) as error:
        raise BatchError("the private document cannot be read") from error


def devices_of(rows: Rows) -> dict[str, None]:
    """Ids of the devices that rows name, each once."""
    found = {str(row[0]): None for each in rows.values() for row in each}
    return {transactions.device_of(name) or name: None for name in found}


def check(document: bytes, marker: Document, ground: Ground) -> None:
    """Raises `BatchError` where a record is not authentic, a row is not what its record says, or
    the public marker does not count and commit to these records."""
    salt, header, records = parts(document)
    if len(records) != marker["records"] or root(salt, records) != marker["root"]:
        raise BatchError("the marker commits to other records")
    if _judged(records, ground) != header["rows"]:
        raise BatchError("the rows are not what the records say")


def _judged(records: Sequence[bytes], ground: Ground) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {}
    for received in records:
        cell, row = judged(received, ground)
        rows.setdefault(str(cell), []).append(row)
    return rows


def check_erased(document: bytes, marker: Document, ground: Ground) -> dict[str, None]:
    """The same for a batch that records were erased from; returns the days these were filed for.

    What is left of an erased record is the digest that the marker's root needs.
    """
    _, header, records = parts(document)
    try:
        kept = erasure.positions(header["kept"], records)
    except (ValueError, IndexError, TypeError, KeyError) as error:
        raise BatchError("the private document cannot be read") from error
    if len(kept) != marker["records"] or erasure.root(kept).hex() != marker["root"]:
        raise BatchError("the marker commits to other records")
    if _judged(records, ground) != header["rows"]:
        raise BatchError("the rows are not what the records say")
    return dict.fromkeys(day for each in kept for day in each.days)


def parts(document: bytes) -> tuple[bytes, Document, list[bytes]]:
    """Salt, header and records of a private batch document."""
    try:
        header, body = _header(document)
        records = batch.decode(body) if header["form"] == "sent" else batch.unframe(body)
    except (DomainError, AssertionError, KeyError) as error:
        raise BatchError("the private document cannot be read") from error
    return document[:SALT_BYTES], header, records


def _header(document: bytes) -> tuple[Document, bytes]:
    start = SALT_BYTES + 4
    end = start + int.from_bytes(document[SALT_BYTES:start], "big")
    header = canonical.decode(document[start:end])
    assert isinstance(header, dict)
    return header, document[end:]


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
