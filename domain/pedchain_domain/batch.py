# SPDX-License-Identifier: Apache-2.0
"""The packed form of a batch of records, as a gateway hands it to the contract.

`count` and `length` as 4 big-endian bytes each, then zlib of (4-byte length, record) for each
record. Packing is the gateway's work: its bytes may differ between zlib builds. Unpacking is the
contract's and is complete and bounded: the stream must end, nothing may follow it, and both
numbers must be exact (Python's zlib reports neither a cut stream nor what follows it).
"""

import zlib
from collections.abc import Sequence

from pedchain_domain import limits
from pedchain_domain.reasons import DomainError, Reason


def encode(records: Sequence[bytes]) -> bytes:
    """Pack up to 1,000 records; DomainError `too-large`."""
    raw = frame(records)
    packed = zlib.compress(raw)
    too_many = len(records) > limits.BATCH_RECORDS
    if too_many or len(raw) > limits.BATCH_RAW_BYTES or len(packed) > limits.BATCH_PACKED_BYTES:
        raise DomainError(Reason.TOO_LARGE)
    return len(records).to_bytes(4, "big") + len(raw).to_bytes(4, "big") + packed


def decode(data: bytes) -> list[bytes]:
    """Unpack; DomainError `too-large` or `malformed-batch`."""
    if len(data) < 8:
        raise DomainError(Reason.MALFORMED_BATCH)
    count, length = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
    if (
        count > limits.BATCH_RECORDS
        or length > limits.BATCH_RAW_BYTES
        or len(data) - 8 > limits.BATCH_PACKED_BYTES
    ):
        raise DomainError(Reason.TOO_LARGE)
    records = unframe(_inflate(data[8:], length))
    if len(records) != count:
        raise DomainError(Reason.MALFORMED_BATCH, "count")
    return records


def _inflate(packed: bytes, length: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(packed, length + 1)
    except zlib.error as err:
        raise DomainError(Reason.MALFORMED_BATCH, "stream") from err
    if len(raw) != length or not stream.eof or stream.unused_data or stream.unconsumed_tail:
        raise DomainError(Reason.MALFORMED_BATCH, "length")
    return raw


def unframe(raw: bytes) -> list[bytes]:
    """The records of `frame`; DomainError `malformed-batch`."""
    records, at = [], 0
    while at < len(raw):
        start = at + 4
        end = start + int.from_bytes(raw[at:start], "big")
        if start > len(raw) or end > len(raw):
            raise DomainError(Reason.MALFORMED_BATCH, "record")
        records.append(raw[start:end])
        at = end
    return records


def frame(records: Sequence[bytes]) -> bytes:
    """Records, each after its 4-byte length: the same bytes with every zlib."""
    return b"".join(len(record).to_bytes(4, "big") + record for record in records)
