# SPDX-License-Identifier: Apache-2.0
"""Transactions put together by hand, and everything that can be wrong with one."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fabric_protos.common.common_pb2 import (
    CONFIG,
    CONFIG_UPDATE,
    MESSAGE,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.common_pb2 import Header as HeaderMessage
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    Proposal,
)
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponsePayload,
    Response,
)
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    Transaction,
    TransactionAction,
)

from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.proposal import new_nonce, timestamp_message, transaction_id

GARBAGE = b"\xff\xff\xff"


@dataclass
class Draft:
    """A transaction in parts, each of which may still be spoilt. `peers` sign what is altered."""

    client: SigningIdentity
    stranger: SigningIdentity
    channel_header: ChannelHeader
    signature_header: SignatureHeader
    proposal_payload: bytes
    response_payload: bytes
    endorsements: list[Endorsement]
    peers: list[SigningIdentity]
    actions: int = 1
    action_header: bytes | None = None
    action_payload: bytes | None = None
    data: bytes | None = None
    payload: bytes | None = None
    signature: bytes | None = None
    signer: SigningIdentity | None = None
    headers: dict[str, bytes] = field(default_factory=dict)

    def change(self, change: Callable[[ChaincodeAction], None]) -> None:
        """Another result, signed by the endorsers' real keys."""
        payload = ProposalResponsePayload.FromString(self.response_payload)
        action = ChaincodeAction.FromString(payload.extension)
        change(action)
        payload.extension = action.SerializeToString()
        self.resign(payload.SerializeToString())

    def resign(self, response_payload: bytes) -> None:
        """The endorsers sign this instead."""
        self.response_payload = response_payload
        self.endorsements = [endorse(each, response_payload) for each in self.peers]

    def envelope(self) -> Envelope:
        """All of it, signed."""
        payload = self.payload if self.payload is not None else self._payload()
        signature = self.signature
        if signature is None:
            signature = (self.signer or self.client).sign(payload)
        return Envelope(payload=payload, signature=signature)

    def _payload(self) -> bytes:
        header = Header(
            channel_header=self.headers.get("channel", self.channel_header.SerializeToString()),
            signature_header=self.headers.get(
                "signature", self.signature_header.SerializeToString()
            ),
        )
        data = self.data if self.data is not None else self._transaction()
        return Payload(header=header, data=data).SerializeToString()

    def _transaction(self) -> bytes:
        header = self.action_header
        if header is None:
            header = self.signature_header.SerializeToString()
        payload = self.action_payload
        if payload is None:
            payload = ChaincodeActionPayload(
                chaincode_proposal_payload=self.proposal_payload,
                action=ChaincodeEndorsedAction(
                    proposal_response_payload=self.response_payload,
                    endorsements=self.endorsements,
                ),
            ).SerializeToString()
        action = TransactionAction(header=header, payload=payload)
        return Transaction(actions=[action] * self.actions).SerializeToString()


def endorse(peer: SigningIdentity, response_payload: bytes) -> Endorsement:
    """A peer's endorsement of any result."""
    signature = peer.sign(response_payload + peer.creator)
    return Endorsement(endorser=peer.creator, signature=signature)


def visible(payload: bytes) -> bytes:
    """A proposal's payload as it stands in a transaction: without its transient map."""
    message = ChaincodeProposalPayload.FromString(payload)
    return ChaincodeProposalPayload(input=message.input).SerializeToString()


def proposal_hash(header: bytes, payload: bytes) -> bytes:
    """The hash endorsers sign (Fabric protoutil, GetProposalHash1)."""
    parts = HeaderMessage.FromString(header)
    digest = hashlib.sha256(parts.channel_header + parts.signature_header + visible(payload))
    return digest.digest()


def results_of(proposal: bytes, name: str, results: bytes, version: str = "1") -> bytes:
    """A response payload over any results, which no peer has simulated."""
    message = Proposal.FromString(proposal)
    action = ChaincodeAction(
        results=results,
        response=Response(status=200),
        chaincode_id=ChaincodeID(name=name, version=version),
    )
    return ProposalResponsePayload(
        proposal_hash=proposal_hash(message.header, message.payload),
        extension=action.SerializeToString(),
    ).SerializeToString()


def filler(client: SigningIdentity, channel: str) -> tuple[str, Envelope]:
    """A message of no consequence that fills a block up; its id."""
    nonce = new_nonce()
    identifier = transaction_id(nonce, client.creator)
    header = ChannelHeader(type=MESSAGE, channel_id=channel, tx_id=identifier)
    header.timestamp.CopyFrom(timestamp_message(time.time_ns()))
    signature_header = SignatureHeader(creator=client.creator, nonce=nonce)
    payload = Payload(
        header=Header(
            channel_header=header.SerializeToString(),
            signature_header=signature_header.SerializeToString(),
        )
    ).SerializeToString()
    return identifier, Envelope(payload=payload, signature=client.sign(payload))


Flaw = Callable[[Draft], object]


def _set(name: str, value: object) -> Flaw:
    return lambda draft: setattr(draft, name, value)


def _header(**fields: object) -> Flaw:
    def spoil(draft: Draft) -> None:
        for name, value in fields.items():
            setattr(draft.channel_header, name, value)

    return spoil


def _result(**fields: object) -> Flaw:
    def change(action: ChaincodeAction) -> None:
        for name, value in fields.items():
            setattr(action, name, value)

    return lambda draft: draft.change(change)


def _identifier(chaincode: str, version: str) -> Flaw:
    return lambda draft: draft.change(
        lambda action: action.chaincode_id.CopyFrom(ChaincodeID(name=chaincode, version=version))
    )


def _event(**fields: object) -> Flaw:
    def spoil(draft: Draft) -> None:
        right = {
            "chaincode_id": "main", "tx_id": draft.channel_header.tx_id, "event_name": "forged"
        }  # fmt: skip
        event = ChaincodeEvent(**(right | fields))  # type: ignore[arg-type]  # by name
        draft.change(lambda action: setattr(action, "events", event.SerializeToString()))

    return spoil


def _flipped(draft: Draft) -> None:
    first = draft.endorsements[0]
    first.signature = first.signature[:-1] + bytes([first.signature[-1] ^ 1])


def _of_client(draft: Draft) -> None:
    draft.endorsements[0].CopyFrom(endorse(draft.client, draft.response_payload))


def _of_stranger(draft: Draft) -> None:
    draft.endorsements[0].CopyFrom(endorse(draft.stranger, draft.response_payload))


def _unreadable_endorser(draft: Draft) -> None:
    draft.endorsements[0].endorser = GARBAGE


def _other_results(draft: Draft) -> None:
    """The results are others than those endorsed."""
    kept = draft.endorsements
    draft.change(lambda action: setattr(action, "results", b""))
    draft.endorsements = kept


def _wrong_hash(draft: Draft) -> None:
    payload = ProposalResponsePayload.FromString(draft.response_payload)
    payload.proposal_hash = bytes(32)
    draft.resign(payload.SerializeToString())


def _transient_left(draft: Draft) -> None:
    """The transient map stands in the transaction."""
    message = ChaincodeProposalPayload.FromString(draft.proposal_payload)
    message.TransientMap["v"] = b"told"
    draft.proposal_payload = message.SerializeToString()


def _action_creator(draft: Draft) -> None:
    header = SignatureHeader.FromString(draft.signature_header.SerializeToString())
    header.creator = draft.stranger.creator
    draft.action_header = header.SerializeToString()


def _action_nonce(draft: Draft) -> None:
    header = SignatureHeader.FromString(draft.signature_header.SerializeToString())
    header.nonce = new_nonce()
    draft.action_header = header.SerializeToString()


def _extension(name: str, version: str = "") -> Flaw:
    def spoil(draft: Draft) -> None:
        draft.channel_header.extension = ChaincodeHeaderExtension(
            chaincode_id=ChaincodeID(name=name, version=version)
        ).SerializeToString()

    return spoil


def _unknown_field(draft: Draft) -> None:
    draft.payload = draft.envelope().payload + b"\xf2\x3f\x03abc"


FLAWS: Mapping[str, Flaw] = {
    "": lambda _: None,
    "signed-by-stranger": lambda draft: setattr(draft, "signer", draft.stranger),
    "wrong-signature": lambda draft: setattr(draft, "signature", draft.client.sign(b"other")),
    "unreadable-signature": _set("signature", GARBAGE),
    "no-signature": _set("signature", b""),
    "no-endorsements": _set("endorsements", []),
    "one-endorsement": lambda draft: setattr(draft, "endorsements", draft.endorsements[:1]),
    "first-twice": lambda draft: setattr(draft, "endorsements", draft.endorsements[:1] * 2),
    "all-twice": lambda draft: setattr(draft, "endorsements", draft.endorsements * 2),
    "reversed": lambda draft: draft.endorsements.reverse(),
    "flipped-endorsement": _flipped,
    "endorsed-by-client": _of_client,
    "endorsed-by-stranger": _of_stranger,
    "unreadable-endorser": _unreadable_endorser,
    "other-results": _other_results,
    "wrong-proposal-hash": _wrong_hash,
    "transient-left": _transient_left,
    "two-actions": _set("actions", 2),
    "no-actions": _set("actions", 0),
    "action-of-other-creator": _action_creator,
    "action-of-other-nonce": _action_nonce,
    "no-action-header": _set("action_header", b""),
    "unreadable-action-header": _set("action_header", GARBAGE),
    "other-transaction-id": _header(tx_id="0" * 64),
    "no-transaction-id": _header(tx_id=""),
    "other-nonce": lambda draft: setattr(draft.signature_header, "nonce", new_nonce()),
    "no-nonce": lambda draft: setattr(draft.signature_header, "nonce", b""),
    "no-creator": lambda draft: setattr(draft.signature_header, "creator", b""),
    "unreadable-creator": lambda draft: setattr(draft.signature_header, "creator", GARBAGE),
    "epoch": _header(epoch=1),
    "header-version": _header(version=7),
    "type-message": _header(type=MESSAGE),
    "type-config-update": _header(type=CONFIG_UPDATE),
    "type-config": _header(type=CONFIG),
    "type-orderer": _header(type=4),
    "type-unknown": _header(type=99),
    "other-channel": _header(channel_id="elsewhere"),
    "no-channel": _header(channel_id=""),
    "no-timestamp": lambda draft: draft.channel_header.ClearField("timestamp"),
    "old": lambda draft: setattr(draft.channel_header.timestamp, "seconds", 1),
    "tls-hash": _header(tls_cert_hash=b"x" * 32),
    "no-extension": _header(extension=b""),
    "unreadable-extension": _header(extension=GARBAGE),
    "extension-of-other": _extension("callee"),
    "extension-of-nobody": _extension("nobody"),
    "extension-without-name": _extension(""),
    "extension-version": _extension("main", "7"),
    "no-data": _set("data", b""),
    "unreadable-data": _set("data", GARBAGE),
    "unreadable-payload": _set("payload", GARBAGE),
    "no-payload": _set("payload", b""),
    "no-headers": lambda draft: draft.headers.update(channel=b"", signature=b""),
    "no-signature-header": lambda draft: draft.headers.update(signature=b""),
    "unreadable-signature-header": lambda draft: draft.headers.update(signature=GARBAGE),
    "unreadable-action": _set("action_payload", GARBAGE),
    "unreadable-proposal": _set("proposal_payload", GARBAGE),
    "no-proposal": _set("proposal_payload", b""),
    "unreadable-response": lambda draft: draft.resign(GARBAGE),
    "no-response": lambda draft: draft.resign(b""),
    "unreadable-results": _result(results=GARBAGE),
    "no-results": _result(results=b""),
    "results-of-no-kv-model": _result(results=b"\x08\x05"),
    "unreadable-event": _result(events=GARBAGE),
    "event": _event(),
    "event-of-other-chaincode": _event(chaincode_id="callee"),
    "event-of-other-transaction": _event(tx_id="0" * 64),
    "event-without-name": _event(event_name=""),
    "status-500": lambda draft: draft.change(lambda a: setattr(a.response, "status", 500)),
    "status-404": lambda draft: draft.change(lambda a: setattr(a.response, "status", 404)),
    "no-status": lambda draft: draft.change(lambda a: a.ClearField("response")),
    "called-other": _identifier("callee", "1"),
    "called-nobody": _identifier("nobody", "1"),
    "called-without-name": _identifier("", "1"),
    "called-other-version": _identifier("main", "2"),
    "called-no-version": _identifier("main", ""),
    "called-nothing": lambda draft: draft.change(lambda a: a.ClearField("chaincode_id")),
    "unknown-field": _unknown_field,
}
"""What can be done to a transaction between its endorsement and its ordering. One thing is left
out: an action without its endorsed part ends every peer of Fabric 3.1.5 (docs/differences.md)."""

LAST = frozenset(
    {"no-data", "no-actions", "unreadable-data", "unreadable-action", "unreadable-response"}
)
"""What must stand behind all sound transactions of its block: before one, Fabric 3.1.5's peers
panic or wait for ever (docs/differences.md)."""

ONLY_THE_STATUS = frozenset({"type-config-update"})
"""Whose refusal is in the protobuf library's words (docs/differences.md)."""

AGAIN = {"again": "the same bytes twice", "resigned": "twice, with another signature"}
"""What is sent more than once."""
