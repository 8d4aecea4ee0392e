# SPDX-License-Identifier: Apache-2.0
"""Asking one peer directly: its system chaincodes, or one contract's answer on that peer.

A proposal is simulated and answered, nothing is ordered. Used where the gateway cannot be: before
a peer is on the channel, and when the question is what this very peer says.
"""

import grpc
import grpc.aio
from fabric_protos.peer.peer_pb2_grpc import EndorserStub
from fabric_protos.peer.proposal_pb2 import SignedProposal

from pedchain_fabric.admin.limits import CALL_TIMEOUT_S
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.proposal import build_proposal

_OK = 200
_ERROR = 400


class Endorser:
    """One peer, asked under one identity. The gRPC channel stays its owner's."""

    def __init__(self, identity: SigningIdentity, channel: grpc.aio.Channel) -> None:
        self.identity = identity
        self._process = EndorserStub(channel).ProcessProposal

    async def query(
        self,
        chaincode: str,
        function: str,
        *args: bytes,
        channel: str = "",
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> bytes:
        """The answer's payload. No `channel` means the peer itself (`cscc`, installs).

        Raises `AdminError` with Fabric's response status, or with the gRPC status by name if the
        peer could not be asked at all.
        """
        call = [function.encode(), *args]
        proposal = build_proposal(self.identity.creator, channel, chaincode, call)
        signed = SignedProposal(
            proposal_bytes=proposal.proposal_bytes,
            signature=self.identity.sign(proposal.proposal_bytes),
        )
        try:
            answer = await self._process(signed, timeout=timeout_s, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            text = f"{chaincode} {function}: {error.details()}"
            raise AdminError(error.code().name, text) from error
        response = answer.response
        if not _OK <= response.status < _ERROR:
            raise AdminError(response.status, f"{chaincode} {function}: {response.message}")
        return response.payload
