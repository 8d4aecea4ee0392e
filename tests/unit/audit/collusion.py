# SPDX-License-Identifier: Apache-2.0
"""Everybody in collusion: a ledger of real Fabric whose organisations also trust keys of ours.

Its genesis block is made anew: each organisation gets a second CA, each orderer a certificate of
it. What clients and endorsers had signed stays as it was; blocks are linked and signed again. So
any layer can be broken alone: below and above it everything is hashed, endorsed, ordered and noted
as it should be.
"""

import datetime
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fabric_protos.common.common_pb2 import (
    Block,
    Envelope,
    IdentifierHeader,
    Metadata,
    MetadataSignature,
    Payload,
)
from fabric_protos.common.configtx_pb2 import ConfigEnvelope, ConfigGroup
from fabric_protos.common.configuration_pb2 import Orderers
from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)

from pedchain_audit.replay import Ledger
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import P256Signer
from pedchain_fabric.wire.proposal import build_proposal, parse_proposal, proposal_hash
from pedchain_fabric.wire.rwset import Namespace
from pedchain_fabric.wire.transaction import assemble, parse_envelope

ORGANIZATIONS = ("DSOMSP", "DistrictAMSP", "DistrictBMSP", "AggregatorMSP")


def certified(
    name: str, unit: str, public: ec.EllipticCurvePublicKey, issuer: "Authority | None"
) -> x509.CertificateBuilder:
    parts = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit)] if unit else []
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issued = subject if issuer is None else issuer.certificate.subject
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(day)
        .not_valid_after(day + datetime.timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(usage(issuer is None), critical=True)
    )


def usage(authority: bool) -> x509.KeyUsage:
    signs, rest = (
        {"key_cert_sign": authority, "crl_sign": authority},
        (
            "content_commitment key_encipherment data_encipherment key_agreement encipher_only "
            "decipher_only"
        ),
    )
    return x509.KeyUsage(digital_signature=True, **signs, **dict.fromkeys(rest.split(), False))


@dataclass
class Authority:
    """A CA of one organisation, and those it certified, by their unit."""

    msp_id: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    members: dict[str, SigningIdentity] = field(default_factory=dict)

    @cached_property
    def certificate(self) -> x509.Certificate:
        made = certified(f"second ca of {self.msp_id}", "", self.key.public_key(), None)
        return made.sign(self.key, SHA256())

    def member(self, unit: str) -> SigningIdentity:
        if unit not in self.members:
            key = ec.generate_private_key(ec.SECP256R1())
            made = certified(f"a {unit}", unit, key.public_key(), self).sign(self.key, SHA256())
            pem = made.public_bytes(Encoding.PEM)
            self.members[unit] = SigningIdentity(self.msp_id, pem, P256Signer(key))
        return self.members[unit]

    def revoked(self, *members: SigningIdentity) -> bytes:
        """A revocation list with these on it."""
        day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        made = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        made = made.last_update(day).next_update(day + datetime.timedelta(days=36_500))
        made = made.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
            critical=False,
        ).add_extension(x509.CRLNumber(1), critical=False)
        for member in members:
            one = x509.RevokedCertificateBuilder().serial_number(member.identity.x509.serial_number)
            made = made.add_revoked_certificate(one.revocation_date(day).build())
        return made.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


class Collusion:
    """A golden ledger that keys of ours rule too; `folder` holds it, `blocks` as it stands."""

    def __init__(self, golden: Path, folder: Path) -> None:
        self.authorities = {name: Authority(name) for name in ORGANIZATIONS}
        self.outcast = self.authorities["DSOMSP"].member("client")  # on the revocation list
        self._revoked = self.authorities["DSOMSP"].revoked(self.outcast)
        self.authorities["DSOMSP"].members.clear()
        self.folder = folder
        raws = [path.read_bytes() for path in sorted((golden / "blocks").iterdir())]
        self.blocks = [Block.FromString(raw) for raw in raws]
        self._genesis()
        previous = b""
        for block in self.blocks:
            self.link(block, previous)
            previous = wire_block.header_hash(block.header)
        self.note(self.blocks)
        self._write(golden)

    def _write(self, golden: Path) -> None:
        (self.folder / "blocks").mkdir(parents=True)
        for block in self.blocks:
            path = self.folder / "blocks" / f"{block.header.number:08}"
            path.write_bytes(block.SerializeToString(deterministic=True))
        genesis = self.blocks[0].SerializeToString(deterministic=True)
        (self.folder / "genesis.block").write_bytes(genesis)
        os.symlink(golden / "private", self.folder / "private")

    def _genesis(self) -> None:
        block = self.blocks[0]
        envelope = Envelope.FromString(block.data.data[0])
        payload = Payload.FromString(envelope.payload)
        config = ConfigEnvelope.FromString(payload.data)
        root = config.config.channel_group
        for group in ("Orderer", "Application"):
            for organization in root.groups[group].groups.values():
                self._trust(organization)
        self._consenters(root.groups["Orderer"])
        payload.data = config.SerializeToString(deterministic=True)
        envelope.payload = payload.SerializeToString(deterministic=True)
        block.data.data[0] = envelope.SerializeToString(deterministic=True)

    def _trust(self, organization: ConfigGroup) -> None:
        message = MSPConfig.FromString(organization.values["MSP"].value)
        config = FabricMSPConfig.FromString(message.config)
        authority = self.authorities[config.name]
        config.root_certs.append(authority.certificate.public_bytes(Encoding.PEM))
        if config.name == "DSOMSP":
            config.revocation_list.append(self._revoked)
        message.config = config.SerializeToString(deterministic=True)
        organization.values["MSP"].value = message.SerializeToString(deterministic=True)

    def _consenters(self, group: ConfigGroup) -> None:
        known = Orderers.FromString(group.values["Orderers"].value)
        for each in known.consenter_mapping:
            each.identity = self.authorities[each.msp_id].member("orderer").certificate
        group.values["Orderers"].value = known.SerializeToString(deterministic=True)
        policy = group.policies["BlockValidation"].policy
        rule = SignaturePolicyEnvelope.FromString(policy.value)
        for principal, each in zip(rule.identities, known.consenter_mapping, strict=True):
            principal.principal = self.authorities[each.msp_id].member("orderer").creator
        policy.value = rule.SerializeToString(deterministic=True)
        self.consenters = {each.id: each.msp_id for each in known.consenter_mapping}

    def link(self, block: Block, previous: bytes, data_hash: bytes | None = None) -> None:
        """Hash the block's data, name its predecessor, have a quorum of orderers sign it."""
        block.header.previous_hash = previous
        block.header.data_hash = data_hash or wire_block.data_hash(block.data)
        if block.header.number:
            self.sign(block, sorted(self.consenters)[:3])

    def sign(self, block: Block, consenters: Iterable[int], unit: str = "orderer") -> None:
        signed = Metadata.FromString(block.metadata.metadata[wire_block.SIGNATURES])
        del signed.signatures[:]
        for number in consenters:
            header = IdentifierHeader(identifier=number, nonce=os.urandom(24)).SerializeToString()
            member = self.authorities[self.consenters[number]].member(unit)
            message = wire_block.signed_message(signed.value, header, block.header)
            signed.signatures.append(
                MetadataSignature(identifier_header=header, signature=member.sign(message))
            )
        block.metadata.metadata[wire_block.SIGNATURES] = signed.SerializeToString()

    def note(self, blocks: Sequence[Block], before: Sequence[Block] = ()) -> None:
        """Flags and commit hashes as a peer that follows the rules would note them."""
        ledger = Ledger(ChannelConfig.from_block(self.blocks[0]))
        for block in before:
            ledger.follow(block)
        for block in blocks:
            flags = bytes(each.code for each in ledger.judge(block))
            block.metadata.metadata[wire_block.TRANSACTIONS_FILTER] = flags
            if block.header.number:
                noted = Metadata(value=ledger.commit_hash).SerializeToString()
                block.metadata.metadata[wire_block.COMMIT_HASH] = noted

    def copy(self, number: int) -> Block:
        """A block to change."""
        found = Block()
        found.CopyFrom(self.blocks[number])
        return found

    def relinked(self, block: Block) -> Block:
        """The same in its place: hashed, signed and noted."""
        number = block.header.number
        self.link(block, wire_block.header_hash(self.blocks[number - 1].header))
        self.note([block], self.blocks[:number])
        return block

    def chained(self, number: int, contents: Sequence[Sequence[bytes]]) -> list[Block]:
        """Blocks of these envelopes in the place of `number` and on."""
        made: list[Block] = []
        previous = wire_block.header_hash(self.blocks[number - 1].header)
        for at, envelopes in enumerate(contents):
            block = self.copy(number)
            block.header.number = number + at
            del block.data.data[:]
            block.data.data.extend(envelopes)
            self.link(block, previous)
            previous = wire_block.header_hash(block.header)
            made.append(block)
        self.note(made, self.blocks[:number])
        return made

    def namespaces(self, number: int, position: int = 0) -> tuple[Namespace, ...]:
        """What a transaction of the ledger wrote and read."""
        return rwset.decode(parse_envelope(self.blocks[number].data.data[position]).results)

    def transaction(
        self,
        namespaces: Sequence[Namespace] | Callable[[str], Sequence[Namespace]],
        endorsers: Sequence[SigningIdentity],
        client: SigningIdentity,
        chaincode: str = "metering-DistrictA",
        event: str = "",
    ) -> bytes:
        """An envelope that does this, proposed, endorsed and signed as it should be."""
        proposal = build_proposal(client.creator, "ped", chaincode, [b"SubmitReadings"])
        parts = parse_proposal(proposal.proposal_bytes)
        identifier = proposal.transaction_id
        found = namespaces(identifier) if callable(namespaces) else namespaces
        told = ChaincodeEvent(chaincode_id=chaincode, tx_id=identifier, event_name=event)
        action = ChaincodeAction(
            results=rwset.encode(found),
            events=told.SerializeToString() if event else b"",
            response=Response(status=200),
            chaincode_id=ChaincodeID(name=chaincode, version="1"),
        )
        payload = ProposalResponsePayload(
            proposal_hash=proposal_hash(parts.header_bytes, parts.payload_bytes),
            extension=action.SerializeToString(deterministic=True),
        ).SerializeToString(deterministic=True)
        answers = [
            ProposalResponse(
                response=Response(status=200),
                payload=payload,
                endorsement=Endorsement(
                    endorser=each.creator, signature=each.sign(payload + each.creator)
                ),
            )
            for each in endorsers
        ]
        envelope = assemble(proposal.proposal_bytes, answers)
        envelope.signature = client.sign(envelope.payload)
        return envelope.SerializeToString(deterministic=True)

    def peers(self, *organizations: str) -> list[SigningIdentity]:
        return [self.authorities[f"{name}MSP"].member("peer") for name in organizations]

    def client(self, organization: str) -> SigningIdentity:
        return self.authorities[f"{organization}MSP"].member("client")


def only(namespaces: Iterable[Namespace], name: str) -> tuple[Namespace, ...]:
    """What was done to one namespace, with nothing read that a later transaction may not."""
    return tuple(
        replace(each, reads=(), range_queries=()) for each in namespaces if each.name == name
    )
