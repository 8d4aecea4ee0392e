# SPDX-License-Identifier: Apache-2.0
"""Private batch documents as privacy finds them: in their first place or, erased, their second."""

from typing import NamedTuple

from pedchain_chaincode.metering import keys as names
from pedchain_chaincode.metering.batchdoc import BatchDocument, Row, record_salt
from pedchain_chaincode.privacy import keys
from pedchain_domain import erasure, readings
from pedchain_domain.erasure import Kept
from pedchain_fabric.shim import Stub


class Held(NamedTuple):
    """A batch as it is now, and whether it stands in its second place."""

    document: BatchDocument
    moved: bool

    def positions(self) -> list[Kept]:
        """Its positions: records with the salts of their leaves, and leaves of erased ones."""
        records = self.document.records()
        if self.document.form == erasure.FORM:
            return erasure.positions(self.document.kept, records)
        salt = self.document.salt
        return [erasure.present(record_salt(salt, at), r) for at, r in enumerate(records)]

    def rows(self) -> dict[str, tuple[int, Row]]:
        """Cell and row by record mark."""
        return {
            row[3]: (int(cell), row) for cell, rows in self.document.rows.items() for row in rows
        }


async def load(stub: Stub, transaction: str) -> Held | None:
    """The batch of a transaction, or None if it was purged."""
    for moved, make in ((False, names.batch), (True, keys.erased_batch)):
        value = await stub.get_private(names.COLLECTION, make(stub, transaction))
        if value is not None:
            return Held(BatchDocument.decode(value), moved)
    return None


async def replace(stub: Stub, transaction: str, held: Held, document: BatchDocument) -> None:
    """Write the batch in its other place, and purge the one it stood in with its past."""
    places = [names.batch(stub, transaction), keys.erased_batch(stub, transaction)]
    old, new = reversed(places) if held.moved else places
    await stub.put_private(names.COLLECTION, new, document.encode())
    await stub.purge_private(names.COLLECTION, old)


async def purge(stub: Stub, transaction: str) -> None:
    """Remove the batch from both places with its past."""
    await stub.purge_private(names.COLLECTION, names.batch(stub, transaction))
    await stub.purge_private(names.COLLECTION, keys.erased_batch(stub, transaction))


def mark_of(record: bytes) -> str:
    """What ties a record to its row."""
    return readings.record_mark(record)
