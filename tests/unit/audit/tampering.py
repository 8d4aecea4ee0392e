# SPDX-License-Identifier: Apache-2.0
"""Ways to break one layer of a ledger; all others are made to fit by `Collusion`."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fabric_protos.common.common_pb2 import Block, Envelope, Payload
from fabric_protos.peer.events_pb2 import BlockAndPrivateData
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction

from pedchain_audit import batches
from pedchain_audit.archive import Archive
from pedchain_domain import canonical
from pedchain_fabric.wire import compositekey, rwset
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.rwset import (
    HashedCollection,
    HashedWrite,
    KvWrite,
    Namespace,
    PrivateCollection,
    PrivateNamespace,
)
from pedchain_fabric.wire.transaction import parse_envelope
from tests.unit.audit.collusion import Collusion

Edit = Callable[[dict[str, Any]], object]
Private = tuple[PrivateNamespace, ...]


def archived(
    forged: Collusion, folder: Path, first: int, blocks: Sequence[Block], private: Private
) -> Archive:
    """A copy of the ledger that goes on with these blocks from `first`, and its private data."""
    (folder / "blocks").mkdir(parents=True)
    (folder / "private").mkdir()
    shutil.copy(forged.folder / "genesis.block", folder)
    for kind in ("blocks", "private"):
        for path in (forged.folder / kind).iterdir():
            if int(path.name) < first:
                os.link(path.resolve(), folder / kind / path.name)
    archive = Archive(folder)
    for at, block in enumerate(blocks):
        path = archive.block_path(first + at)
        path.write_bytes(block.SerializeToString(deterministic=True))
    if private:
        held = BlockAndPrivateData()
        held.private_data_map[0].ParseFromString(rwset.encode_private(private))
        (folder / "private" / f"{first:08}").write_bytes(held.SerializeToString())
    return archive


def batch_of(forged: Collusion, number: int) -> bytes:
    """The private document of a batch."""
    (space,) = private_of(forged, number)
    return space.collections[0].writes[0].value


def agreed(forged: Collusion, number: int, namespaces: Sequence[Namespace]) -> list[Block]:
    """A block of one transaction that every organisation endorsed."""
    peers = forged.peers("DSO", "DistrictA", "DistrictB", "Aggregator")
    block = forged.copy(number)
    block.data.data[0] = forged.transaction(
        namespaces, peers, forged.client("DSO"), namespaces[0].name
    )
    return [forged.relinked(block)]


def with_endorsement(raw: bytes, client: SigningIdentity, endorser: SigningIdentity) -> bytes:
    """The last endorsement is of something else; the client signs the whole again."""
    envelope = Envelope.FromString(raw)
    payload = Payload.FromString(envelope.payload)
    transaction = Transaction.FromString(payload.data)
    action = ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    action.action.endorsements[-1].signature = endorser.sign(b"something else")
    transaction.actions[0].payload = action.SerializeToString(deterministic=True)
    payload.data = transaction.SerializeToString(deterministic=True)
    envelope.payload = payload.SerializeToString(deterministic=True)
    envelope.signature = client.sign(envelope.payload)
    return envelope.SerializeToString(deterministic=True)


def private_of(forged: Collusion, number: int) -> Private:
    held = Archive(forged.folder).private(number).private_data_map
    return rwset.decode_private(held[0].SerializeToString()) if 0 in held else ()


class Rewriting:
    """One transaction of the ledger, done again under our keys with documents changed.

    `public` edits documents by kind, `private` values by the kind of their key.
    """

    def __init__(
        self,
        forged: Collusion,
        number: int,
        public: dict[str, Edit] | None = None,
        private: dict[str, Callable[[bytes], bytes]] | None = None,
    ) -> None:
        self.public, self.private = public or {}, private or {}
        raw = forged.blocks[number].data.data[0]
        parts = parse_envelope(raw)
        self._old = parts.transaction_id
        self._held = private_of(forged, number)
        self._namespaces = forged.namespaces(number)
        self.hidden: Private = ()
        name = parts.chaincode_name
        district = name.removeprefix("metering-")
        self.envelope = forged.transaction(
            self._done,
            forged.peers("DSO", district if district != name else "DistrictA", "DistrictB"),
            forged.client(district if district != name else "DSO"),
            name,
        )

    def _done(self, identifier: str) -> tuple[Namespace, ...]:
        self.hidden = tuple(
            replace(
                space,
                collections=tuple(
                    replace(one, writes=tuple(self._hidden(w, identifier) for w in one.writes))
                    for one in space.collections
                ),
            )
            for space in self._held
        )
        traces = {
            (space.name, one.name): tuple(HashedWrite.of(w.key, w.value) for w in one.writes)
            for space in self.hidden
            for one in space.collections
        }
        return tuple(
            replace(
                space,
                writes=tuple(self._write(each, identifier) for each in space.writes),
                collections=tuple(
                    replace(one, writes=traces.get((space.name, one.name), one.writes))
                    for one in space.collections
                ),
            )
            for space in self._namespaces
        )

    def _write(self, write: KvWrite, identifier: str) -> KvWrite:
        key = write.key.replace(self._old, identifier)
        value = write.value.replace(self._old.encode(), identifier.encode())
        kind = compositekey.split(key)[0] if key.startswith("\x00") else ""
        if kind in self.public:
            document = json.loads(value)
            self.public[kind](document)
            value = canonical.encode(document)
        return KvWrite.of(key, value)

    def _hidden(self, write: KvWrite, identifier: str) -> KvWrite:
        key = write.key.replace(self._old, identifier)
        kind = compositekey.split(key)[0]
        change = self.private.get(kind, lambda value: value)
        return KvWrite.of(key, change(write.value))

    def block(self, forged: Collusion, number: int) -> Block:
        made = forged.copy(number)
        made.data.data[0] = self.envelope
        return forged.relinked(made)


def record_changed(document: bytes) -> bytes:
    """The first record reads more; rows and root are made anew from the forged record."""
    salt, header, records = batches.parts(document)
    forged = records[0].replace(b'"RV":"', b'"RV":"1', 1)
    return packed(salt, header, [forged, *records[1:]])


def counter_changed(document: bytes) -> bytes:
    """A row claims another counter than its record."""
    salt, header, records = batches.parts(document)
    cell = min(header["rows"])
    header["rows"][cell][0][1] += 1_000
    return packed(salt, header, records)


def row_changed(document: bytes) -> bytes:
    """A row claims another record than the one it is of."""
    salt, header, records = batches.parts(document)
    cell = min(header["rows"])
    header["rows"][cell][0][2] = "0" * 64
    return packed(salt, header, records)


def record_moved(document: bytes) -> bytes:
    """A record's counter is another than the one its device signed."""
    salt, header, records = batches.parts(document)
    forged = records[0].replace(b'"PG":"F', b'"PG":"F9', 1)
    return packed(salt, header, [forged, *records[1:]])


def trailing(document: bytes) -> bytes:
    """Bytes after the last record."""
    salt, header, records = batches.parts(document)
    return packed(salt, header, records) + b"\x00\x00\x00"


def packed(salt: bytes, header: dict[str, Any], records: Sequence[bytes]) -> bytes:
    body = b"".join(len(each).to_bytes(4, "big") + each for each in records)
    kept = canonical.encode({**header, "form": "kept"})
    return salt + len(kept).to_bytes(4, "big") + kept + body


def rooted(change: Callable[[bytes], bytes], document: bytes) -> str:
    """The root of what a change leaves, where it can be read at all."""
    salt, _, records = batches.parts(change(document))
    return batches.root(salt, records)


def hidden(name: str, writes: Sequence[KvWrite], collection: str = "readings") -> Private:
    return (PrivateNamespace(name, (PrivateCollection(collection, tuple(writes)),)),)


def traced(name: str, writes: Sequence[KvWrite], collection: str = "readings") -> Namespace:
    """The public trace of private writes."""
    made = tuple(HashedWrite.of(write.key, write.value) for write in writes)
    return Namespace(name, collections=(HashedCollection(collection, writes=made),))
