# SPDX-License-Identifier: Apache-2.0
"""A proposed transaction: evaluated for its answer, or endorsed to become a transaction."""

from collections.abc import Sequence

from fabric_protos.gateway.gateway_pb2 import (
    EndorseRequest,
    EvaluateRequest,
    ProposedTransaction,
)
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage
from fabric_protos.peer.proposal_pb2 import SignedProposal

from pedchain_fabric.client.session import Session, Signable
from pedchain_fabric.client.transaction import Transaction
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.proposal import (
    ProposalParts,
    parse_proposal,
    proposal_hash,
)


class Proposal(Signable):
    """A call of a chaincode's function, not yet executed."""

    def __init__(
        self,
        session: Session,
        message: bytes,
        signature: bytes = b"",
        endorsing_organizations: Sequence[str] = (),
    ) -> None:
        super().__init__(session, message, signature)
        self._organizations = tuple(endorsing_organizations)
        self._parts = parse_proposal(message)

    @classmethod
    def from_bytes(cls, session: Session, data: bytes, signature: bytes = b"") -> "Proposal":
        """What `bytes` gave, with a signature made elsewhere. Raises `WireError`."""
        message = parse(ProposedTransaction, data)
        signed = message.proposal
        return cls(
            session,
            signed.proposal_bytes,
            signature or signed.signature,
            message.endorsing_organizations,
        )

    @property
    def parts(self) -> ProposalParts:
        """It all, taken apart, but for the signature."""
        return self._parts

    @property
    def transaction_id(self) -> str:
        """The id the transaction will have."""
        return self._parts.transaction_id

    async def evaluate(self, *, deadline: float | None = None) -> bytes:
        """Execute it on one peer and return the answer; nothing is written.

        Raises `GatewayError`: code UNKNOWN carries the contract's refusal.
        """
        self.sign()
        seconds = self._session.deadlines.evaluate if deadline is None else deadline
        request = EvaluateRequest(
            transaction_id=self.transaction_id,
            channel_id=self._parts.channel_id,
            proposed_transaction=self._signed(),
            target_organizations=self._organizations,
        )
        return (await self._session.rpc.evaluate(request, seconds)).result.payload

    async def endorse(self, *, deadline: float | None = None) -> Transaction:
        """Have it executed by as many organisations as its policies ask for.

        Raises `EndorseError` (its details hold the contract's refusal), `EndorsementMismatch`,
        or `WireError` if the gateway made another transaction out of it.
        """
        self.sign()
        seconds = self._session.deadlines.endorse if deadline is None else deadline
        request = EndorseRequest(
            transaction_id=self.transaction_id,
            channel_id=self._parts.channel_id,
            proposed_transaction=self._signed(),
            endorsing_organizations=self._organizations,
        )
        answer = await self._session.rpc.endorse(request, seconds)
        transaction = Transaction.of(self._session, answer.prepared_transaction)
        self._check_same(transaction)
        return transaction

    def _check_same(self, transaction: Transaction) -> None:
        """We are about to sign what the gateway assembled: it must be what we proposed."""
        proposal = parse(ProposalMessage, self.message)
        body = transaction.parts.body
        expected = proposal_hash(proposal.header, proposal.payload)
        if body is None or body.proposal_hash != expected:
            raise WireError("the gateway prepared another transaction than the one proposed")

    def _signed(self) -> SignedProposal:
        return SignedProposal(proposal_bytes=self.message, signature=self._signature)

    # Last, because the class's own annotations mean the builtin.
    @property
    def bytes(self) -> bytes:
        """It all, to be stored or signed elsewhere (`gateway.ProposedTransaction`)."""
        return ProposedTransaction(
            transaction_id=self.transaction_id,
            proposal=self._signed(),
            endorsing_organizations=self._organizations,
        ).SerializeToString()
