# SPDX-License-Identifier: Apache-2.0
"""A consortium on one ledger: simulates, endorses, orders and commits, all signatures real."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fabric_protos.common.common_pb2 import (
    Block,
    BlockData,
    BlockHeader,
    BlockMetadata,
    Envelope,
    IdentifierHeader,
    LastConfig,
    Metadata,
    MetadataSignature,
    OrdererBlockMetadata,
)
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)
from fabric_protos.peer.lifecycle.chaincode_definition_pb2 import (
    ChaincodeEndorsementInfo,
    ChaincodeValidationInfo,
)
from fabric_protos.peer.lifecycle.db_pb2 import StateData, StateMetadata
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.embedded.ledger import (
    NAMESPACE,
    Ledger,
    SimulationResults,
    Simulator,
    field_key,
    metadata_key,
)
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.proposal import build_proposal, proposal_hash
from pedchain_fabric.wire.transaction import assemble
from tests.unit.fabric.embedded_ledger.channel import CHANNEL, genesis
from tests.unit.fabric.embedded_ledger.organizations import Organization, organization

NAMES = ("DSO", "DistrictA", "DistrictB", "Aggregator")
Work = Callable[[Simulator], None]


def application_policy(text: str) -> bytes:
    """A serialized ApplicationPolicy of a signature policy."""
    return serialize(ApplicationPolicy(signature_policy=policy.parse(text)))


def collection(
    name: str, members: Iterable[str], *, endorsement: str = "", block_to_live: int = 0
) -> StaticCollectionConfig:
    """A collection of these organisations."""
    config = StaticCollectionConfig(
        name=name,
        member_orgs_policy=CollectionPolicyConfig(
            signature_policy=policy.signed_by_any(f"{member}MSP" for member in members)
        ),
        block_to_live=block_to_live,
    )
    if endorsement:
        config.endorsement_policy.signature_policy.CopyFrom(policy.parse(endorsement))
    return config


@dataclass(frozen=True)
class Transaction:
    """An endorsed and signed transaction: its id and its envelope's bytes."""

    id: str
    envelope: bytes


@dataclass
class Consortium:
    """Four organisations and their shared ledger."""

    ledger: Ledger
    organizations: dict[str, Organization] = field(
        default_factory=lambda: {name: organization(name) for name in NAMES}
    )

    @classmethod
    def start(cls, path: Path | None = None) -> "Consortium":
        """A channel with its genesis block."""
        found = cls(Ledger.open(path))
        if not found.ledger.height:
            found.ledger.append_genesis(genesis(list(found.organizations.values())))
        return found

    # Endorsing

    def simulate(self, work: Work, organization: str = "DSO") -> SimulationResults:
        """What `work` reads and writes now, on one organisation's peer."""
        with self.ledger.simulator("tx", f"{organization}MSP") as simulator:
            work(simulator)
            return simulator.finish()

    def endorse(
        self,
        chaincode: str,
        results: SimulationResults | bytes,
        endorsers: Sequence[str | SigningIdentity] = ("DSO", "DistrictA"),
        *,
        creator: SigningIdentity | None = None,
        nonce: bytes | None = None,
        event: bytes = b"",
        version: str = "1",
    ) -> Transaction:
        """A transaction with these results, endorsed by these organisations' peers."""
        who = creator or self.organizations["DistrictA"].client
        proposal = build_proposal(who.creator, CHANNEL, chaincode, [b"f"], nonce=nonce)
        public = results if isinstance(results, bytes) else results.public
        if not isinstance(results, bytes) and results.private is not None:
            self.ledger.transient.put(proposal.transaction_id, results.private)
        message = parse(ProposalMessage, proposal.proposal_bytes)
        found = ChaincodeEvent(chaincode_id=chaincode, event_name="e", payload=event)
        action = ChaincodeAction(
            results=public,
            events=serialize(found) if event else b"",
            response=Response(status=200),
            chaincode_id=ChaincodeID(name=chaincode, version=version),
        )
        payload = ProposalResponsePayload(
            proposal_hash=proposal_hash(message.header, message.payload),
            extension=serialize(action),
        )
        responses = [self._response(serialize(payload), each) for each in endorsers]
        envelope = assemble(proposal.proposal_bytes, responses)
        envelope.signature = who.sign(envelope.payload)
        return Transaction(proposal.transaction_id, serialize(envelope))

    def _response(self, payload: bytes, endorser: str | SigningIdentity) -> ProposalResponse:
        who = self.organizations[endorser].peer if isinstance(endorser, str) else endorser
        signed = Endorsement(endorser=who.creator, signature=who.sign(payload + who.creator))
        return ProposalResponse(response=Response(status=200), payload=payload, endorsement=signed)

    # Ordering

    def block(self, *envelopes: bytes | Transaction, signers: Iterable[str] = NAMES) -> Block:
        """The next block, signed by these organisations' orderers."""
        info = self.ledger.chain_info()
        raw = [each.envelope if isinstance(each, Transaction) else each for each in envelopes]
        data = BlockData(data=raw)
        header = BlockHeader(
            number=info.height,
            previous_hash=info.current_hash,
            data_hash=wire_block.data_hash(data),
        )
        block = Block(header=header, data=data, metadata=BlockMetadata(metadata=[b""] * 5))
        last = LastConfig(index=self.ledger.config_block)
        value = serialize(OrdererBlockMetadata(last_config=last))
        signatures = [self._sign(value, header, each) for each in signers]
        signed = Metadata(value=value, signatures=signatures)
        block.metadata.metadata[wire_block.SIGNATURES] = serialize(signed)
        return block

    def _sign(self, value: bytes, header: BlockHeader, name: str) -> MetadataSignature:
        identifier = serialize(IdentifierHeader(identifier=NAMES.index(name) + 1))
        message = wire_block.signed_message(value, identifier, header)
        signature = self.organizations[name].orderer.sign(message)
        return MetadataSignature(identifier_header=identifier, signature=signature)

    def commit(self, *envelopes: bytes | Transaction | Envelope) -> list[str]:
        """Commit these as one block; the codes by name."""
        raw = [serialize(each) if isinstance(each, Envelope) else each for each in envelopes]
        outcome = self.ledger.commit(self.block(*raw))
        return [TxValidationCode.Name(TxValidationCode.ValueType(code)) for code in outcome.codes]

    def submit(
        self,
        chaincode: str,
        work: Work,
        endorsers: Sequence[str | SigningIdentity] = ("DSO", "DistrictA"),
    ) -> str:
        """Simulate, endorse and commit alone; the code by name."""
        organization = next((each for each in endorsers if isinstance(each, str)), "DSO")
        results = self.simulate(work, organization)
        return self.commit(self.endorse(chaincode, results, endorsers))[0]

    def define(
        self,
        name: str,
        rule: str,
        collections: Sequence[StaticCollectionConfig] = (),
        *,
        sequence: int = 1,
    ) -> None:
        """Commit a chaincode definition, written in Fabric's layout by all organisations."""
        package = CollectionConfigPackage(
            config=[CollectionConfig(static_collection_config=each) for each in collections]
        )
        endorsement = ChaincodeEndorsementInfo(version="1", endorsement_plugin="escc")
        validation = ChaincodeValidationInfo(
            validation_plugin="vscc", validation_parameter=application_policy(rule)
        )
        fields = {
            "Sequence": StateData(Int64=sequence),
            "EndorsementInfo": StateData(Bytes=serialize(endorsement)),
            "ValidationInfo": StateData(Bytes=serialize(validation)),
            "Collections": StateData(Bytes=serialize(package)),
        }
        metadata = StateMetadata(datatype="ChaincodeDefinition", fields=list(fields))

        def work(simulator: Simulator) -> None:
            simulator.put_state(NAMESPACE, metadata_key("namespaces", name), serialize(metadata))
            for each, data in fields.items():
                key = field_key("namespaces", name, each)
                simulator.put_state(NAMESPACE, key, serialize(data))

        code = self.submit(NAMESPACE, work, NAMES)
        assert code == "VALID", code

    # Reading

    def get(self, namespace: str, key: str) -> bytes | None:
        """A public value now."""
        with self.ledger.simulator("query", "DSOMSP") as simulator:
            return simulator.get_state(namespace, key)

    def get_private(self, namespace: str, name: str, key: str, member: str) -> bytes | None:
        """A private value now, as one organisation sees it."""
        with self.ledger.simulator("query", f"{member}MSP") as simulator:
            return simulator.get_private(namespace, name, key)


def put(namespace: str, key: str, value: bytes = b"1") -> Work:
    """Work that writes one public key."""
    return lambda simulator: simulator.put_state(namespace, key, value)
