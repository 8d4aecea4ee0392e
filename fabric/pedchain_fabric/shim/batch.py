# SPDX-License-Identifier: Apache-2.0
"""A write batch: the last write of each key, kept until it is sent (Fabric RFC 0011)."""

from collections.abc import Iterator
from typing import TypeAlias

from fabric_protos.peer.chaincode_shim_pb2 import StateMetadata, WriteRecord

from pedchain_fabric.shim.limits import BATCH_BYTES

Kind: TypeAlias = WriteRecord.Type.ValueType


class WriteBatch:
    """Writes kept back. A key's value and its policy are two different entries, as in Go."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str, bool], WriteRecord] = {}

    def __len__(self) -> int:
        return len(self._records)

    def add(self, kind: Kind, collection: str, key: str, value: bytes = b"") -> None:
        """Keep a put, delete or purge; it replaces what was kept for the key."""
        self._keep(WriteRecord(type=kind, collection=collection, key=key, value=value))

    def add_metadata(self, collection: str, key: str, name: str, value: bytes) -> None:
        """Keep a metadata entry of a key."""
        metadata = StateMetadata(metakey=name, value=value)
        kind = WriteRecord.PUT_STATE_METADATA
        self._keep(WriteRecord(type=kind, collection=collection, key=key, metadata=metadata))

    def chunks(self, size: int) -> Iterator[list[WriteRecord]]:
        """The records in the order their keys were first written.

        At most `size` of them, and `limits.BATCH_BYTES` unless one alone is larger, at a time.
        """
        chunk: list[WriteRecord] = []
        weight = 0
        for record in self._records.values():
            added = record.ByteSize()
            if chunk and (len(chunk) == size or weight + added > BATCH_BYTES):
                yield chunk
                chunk, weight = [], 0
            chunk.append(record)
            weight += added
        if chunk:
            yield chunk

    def _keep(self, record: WriteRecord) -> None:
        is_metadata = record.type == WriteRecord.PUT_STATE_METADATA
        self._records[record.collection, record.key, is_metadata] = record
