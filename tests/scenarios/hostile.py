# SPDX-License-Identifier: Apache-2.0
"""Transactions as a dishonest organisation would make them: endorsed by whom it likes.

The gateway's plan is bypassed: proposals go to chosen peers one by one, an endorsement can be
forged with an organisation's real peer key over another peer's result, and the envelope goes to
the orderers as it is. Only raw protocol messages are used, the same on every runtime.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from fabric_protos.common.common_pb2 import Envelope, Status
from fabric_protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    SignedCommitStatusRequest,
)
from fabric_protos.gateway.gateway_pb2_grpc import GatewayStub
from fabric_protos.orderer.ab_pb2_grpc import AtomicBroadcastStub
from fabric_protos.peer.peer_pb2_grpc import EndorserStub
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Endorsement, ProposalResponse
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import load_signer
from pedchain_fabric.wire.proposal import Proposal, build_proposal
from pedchain_fabric.wire.transaction import assemble
from tests.scenarios.harness import Network


@dataclass(slots=True)
class Attack:
    """One transaction in the making."""

    proposal: Proposal
    responses: list[ProposalResponse] = field(default_factory=list)

    @property
    def transaction_id(self) -> str:
        """Its id."""
        return self.proposal.transaction_id


class Hostile:
    """Acts for any organisation of a network under test; an async context manager."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._profiles: dict[str, dict[str, Any]] = {
            name: json.loads(path.read_text()) for name, path in network.profiles.items()
        }
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for channel in self._channels.values():
            await channel.close()

    def client(self, organization: str) -> SigningIdentity:
        """The organisation's gateway identity."""
        profile = self._profiles[organization]
        user = profile["users"]["gateway"]
        base = self.network.profile(organization).parent
        return identity(profile["msp_id"], base / user["certificate"], base / user["key"])

    def peer_identity(self, organization: str) -> SigningIdentity:
        """The key that the organisation's peer endorses with."""
        msp = self.network.state / "crypto" / organization / "peer0" / "msp"
        certificate = next((msp / "signcerts").iterdir())
        key = next((msp / "keystore").iterdir())
        return identity(f"{organization}MSP", certificate, key)

    async def endorse(
        self,
        chaincode: str,
        *args: str,
        by: Iterable[str],
        client: str = "DSO",
        transient: Mapping[str, bytes] | None = None,
    ) -> Attack:
        """The named organisations' peers execute the proposal; their answers are kept."""
        signer = self.client(client)
        proposal = build_proposal(
            signer.creator,
            "ped",
            chaincode,
            [argument.encode() for argument in args],
            transient=dict(transient or {}),
        )
        signed = SignedProposal(
            proposal_bytes=proposal.proposal_bytes, signature=signer.sign(proposal.proposal_bytes)
        )
        attack = Attack(proposal)
        for organization in by:
            stub = EndorserStub(self._channel(self._profiles[organization]["peer"], organization))
            response: ProposalResponse = await stub.ProcessProposal(signed)
            assert response.response.status < 400, response.response.message
            attack.responses.append(response)
        return attack

    def forge(self, attack: Attack, organization: str) -> None:
        """The organisation's peer key signs what another peer computed, unseen."""
        signer = self.peer_identity(organization)
        template = attack.responses[0]
        forged = ProposalResponse()
        forged.CopyFrom(template)
        forged.endorsement.CopyFrom(
            Endorsement(
                endorser=signer.creator, signature=signer.sign(template.payload + signer.creator)
            )
        )
        attack.responses.append(forged)

    async def send(self, attack: Attack, *, client: str = "DSO") -> str:
        """Orders the transaction at every orderer; returns its validation code by name."""
        signer = self.client(client)
        envelope = assemble(attack.proposal.proposal_bytes, attack.responses)
        envelope.signature = signer.sign(envelope.payload)
        for orderer in self._profiles["DSO"]["orderers"]:
            await self._broadcast(orderer, envelope)
        return await self.code(attack.transaction_id, client=client)

    async def code(self, transaction_id: str, *, client: str = "DSO") -> str:
        """How the transaction stands in its block, asked of the client's own peer."""
        signer = self.client(client)
        request = CommitStatusRequest(
            transaction_id=transaction_id, channel_id="ped", identity=signer.creator
        ).SerializeToString()
        stub = GatewayStub(self._channel(self._profiles[client]["peer"], client))
        answer = await stub.CommitStatus(
            SignedCommitStatusRequest(request=request, signature=signer.sign(request)), timeout=30
        )
        return TxValidationCode.Name(answer.result)

    async def _broadcast(self, orderer: dict[str, Any], envelope: Envelope) -> None:
        stream = AtomicBroadcastStub(self._channel(orderer, "DSO")).Broadcast()
        await stream.write(envelope)
        answer = await stream.read()
        # Ordered already through another orderer: as good as taken (fabric#4415).
        taken = answer.status == Status.SUCCESS or "request already" in answer.info
        assert taken, (answer.status, answer.info)
        await stream.done_writing()

    def _channel(self, node: dict[str, Any], organization: str) -> grpc.aio.Channel:
        address: str = node["address"]
        if address not in self._channels:
            base = self.network.profile(organization).parent
            credentials = grpc.ssl_channel_credentials((base / node["tls_ca"]).read_bytes())
            options = [("grpc.ssl_target_name_override", node["server_name"])]
            self._channels[address] = grpc.aio.secure_channel(address, credentials, options)
        return self._channels[address]


def identity(msp_id: str, certificate: Path, key: Path) -> SigningIdentity:
    """An identity from its files."""
    return SigningIdentity(msp_id, certificate.read_bytes(), load_signer(key.read_bytes()))
