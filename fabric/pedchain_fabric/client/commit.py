# SPDX-License-Identifier: Apache-2.0
"""Asking what became of a transaction."""

from dataclasses import dataclass

from fabric_protos.gateway.gateway_pb2 import CommitStatusRequest, SignedCommitStatusRequest
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.client.session import Session, Signable
from pedchain_fabric.wire.messages import parse


@dataclass(frozen=True, slots=True)
class Status:
    """What the gateway's peer made of a transaction. `code` is the validation code by name."""

    transaction_id: str
    code: str
    block_number: int

    @property
    def successful(self) -> bool:
        """Whether its writes took effect."""
        return self.code == "VALID"


class Commit(Signable):
    """A request for a transaction's status. May be asked as often as needed, also by id alone."""

    @classmethod
    def of(cls, session: Session, channel: str, transaction_id: str) -> "Commit":
        """The request about `transaction_id`, not yet signed."""
        request = CommitStatusRequest(
            transaction_id=transaction_id, channel_id=channel, identity=session.creator
        )
        return cls(session, request.SerializeToString())

    @classmethod
    def from_bytes(cls, session: Session, data: bytes, signature: bytes = b"") -> "Commit":
        """What `bytes` gave, with a signature made elsewhere. Raises `WireError`."""
        message = parse(SignedCommitStatusRequest, data)
        parse(CommitStatusRequest, message.request)
        return cls(session, message.request, signature or message.signature)

    @property
    def transaction_id(self) -> str:
        """The transaction asked about."""
        return parse(CommitStatusRequest, self.message).transaction_id

    async def status(self, *, deadline: float | None = None) -> Status:
        """Wait until the transaction is in a block of the gateway's peer, and say how it fared.

        Returns at once if it is. Raises `CommitStatusError` if the answer did not come (within
        `deadline` seconds, or the default): ask again.
        """
        self.sign()
        seconds = self._session.deadlines.commit_status if deadline is None else deadline
        identifier = self.transaction_id
        answer = await self._session.rpc.commit_status(self._request(), identifier, seconds)
        return Status(identifier, _code_name(answer.result), answer.block_number)

    def _request(self) -> SignedCommitStatusRequest:
        return SignedCommitStatusRequest(request=self.message, signature=self._signature)

    # Last, because the class's own annotations mean the builtin.
    @property
    def bytes(self) -> bytes:
        """It all, to be stored or signed elsewhere (`gateway.SignedCommitStatusRequest`)."""
        return self._request().SerializeToString()


def _code_name(code: int) -> str:
    known = TxValidationCode.DESCRIPTOR.values_by_number.get(code)
    return known.name if known else f"UNKNOWN_{code}"
