# SPDX-License-Identifier: Apache-2.0
"""A running network, spoken to by raw messages: every organisation, any identity, any bytes."""

import datetime
import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.gateway.gateway_pb2 import ErrorDetail
from fabric_protos.gateway.gateway_pb2_grpc import GatewayStub
from fabric_protos.orderer.ab_pb2_grpc import AtomicBroadcastStub
from fabric_protos.peer.events_pb2_grpc import DeliverStub
from fabric_protos.peer.peer_pb2_grpc import EndorserStub
from fabric_protos.peer.proposal_pb2 import SignedProposal
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # Google ships no stubs

from pedchain_fabric.wire.identity import SigningIdentity, certificate_pem
from pedchain_fabric.wire.keys import P256Signer, load_signer
from pedchain_fabric.wire.proposal import Proposal, build_proposal, new_nonce, timestamp_message

CHANNEL = "ped"
Fact = Any
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
_HEX = re.compile(r"\b[0-9a-f]{64,}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass
class Target:
    """A network by its profiles and keys; an async context manager."""

    profiles: Path
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, grpc.aio.Channel] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        for path in sorted(self.profiles.glob("*.json")):
            self.documents[path.stem] = json.loads(path.read_text())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for channel in self.channels.values():
            await channel.close()

    def file(self, relative: str) -> bytes:
        """A file a profile names."""
        return (self.profiles / relative).read_bytes()

    def identity(self, organization: str, user: str = "gateway") -> SigningIdentity:
        """One of an organisation's users."""
        named = self.documents[organization]["users"][user]
        signer = load_signer(self.file(named["key"]))
        msp_id = self.documents[organization]["msp_id"]
        return SigningIdentity(msp_id, self.file(named["certificate"]), signer)

    def issued(self, organization: str, *, days: int) -> SigningIdentity:
        """A new client of the organisation whose certificate ends `days` from now."""
        folder = self.profiles.parent / "crypto" / organization / "ca"
        return _issue(
            self.documents[organization]["msp_id"],
            x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes()).subject,
            (folder / "key.pem").read_bytes(),
            days,
        )

    def stranger(self, msp_id: str = "DSOMSP") -> SigningIdentity:
        """Somebody who claims an MSP that never certified them."""
        return _issue(msp_id, _name("ca.elsewhere"), None, 10)

    def peer(self, organization: str) -> grpc.aio.Channel:
        """A connection to the organisation's peer."""
        return self._connect(self.documents[organization]["peer"])

    def orderer(self, organization: str) -> grpc.aio.Channel:
        """A connection to the organisation's orderer."""
        msp_id = self.documents[organization]["msp_id"]
        orderers = self.documents[organization]["orderers"]
        return self._connect(next(each for each in orderers if each["msp_id"] == msp_id))

    def _connect(self, endpoint: dict[str, str]) -> grpc.aio.Channel:
        address = endpoint["address"]
        if address not in self.channels:
            credentials = grpc.ssl_channel_credentials(self.file(endpoint["tls_ca"]))
            self.channels[address] = grpc.aio.secure_channel(
                address, credentials, options=[("grpc.max_receive_message_length", -1)]
            )
        return self.channels[address]

    def gateway(self, organization: str = "DSO") -> Any:
        """The organisation's gateway."""
        return GatewayStub(self.peer(organization))

    def endorser(self, organization: str = "DSO") -> Any:
        """The organisation's endorser."""
        return EndorserStub(self.peer(organization))

    def events(self, organization: str = "DSO") -> Any:
        """The organisation's block events."""
        return DeliverStub(self.peer(organization))

    def broadcast(self, organization: str = "DSO") -> Any:
        """The organisation's orderer."""
        return AtomicBroadcastStub(self.orderer(organization))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _issue(msp_id: str, issuer: x509.Name, key: bytes | None, days: int) -> SigningIdentity:
    own = ec.generate_private_key(ec.SECP256R1())
    authority = ec.generate_private_key(ec.SECP256R1())
    if key is not None:
        loaded = load_pem_private_key(key, None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        authority = loaded
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "client"),
            x509.NameAttribute(NameOID.COMMON_NAME, "issued"),
        ]
    )
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=4))
        .not_valid_after(now + datetime.timedelta(days=days) - datetime.timedelta(minutes=2))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(above, critical=False)
        .sign(authority, hashes.SHA256())
    )
    return SigningIdentity(msp_id, certificate_pem(certificate), P256Signer(own))


def proposal(
    who: SigningIdentity,
    chaincode: str,
    *args: str | bytes,
    channel: str = CHANNEL,
    transient: dict[str, bytes] | None = None,
    seconds: int = 0,
) -> tuple[Proposal, SignedProposal]:
    """A signed proposal whose time is `seconds` from now."""
    made = build_proposal(
        who.creator,
        channel,
        chaincode,
        [each.encode() if isinstance(each, str) else each for each in args],
        transient=transient or {},
        timestamp=time.time_ns() + seconds * 1_000_000_000,
    )
    signature = who.sign(made.proposal_bytes)
    return made, SignedProposal(proposal_bytes=made.proposal_bytes, signature=signature)


def envelope(
    who: SigningIdentity,
    data: Message | bytes,
    kind: int,
    *,
    channel: str = CHANNEL,
    seconds: int = 0,
    timestamp: bool = True,
) -> Envelope:
    """A signed envelope of any type around any data."""
    header = ChannelHeader(type=kind, channel_id=channel)
    if timestamp:
        now = time.time_ns() + seconds * 1_000_000_000
        header.timestamp.CopyFrom(timestamp_message(now))
    signature_header = SignatureHeader(creator=who.creator, nonce=new_nonce())
    payload = Payload(
        header=Header(
            channel_header=header.SerializeToString(),
            signature_header=signature_header.SerializeToString(),
        ),
        data=data if isinstance(data, bytes) else data.SerializeToString(),
    ).SerializeToString()
    return Envelope(payload=payload, signature=who.sign(payload))


def plain(text: str) -> str:
    """A text without what differs from run to run."""
    text = _ADDRESS.sub("<address>", text)
    text = _TIME.sub("<time>", text)
    return _HEX.sub("<hex>", text)


async def refusal(call: Awaitable[object]) -> Fact:
    """A gRPC call's code, message and details; its answer's type if it succeeded."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        fact: dict[str, Any] = {"code": error.code().name, "message": plain(error.details() or "")}
        details = _details(error)
        return fact | {"details": details} if details else fact
    return {"ok": type(answer).__name__}


def _details(error: grpc.aio.AioRpcError) -> list[list[str]]:
    found = []
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            for packed in Status.FromString(value).details:
                detail = ErrorDetail()
                packed.Unpack(detail)
                found.append([detail.msp_id, plain(detail.message)])
    return sorted(found)


async def collect(stream: Any, limit: int) -> list[Any]:
    """Up to `limit` messages of a stream."""
    found = []
    async for message in stream:
        found.append(message)
        if len(found) >= limit:
            break
    return found


Probe = Callable[[Target], Awaitable[Fact]]


def names(probes: Sequence[Probe]) -> dict[str, Probe]:
    """Probes by name."""
    return {probe.__name__.removeprefix("_"): probe for probe in probes}
