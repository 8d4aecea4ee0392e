# SPDX-License-Identifier: Apache-2.0
"""A change of a channel's configuration on its way through the hands of those who must agree.

Administrators sign the update's bytes, each on his own machine if need be; the file passed around
is an envelope such as `peer channel signconfigtx` and `osnadmin channel update` take, so any
organisation may use Fabric's own tools for its part.
"""

import time
from dataclasses import dataclass, replace

from fabric_protos.common.common_pb2 import (
    CONFIG_UPDATE,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigSignature,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)

from pedchain_fabric.admin import configdiff, guards, summary
from pedchain_fabric.admin.refusal import Reason, refuse_if
from pedchain_fabric.admin.summary import Change
from pedchain_fabric.errors import IdentityError, SignatureInvalid
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity, SigningIdentity
from pedchain_fabric.wire.messages import parse, require, serialize
from pedchain_fabric.wire.proposal import new_nonce, timestamp_message


def sign(update: bytes, identity: SigningIdentity) -> bytes:
    """One administrator's agreement to a serialised ConfigUpdate: a serialised ConfigSignature."""
    header = serialize(SignatureHeader(creator=identity.creator, nonce=new_nonce()))
    signature = ConfigSignature(signature_header=header, signature=identity.sign(header + update))
    return serialize(signature)


@dataclass(frozen=True, slots=True)
class SignedUpdate:
    """A serialised ConfigUpdate, never re-encoded, and the ConfigSignatures gathered so far."""

    update: bytes
    signatures: tuple[bytes, ...] = ()

    @property
    def content(self) -> ConfigUpdate:
        """The update itself. Raises `WireError`."""
        return parse(ConfigUpdate, self.update)

    @property
    def channel_id(self) -> str:
        """The channel it is for. Raises `WireError`."""
        return self.content.channel_id

    def signed_by(self, identity: SigningIdentity) -> "SignedUpdate":
        """With this administrator's agreement; the same again changes nothing."""
        if identity.identity in self.signers():
            return self
        return replace(self, signatures=(*self.signatures, sign(self.update, identity)))

    def merged(self, *others: "SignedUpdate") -> "SignedUpdate":
        """With all agreements to this same update.

        Raises `EditRefused` (DIFFERENT_UPDATE) if one of them is of another update.
        """
        gathered = list(self.signatures)
        for other in others:
            refuse_if(
                other.update != self.update,
                Reason.DIFFERENT_UPDATE,
                "these are signatures of another update: all must sign the same bytes",
            )
            gathered += [each for each in other.signatures if each not in gathered]
        return replace(self, signatures=tuple(gathered))

    def claims(self) -> tuple[SignedData, ...]:
        """Who claims to agree, as policies look at it. Raises `WireError`."""
        parsed = [parse(ConfigSignature, each) for each in self.signatures]
        return tuple(
            SignedData(
                parse(SignatureHeader, each.signature_header).creator,
                each.signature_header + self.update,
                each.signature,
            )
            for each in parsed
        )

    def signers(self) -> tuple[Identity, ...]:
        """Who did sign; a signature that is not of its creator is left out. Raises `WireError`."""
        found = []
        for creator, message, signature in self.claims():
            identity = Identity.from_creator(creator)
            try:
                identity.verify(message, signature)
            except (IdentityError, SignatureInvalid):
                continue
            found.append(identity)
        return tuple(found)

    def to_bytes(self) -> bytes:
        """The file to pass around: an envelope nobody has signed yet."""
        return serialize(Envelope(payload=self._payload(SignatureHeader())))

    @classmethod
    def from_bytes(cls, content: bytes) -> "SignedUpdate":
        """Read such a file, also one that Fabric's tools wrote. Raises `WireError`."""
        payload = parse(Payload, parse(Envelope, content).payload)
        header = parse(ChannelHeader, payload.header.channel_header)
        require(header.type == CONFIG_UPDATE, "not a configuration update")
        envelope = parse(ConfigUpdateEnvelope, payload.data)
        require(envelope.config_update, "a configuration update without content")
        return cls(envelope.config_update, tuple(map(serialize, envelope.signatures)))

    def envelope(self, submitter: SigningIdentity) -> Envelope:
        """What is sent to an orderer, from one who may write on the channel."""
        header = SignatureHeader(creator=submitter.creator, nonce=new_nonce())
        payload = self._payload(header)
        return Envelope(payload=payload, signature=submitter.sign(payload))

    def _payload(self, signature_header: SignatureHeader) -> bytes:
        channel_header = ChannelHeader(
            type=CONFIG_UPDATE,
            channel_id=self.channel_id,
            timestamp=timestamp_message(time.time_ns()),
        )
        signatures = [parse(ConfigSignature, each) for each in self.signatures]
        data = ConfigUpdateEnvelope(config_update=self.update, signatures=signatures)
        header = Header(
            channel_header=serialize(channel_header), signature_header=serialize(signature_header)
        )
        return serialize(Payload(header=header, data=serialize(data)))


def prepare(current: ChannelConfig, wanted: Config) -> SignedUpdate:
    """The update that leads from the configuration in force to `wanted`, for others to sign.

    Raises `EditRefused` if there is nothing to change, or the channel must not become so.
    """
    guards.check(current, wanted)
    update = configdiff.compute(current.channel_id, current.config, wanted)
    return SignedUpdate(serialize(update))


def result(current: ChannelConfig, update: SignedUpdate) -> Config:
    """The configuration the update leads to, if all who must agree do.

    Raises `EditRefused` if it was made from another configuration or for another channel.
    """
    content = update.content
    refuse_if(
        content.channel_id != current.channel_id,
        Reason.BAD_VALUE,
        f"the update is for channel {content.channel_id!r}, not {current.channel_id!r}",
    )
    return configdiff.result(current.config, content)


def review(current: ChannelConfig, update: SignedUpdate) -> tuple[Change, ...]:
    """What the update changes, to be read before it is signed. Raises `EditRefused`."""
    return summary.changes(current.config, result(current, update))


def lacking(current: ChannelConfig, update: SignedUpdate) -> tuple[str, ...]:
    """Paths of the policies that the signatures do not satisfy yet; none: it may be submitted.

    Raises `EditRefused` as `review` does.
    """
    signers = current.msps.signers(update.claims())
    return tuple(
        path
        for path in summary.policies(review(current, update))
        if not current.policy(path).satisfied_by_identities(signers)
    )
