# SPDX-License-Identifier: Apache-2.0
"""The normal form of what a network answered: JSON in which nothing depends on the run.

Replaced are transaction ids (by the step's name for them), block numbers (counted from the
sequence's first; what is older is `before`), addresses, times and certificates in texts, and the
protobuf library's own words for bytes it cannot read. Nonces, timestamps, certificates and
signatures do not stand in it at all. Keys and values stay as they are, for a sequence's prefix
follows from its seed: hashes of keys, values and private write sets are compared as they are. A
read-write set is taken apart only if putting it together again gives the very same bytes; else its
bytes are kept.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.common.common_pb2 import Envelope, Payload
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import (
    ChaincodeInterest,
    ProposalResponse,
    ProposalResponsePayload,
)
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import rwset
from tests.parity.target import plain

Fact = Any
_VERSION = re.compile(r"\{BlockNum: (\d+), TxNum: (\d+)\}")
_SIZE = re.compile(r"(payload is) \d+ bytes")  # signatures are of several lengths
_UNDECODABLE = re.compile(r"not a [A-Z]\w+|proto:\scannot parse invalid wire-format data")
_LONG = 400  # characters of a text that are kept as they are
_MANY = 12  # entries of a list
_GO_BYTES = re.compile(r"Creator \[[0-9a-f]+\]")


@dataclass(slots=True)
class Names:
    """Which transaction is which, and where the sequence's blocks begin."""

    first_block: int
    transactions: dict[str, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """A text without ids, addresses, times; long ones in short."""
        for identifier, name in self.transactions.items():
            text = text.replace(identifier, f"<{name}>")
        text = _GO_BYTES.sub("Creator [<creator>]", text)
        text = _UNDECODABLE.sub("<undecodable>", _SIZE.sub(r"\1 <some> bytes", text))
        text = plain(_VERSION.sub(lambda found: self._block_text(*found.groups()), text))
        return text if len(text) <= _LONG else f"{text[:80]}... {_digest(text.encode())}"

    def _block_text(self, block: str, index: str) -> str:
        return f"<{self.version(rwset.Version(int(block), int(index)))}>"

    def version(self, version: rwset.Version | None) -> str | None:
        """Block of the sequence and place in it."""
        if version is None:
            return None
        if version.block < self.first_block:
            return "before"
        return f"{version.block - self.first_block}.{version.tx}"

    def value(self, data: bytes) -> Fact:
        """Bytes as text where they are one."""
        try:
            return self.text(data.decode())
        except UnicodeDecodeError:
            return {"hex": self.text(data.hex())}

    def found(self, payload: bytes) -> Fact:
        """A script's payload: JSON, its texts made plain."""
        try:
            return self._plain(json.loads(payload)) if payload else None
        except ValueError:
            return self.value(payload)

    def _plain(self, value: Fact) -> Fact:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._plain(each) for each in value]
        if isinstance(value, dict):
            return {name: self._plain(each) for name, each in value.items()}
        return value

    def results(self, data: bytes) -> Fact:
        """A public read-write set."""
        try:
            namespaces = rwset.decode(data)
        except WireError:
            return {"bytes": data.hex()}
        if rwset.encode(namespaces) != data:
            return {"bytes": data.hex()}
        return [_dense(**self._namespace(each)) for each in namespaces]

    def _namespace(self, namespace: rwset.Namespace) -> dict[str, Fact]:
        return {
            "ns": namespace.name,
            "reads": self._reads(namespace.reads),
            "ranges": [self._range(each) for each in namespace.range_queries],
            "writes": _short(
                [[e.key, None if e.is_delete else self.value(e.value)] for e in namespace.writes]
            ),
            "metadata": [[e.key, _entries(e.entries)] for e in namespace.metadata_writes],
            "private": [_dense(**self._collection(each)) for each in namespace.collections],
        }

    def _reads(self, reads: tuple[rwset.KvRead, ...]) -> Fact:
        return _short([[each.key, self.version(each.version)] for each in reads])

    def _range(self, query: rwset.RangeQuery) -> Fact:
        fact: list[Fact] = [query.start_key, query.end_key, query.exhausted]
        if query.reads is not None:
            fact.append(self._reads(query.reads))
        if query.merkle is not None:
            # Its hashes cover block numbers, which differ from run to run.
            merkle = query.merkle
            fact.append([merkle.max_degree, merkle.max_level, len(merkle.max_level_hashes)])
        return fact

    def _collection(self, found: rwset.HashedCollection) -> dict[str, Fact]:
        writes = [
            [e.key_hash.hex()[:16], "purge" if e.is_purge else e.value_hash.hex()[:16] or None]
            for e in found.writes
        ]
        return {
            "name": found.name,
            "reads": [[e.key_hash.hex()[:16], self.version(e.version)] for e in found.reads],
            "writes": writes,
            "metadata": [
                [e.key_hash.hex()[:16], _entries(e.entries)] for e in found.metadata_writes
            ],
            "hash": found.private_hash.hex()[:32],
        }

    def event(self, data: bytes | ChaincodeEvent) -> Fact:
        """A chaincode event, all fields."""
        event = data if isinstance(data, ChaincodeEvent) else ChaincodeEvent.FromString(data)
        return [
            event.chaincode_id, event.event_name, self.text(event.tx_id), self.value(event.payload)
        ]  # fmt: skip

    def response(self, answer: ProposalResponse) -> Fact:
        """An endorser's answer."""
        fact: dict[str, Fact] = {"status": answer.response.status}
        if answer.response.message:
            fact["message"] = self.text(answer.response.message)
        if answer.response.payload:
            fact["found"] = self.found(answer.response.payload)
        if not answer.HasField("endorsement"):
            fact["endorsed"] = False
        if answer.payload:
            fact |= self._action(answer)
        if answer.HasField("interest"):
            fact["interest"] = _interest(answer.interest)
        return fact

    def prepared(self, envelope: Envelope) -> Fact:
        """A transaction as a gateway put it together; whom it asked is left out."""
        payload = Payload.FromString(envelope.payload)
        action = Transaction.FromString(payload.data).actions[0]
        endorsed = ChaincodeActionPayload.FromString(action.payload).action
        found = ChaincodeAction.FromString(
            ProposalResponsePayload.FromString(endorsed.proposal_response_payload).extension
        )
        answer = ProposalResponse(
            response=found.response, payload=endorsed.proposal_response_payload,
            endorsement=endorsed.endorsements[0],
        )  # fmt: skip
        return self.response(answer)

    def _action(self, answer: ProposalResponse) -> dict[str, Fact]:
        payload = ProposalResponsePayload.FromString(answer.payload)
        action = ChaincodeAction.FromString(payload.extension)
        fact: dict[str, Fact] = {}
        if action.results:
            fact["results"] = self.results(action.results)
        if action.events:
            fact["event"] = self.event(action.events)
        if action.response != answer.response:
            fact["response"] = [action.response.status, self.text(action.response.message)]
        fact["cc"] = f"{action.chaincode_id.name}:{action.chaincode_id.version}"
        return fact


def _interest(interest: ChaincodeInterest) -> Fact:
    """Sorted: Fabric goes through maps here, in any order."""
    return sorted(
        [
            each.name,
            list(each.collection_names),
            [flag for flag in ("no_private_reads", "no_public_writes") if getattr(each, flag)],
            sorted(_digest(e.SerializeToString()) for e in each.key_policies),
        ]
        for each in interest.chaincodes
    )


def _entries(entries: rwset.Entries) -> dict[str, str]:
    return {name: _digest(value) for name, value in entries}


def _digest(data: bytes) -> str:
    return f"{len(data)}:{hashlib.sha256(data).hexdigest()[:16]}"


def _short(entries: list[Fact]) -> Fact:
    """Long lists by their first and last entry and a digest."""
    if len(entries) <= _MANY:
        return entries
    digest = hashlib.sha256(json.dumps(entries).encode()).hexdigest()[:16]
    return {"count": len(entries), "first": entries[0], "last": entries[-1], "sha256": digest}


def _dense(**parts: Fact) -> Mapping[str, Fact]:
    return {name: part for name, part in parts.items() if part}
