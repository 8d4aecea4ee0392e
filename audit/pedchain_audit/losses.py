# SPDX-License-Identifier: Apache-2.0
"""What is not in the archive any more, by right: erased records and purged days.

An erased batch stands further up the chain once more, with leaves in place of records; totals that
were purged of findings likewise. Both are looked for before the audit begins, since it goes through
the blocks in order, and are believed no sooner than any other private value: each is held against
the hash in its block when the audit comes there. A purged day is what the public state says is
purged; a batch that is missing without that is not passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit.archive import Archive, read
from pedchain_domain import canonical
from pedchain_domain.calendar import shifted
from pedchain_domain.reasons import DomainError
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import compositekey, rwset
from pedchain_fabric.wire.block import validation_codes
from pedchain_fabric.wire.transaction import parse_envelope

Document = dict[str, Any]
SALT_BYTES = 16
#: Days on either side that a day's close may have looked at: anchors of bridges, draws (V2, R5).
REACH_DAYS = 31


@dataclass(slots=True)
class Losses:
    """Of every metering definition: erased batches by transaction, moved totals by day and run,
    the last purged day."""

    batches: dict[tuple[str, str], bytes] = field(default_factory=dict)
    totals: dict[tuple[str, str, str], Document] = field(default_factory=dict)
    purged: dict[str, str] = field(default_factory=dict)

    def near(self, namespace: str, day: str, erased: set[str]) -> bool:
        """Whether a day's close may have rested on what is not here any more."""
        since = self.purged.get(namespace, "")
        if since and day <= shifted(since, REACH_DAYS):
            return True
        first, last = shifted(day, -REACH_DAYS), shifted(day, REACH_DAYS)
        return any(first <= each <= last for each in erased)


def scan(archive: Archive) -> Losses:
    """All losses of an archive."""
    found = Losses()
    height = archive.height()
    for number in archive.with_private():
        if number >= height:
            break
        raw = read(archive.block_path(number))
        for position, held in archive.private(number).private_data_map.items():
            _private(found, held.SerializeToString(deterministic=True))
            _public(found, raw, position)
    return found


def _private(found: Losses, data: bytes) -> None:
    for namespace, key, value in _writes(data):
        kind, attributes = compositekey.split(key)
        if kind == "batch" and _is_erased(value):
            found.batches[namespace, attributes[0]] = value
        elif kind == "h":
            kept = document_of(value)
            if kept is not None and {"totals", "entered", "run"} <= kept.keys():
                found.totals[namespace, kept["totals"]["day"], kept["run"]] = kept


def _writes(data: bytes) -> Iterator[tuple[str, str, bytes]]:
    try:
        decoded = rwset.decode_private(data)
    except WireError:
        return  # the audit says so when it comes there
    for namespace in decoded:
        for collection in namespace.collections:
            for write in collection.writes:
                if write.value and write.key.startswith("\x00"):
                    yield namespace.name, write.key, write.value


def _is_erased(value: bytes) -> bool:
    start = SALT_BYTES + 4
    end = start + int.from_bytes(value[SALT_BYTES:start], "big")
    return b'"form":"erased"' in value[start:end]


def document_of(value: bytes) -> Document | None:
    """The document after a private value's salt, if it is one."""
    try:
        found = canonical.decode(value[SALT_BYTES:])
    except DomainError:
        return None
    return found if isinstance(found, dict) else None


def _public(found: Losses, raw: bytes, position: int) -> None:
    """The retention's state, where a transaction with private data writes it."""
    try:
        block = Block.FromString(raw)
        if validation_codes(block)[position] != TxValidationCode.VALID:
            return
        namespaces = rwset.decode(parse_envelope(block.data.data[position]).results)
    except (WireError, IndexError):
        return
    for namespace in namespaces:
        for write in namespace.writes:
            if write.key == compositekey.create("retention", []) and write.value:
                state = canonical.decode(write.value)
                if isinstance(state, dict) and state["day"]:
                    found.purged[namespace.name] = str(state["day"])
