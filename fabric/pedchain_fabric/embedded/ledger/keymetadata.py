# SPDX-License-Identifier: Apache-2.0
"""A key's metadata as the state stores it (Fabric txmgmt/statemetadata)."""

from typing import Final

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVMetadataEntry, KVMetadataWrite

from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.rwset import Entries

# The name under which a key-level endorsement policy stands (peer.MetaDataKeys).
POLICY: Final = "VALIDATION_PARAMETER"


def pack(entries: Entries) -> bytes:
    """The stored form; empty if there are no entries."""
    if not entries:
        return b""
    stored = [KVMetadataEntry(name=name, value=value) for name, value in entries]
    return serialize(KVMetadataWrite(entries=stored))


def unpack(stored: bytes) -> dict[str, bytes]:
    """Entries by name."""
    return {entry.name: entry.value for entry in parse(KVMetadataWrite, stored).entries}
