# SPDX-License-Identifier: Apache-2.0
"""System chaincodes: part of the peer, called like chaincode."""

from dataclasses import dataclass
from typing import Protocol

from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.embedded.chaincode.context import Transaction
from pedchain_fabric.wire.block import SignedData

NAMES = frozenset({"_lifecycle", "cscc", "lscc", "qscc"})
VERSION = "syscc"
"""What a transaction's action names as their version (core/scc/scc.go)."""


@dataclass(frozen=True, slots=True)
class SystemCall:
    """One call: the transaction it belongs to, and its arguments (the function's name first)."""

    transaction: Transaction
    args: tuple[bytes, ...]

    @property
    def function(self) -> str:
        """The function's name, as text."""
        return self.args[0].decode("utf-8", "replace")

    @property
    def signed(self) -> SignedData:
        """Who asked, for access checks."""
        proposal = self.transaction.proposal
        return SignedData(proposal.creator, proposal.proposal_bytes, proposal.signature)


class SystemChaincode(Protocol):
    """Answers calls. It never raises for what the caller did wrong: that is a response."""

    async def invoke(self, call: SystemCall) -> Response:
        """The response, status 200 or an error."""
        ...


def success(payload: bytes = b"") -> Response:
    """As shim.Success."""
    return Response(status=200, payload=payload)


def failure(message: str, status: int = 500) -> Response:
    """As shim.Error."""
    return Response(status=status, message=message)
