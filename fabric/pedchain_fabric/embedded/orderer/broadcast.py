# SPDX-License-Identifier: Apache-2.0
"""Whether an orderer takes an envelope.

Source: orderer/common/broadcast, orderer/common/msgprocessor (filters and their order),
orderer/consensus/smartbft/configverifier.go.
"""

import logging
import time
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import (
    CONFIG,
    CONFIG_UPDATE,
    ORDERER_TRANSACTION,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
    Status,
)
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from fabric_protos.orderer.ab_pb2 import BroadcastResponse

from pedchain_fabric.embedded.acl import refusal
from pedchain_fabric.embedded.expiry import expires_at
from pedchain_fabric.embedded.ledger import ConfigRefused, Ledger
from pedchain_fabric.embedded.orderer.chain import OrderingChain
from pedchain_fabric.embedded.orderer.pool import RequestRefused
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.messages import M, parse, require, serialize
from pedchain_fabric.wire.proposal import new_nonce, timestamp_message

_log = logging.getLogger("orderer.common.broadcast")
WRITERS = "/Channel/Writers"


class BroadcastRefused(Exception):  # noqa: N818 - it names an answer, not a fault
    """The envelope is not taken, for this reason."""

    def __init__(self, status: Status.ValueType, info: str) -> None:
        super().__init__(info)
        self.status = status
        self.info = info


@dataclass(frozen=True, slots=True)
class Ingress:
    """One orderer of one channel; it signs the config envelopes it makes of updates."""

    orderer: str
    identity: SigningIdentity
    chain: OrderingChain

    def take(self, envelope: Envelope, header: ChannelHeader) -> None:
        """Checks the envelope and puts it into the pool. Raises BroadcastRefused."""
        if header.type == CONFIG:
            raise _bad("message is of type that cannot be processed directly")
        if header.type == ORDERER_TRANSACTION:
            raise _bad("message is of type that is no longer supported")
        ledger = self.chain.channel.ledger
        if header.type == CONFIG_UPDATE:
            ordered = self._configure(envelope, ledger)
        else:
            check(envelope, ledger)
            ordered = serialize(envelope)
        try:
            self.chain.submit(self.orderer, ordered)
        except RequestRefused as refused:
            raise BroadcastRefused(Status.SERVICE_UNAVAILABLE, str(refused)) from refused

    def _configure(self, update: Envelope, ledger: Ledger) -> bytes:
        """The config envelope an update leads to, as this orderer proposes it."""
        prefix = "config update for existing channel did not pass"
        try:
            check(update, ledger)
        except BroadcastRefused as refused:
            raise BroadcastRefused(
                refused.status, f"{prefix} initial checks: {refused.info}"
            ) from refused
        try:
            config = ledger.propose_update(update)
            reason = self.chain.invalid(config.config)
            if reason:
                raise ConfigRefused(reason)
        except (ConfigRefused, WireError) as refused:
            raise _bad(
                f"error applying config update to existing channel '{ledger.channel_id}': {refused}"
            ) from refused
        envelope = self._signed(config, ledger.channel_id)
        try:
            check(envelope, ledger)
        except BroadcastRefused as refused:
            raise BroadcastRefused(
                refused.status, f"{prefix} final checks: {refused.info}"
            ) from refused
        reason = self.chain.refusal(config.config)
        if reason:
            raise BroadcastRefused(Status.SERVICE_UNAVAILABLE, reason)
        return serialize(envelope)

    def _signed(self, config: ConfigEnvelope, channel: str) -> Envelope:
        now = time.time_ns() // 1_000_000_000 * 1_000_000_000
        header = Header(
            channel_header=serialize(
                ChannelHeader(type=CONFIG, timestamp=timestamp_message(now), channel_id=channel)
            ),
            signature_header=serialize(
                SignatureHeader(creator=self.identity.creator, nonce=new_nonce())
            ),
        )
        payload = serialize(Payload(header=header, data=serialize(config)))
        return Envelope(payload=payload, signature=self.identity.sign(payload))


def channel_header(envelope: Envelope) -> ChannelHeader:
    """The envelope's channel header. Raises BroadcastRefused."""
    try:
        payload = _part(Payload, envelope.payload, "Payload")
        require(payload.HasField("header"), "header not set")
        require(payload.header.channel_header, "channel header not set")
        told = "channel header: error unmarshalling ChannelHeader"
        return _part(ChannelHeader, payload.header.channel_header, told)
    except WireError as error:
        raise _bad(f"could not determine channel ID: {error}") from error


def _part(kind: type[M], data: bytes, told: str) -> M:
    """A part of the envelope, with Fabric's word where it is none (protoutil/unmarshalers.go)."""
    try:
        return parse(kind, data)
    except WireError as error:
        raise WireError(f"error unmarshalling {told}: {error}") from error


def check(envelope: Envelope, ledger: Ledger) -> None:
    """The standard filters: not empty, not too big, not expired, signed by a writer."""
    if not envelope.payload:
        raise _bad("Message was empty")
    size = len(envelope.payload) + len(envelope.signature)
    allowed = ledger.config.batch_size.absolute_max_bytes
    if size > allowed:
        raise _bad(f"message payload is {size} bytes and exceeds maximum allowed {allowed} bytes")
    claim = _claim(envelope)
    if expires_at(claim.creator) < time.time():
        raise _bad("broadcast client identity expired")
    reason = refusal(ledger, WRITERS, claim)
    if reason:
        raise BroadcastRefused(Status.FORBIDDEN, f"{reason}: permission denied")


def _claim(envelope: Envelope) -> SignedData:
    prefix = "could not convert message to signedData: "
    try:
        header = parse(Payload, envelope.payload).header
    except WireError as error:
        raise _bad(f"{prefix}{error}") from error
    try:
        creator = parse(SignatureHeader, header.signature_header).creator
    except WireError as error:
        raise _bad(f"{prefix}GetSignatureHeaderFromBytes failed, err {error}") from error
    return SignedData(creator, envelope.payload, envelope.signature)


def _bad(info: str) -> BroadcastRefused:
    return BroadcastRefused(Status.BAD_REQUEST, info)


def answer(refused: BroadcastRefused | None) -> BroadcastResponse:
    """The response on the stream."""
    if refused is None:
        return BroadcastResponse(status=Status.SUCCESS)
    return BroadcastResponse(status=refused.status, info=refused.info)
