# SPDX-License-Identifier: Apache-2.0
"""An endorsed transaction, ready to be ordered."""

from functools import cached_property

from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.gateway.gateway_pb2 import PreparedTransaction, SubmitRequest

from pedchain_fabric.client.commit import Commit
from pedchain_fabric.client.session import Session, Signable
from pedchain_fabric.errors import SubmitError
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.transaction import TransactionParts, parse_envelope


class Transaction(Signable):
    """What the endorsers agreed on. Nothing is on the ledger before `submit`."""

    @classmethod
    def of(cls, session: Session, envelope: Envelope) -> "Transaction":
        """The transaction in a prepared envelope. Raises `WireError` if it is none."""
        parse_envelope(envelope.SerializeToString())
        return cls(session, envelope.payload, envelope.signature)

    @classmethod
    def from_bytes(cls, session: Session, data: bytes, signature: bytes = b"") -> "Transaction":
        """What `bytes` gave, with a signature made elsewhere. Raises `WireError`."""
        envelope = parse(PreparedTransaction, data).envelope
        if signature:
            envelope.signature = signature
        return cls.of(session, envelope)

    @cached_property
    def parts(self) -> TransactionParts:
        """It all, taken apart: endorsements, read-write set, event."""
        return parse_envelope(self._envelope().SerializeToString())

    @property
    def result(self) -> bytes:
        """What the chaincode returned to the endorsers."""
        return self.parts.response.payload

    @property
    def transaction_id(self) -> str:
        """Its id: what to keep if `submit` leaves the outcome unknown."""
        return self.parts.transaction_id

    @cached_property
    def commit(self) -> Commit:
        """The request for its status, usable before, after and without `submit`."""
        return Commit.of(self._session, self.parts.channel_id, self.transaction_id)

    async def submit(self, *, deadline: float | None = None) -> Commit:
        """Hand it to the orderers; it is not committed yet: ask the `Commit` returned.

        The commit request is made and, where there is a key, signed first, so that nothing can
        go wrong between ordering and asking. Raises `SubmitError`: the outcome is unknown, ask
        `commit` before anything else. A refusal by orderers who have ordered it already is none:
        what became of it is the `Commit`'s to say.
        """
        self.sign()
        if self._session.can_sign:
            self.commit.sign()
        seconds = self._session.deadlines.submit if deadline is None else deadline
        request = SubmitRequest(
            transaction_id=self.transaction_id,
            channel_id=self.parts.channel_id,
            prepared_transaction=self._envelope(),
        )
        try:
            await self._session.rpc.submit(request, seconds)
        except SubmitError as error:
            if not error.was_ordered:
                raise
        return self.commit

    def _envelope(self) -> Envelope:
        return Envelope(payload=self.message, signature=self._signature)

    # Last, because the class's own annotations mean the builtin.
    @property
    def bytes(self) -> bytes:
        """It all, to be stored or signed elsewhere (`gateway.PreparedTransaction`)."""
        return PreparedTransaction(
            transaction_id=self.transaction_id, envelope=self._envelope()
        ).SerializeToString()
