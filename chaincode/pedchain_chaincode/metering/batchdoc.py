# SPDX-License-Identifier: Apache-2.0
"""The private document of a batch: a salt, the rows by cell, the records as they were received.

    16 bytes salt | 4 bytes length | canonical {"form", "rows": {cell: [row...]}} | records

A row is what the record says once it is judged (domain.readings), its registers in columns
(domain.columns), so that folding reads no record again.

`form` is `sent` where every record of the batch is kept: the records are then the gateway's own
bytes. Where some were refused it is `kept`: each kept record after its 4-byte length, since
compressing again would give other bytes with another zlib, and what is refused is not stored.
After an erasure it is `erased`, as `kept` but with a header `kept` that says for each position of
the batch the salt of its record, or the leaf of one that is gone (domain.erasure).
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pedchain_chaincode.limits import SALT_BYTES
from pedchain_chaincode.state import restore, store
from pedchain_domain import batch, merkle

Row = list[Any]
SENT, KEPT = "sent", "kept"


@dataclass(frozen=True, slots=True)
class BatchDocument:
    """What a batch left in the collection."""

    salt: bytes
    rows: dict[str, list[Row]]
    form: str
    body: bytes
    kept: Sequence[Sequence[Any]] = ()

    def encode(self) -> bytes:
        """Its bytes on the ledger."""
        shown = {"kept": list(self.kept)} if self.kept else {}
        header = store({"form": self.form, "rows": self.rows, **shown})
        return self.salt + len(header).to_bytes(4, "big") + header + self.body

    @classmethod
    def decode(cls, data: bytes) -> "BatchDocument":
        """Read what `encode` wrote."""
        start = SALT_BYTES + 4
        end = start + int.from_bytes(data[SALT_BYTES:start], "big")
        header: Any = restore(data[start:end])
        kept = header.get("kept", ())
        return cls(data[:SALT_BYTES], header["rows"], header["form"], data[end:], kept)

    def records(self) -> list[bytes]:
        """The records that were kept, as received, in the order of the batch."""
        return batch.decode(self.body) if self.form == SENT else batch.unframe(self.body)


def record_salt(salt: bytes, position: int) -> bytes:
    """The 128-bit salt of one kept record, derived from the batch's."""
    return hmac.digest(salt, b"record" + position.to_bytes(4, "big"), "sha256")[:SALT_BYTES]


def root(salt: bytes, records: Sequence[bytes]) -> bytes:
    """Merkle root over the kept records, each after its own salt (RFC 6962 hashing)."""
    leaves = [merkle.leaf_hash(record_salt(salt, i) + r) for i, r in enumerate(records)]
    return merkle.root(leaves)
