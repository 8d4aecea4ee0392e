# SPDX-License-Identifier: Apache-2.0
"""A raw block, told for people and programs: who did what, endorsed by whom, writing which values.

Flags are this organisation's own peer's; that they are right is what `ped-audit` verifies.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fabric_protos.common.common_pb2 import CONFIG, Block
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_domain import canonical
from pedchain_fabric.errors import FabricError
from pedchain_fabric.wire import compositekey, rwset
from pedchain_fabric.wire.block import data_hash, header_hash, parse_block, validation_codes
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.rwsettypes import KvWrite, Namespace
from pedchain_fabric.wire.transaction import TransactionParts, parse_envelope

Document = dict[str, Any]
COMPOSITE = "\x00"


def describe(data: bytes) -> Document:
    """A block and its transactions. Raises `WireError`."""
    block = parse_block(data)
    return {
        "number": block.header.number,
        "hash": header_hash(block.header).hex(),
        "previous_hash": block.header.previous_hash.hex(),
        "data_hash": block.header.data_hash.hex(),
        "data_hash_holds": data_hash(block.data) == block.header.data_hash,
        "transactions": [
            {"block": block.header.number, "position": position, **one}
            for position, one in enumerate(_transactions(block))
        ],
    }


def written_keys(data: bytes) -> list[tuple[str, str, int]]:
    """(namespace, key, position) of all public writes of valid transactions."""
    block = parse_block(data)
    found = []
    for position, (envelope, code) in enumerate(
        zip(block.data.data, validation_codes(block), strict=True)
    ):
        parts = _parts(envelope) if code == TxValidationCode.VALID else None
        if parts is not None:
            found += [
                (each.name, one.key, position) for each in _sets(parts) for one in each.writes
            ]
    return found


def writes_of(data: bytes, position: int, namespace: str, key: str) -> tuple[Document, Document]:
    """What a block's transaction wrote under a key: the transaction without writes, the write."""
    block = describe(data)
    told = block["transactions"][position]
    raw = _parts(parse_block(data).data.data[position])
    assert raw is not None
    [write] = [
        one
        for each in _sets(raw)
        if each.name == namespace
        for one in each.writes
        if one.key == key
    ]
    return {name: value for name, value in told.items() if name != "writes"}, _write(write)


def _transactions(block: Block) -> Iterator[Document]:
    for envelope, code in zip(block.data.data, validation_codes(block), strict=True):
        parts = _parts(envelope)
        named = TxValidationCode.Name(code) if code in TxValidationCode.values() else str(code)
        if parts is None:
            yield {"id": None, "type": "unreadable", "code": named}
        else:
            yield {**_told(parts), "code": named}


def _parts(envelope: bytes) -> TransactionParts | None:
    try:
        return parse_envelope(envelope)
    except FabricError:
        return None


def _told(parts: TransactionParts) -> Document:
    arguments = parts.args if parts.body else ()
    return {
        "id": parts.transaction_id or None,
        "type": "config" if parts.type == CONFIG else "transaction",
        "client_time": _time(parts.timestamp),
        "creator": _identity(parts.creator),
        "chaincode": parts.chaincode_name or None,
        "version": parts.chaincode_version or None,
        "function": arguments[0].decode(errors="replace") if arguments else None,
        "arguments": [one.decode(errors="replace") for one in arguments[1:]],
        "endorsers": [_identity(one.endorser) for one in parts.endorsements],
        "event": parts.event.event_name if parts.event else None,
        "writes": [
            {"namespace": each.name, **_write(one)} for each in _sets(parts) for one in each.writes
        ],
        "private_writes": [
            {"namespace": each.name, "collection": one.name, "count": len(one.writes)}
            for each in _sets(parts)
            for one in each.collections
            if one.writes
        ],
    }


def _sets(parts: TransactionParts) -> tuple[Namespace, ...]:
    try:
        return rwset.decode(parts.results)
    except FabricError:
        return ()


def _write(write: KvWrite) -> Document:
    return {
        "key": key_parts(write.key),
        "deleted": write.deletes,
        "sha256": hashlib.sha256(write.value).hexdigest(),
        "value": _value(write.value),
    }


def key_parts(key: str) -> list[str]:
    """A composite key's type and attributes; a simple key alone."""
    if not key.startswith(COMPOSITE):
        return [key]
    kind, attributes = compositekey.split(key)
    return [kind, *attributes]


def _value(value: bytes) -> Any:
    """JSON as such, text as text, other bytes in hex."""
    try:
        return canonical.decode(value)
    except canonical.CanonicalError:
        pass
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _identity(creator: bytes) -> Document:
    try:
        found = Identity.from_creator(creator)
        return {"msp": found.msp_id, "subject": found.x509.subject.rfc4514_string()}
    except FabricError:
        return {"msp": None, "subject": None}


def _time(nanoseconds: int) -> str | None:
    try:
        return datetime.fromtimestamp(nanoseconds // 10**9, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
