# SPDX-License-Identifier: Apache-2.0
"""Chaincode events: what contracts announce in valid transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest as RequestMessage,
)
from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsResponse,
    SignedChaincodeEventsRequest,
)
from fabric_protos.orderer.ab_pb2 import SeekNextCommit, SeekPosition, SeekSpecified

from pedchain_fabric.client.checkpoint import Checkpoint
from pedchain_fabric.client.rpc import Rpc
from pedchain_fabric.client.session import Session, Signable
from pedchain_fabric.client.stream import Responses, Stream
from pedchain_fabric.wire.messages import parse

NOTHING_DONE: Final = (0, "")


@dataclass(frozen=True, slots=True)
class ChaincodeEvent:
    """An event of a valid transaction. A hint: read the ledger before acting on it."""

    block_number: int
    transaction_id: str
    chaincode: str
    name: str
    payload: bytes


ChaincodeEvents = Stream[ChaincodeEventsResponse, ChaincodeEvent]


def position(start_block: int | None, checkpoint: Checkpoint | None) -> SeekPosition:
    """Where to begin: at the checkpoint if it knows anything, at `start_block` if given, else
    with the next block committed."""
    if checkpoint is not None and _place(checkpoint) != NOTHING_DONE:
        return SeekPosition(specified=SeekSpecified(number=checkpoint.block_number))
    if start_block is not None:
        return SeekPosition(specified=SeekSpecified(number=start_block))
    return SeekPosition(next_commit=SeekNextCommit())


class ChaincodeEventsRequest(Signable):
    """A request for the events of one chaincode."""

    def __init__(
        self,
        session: Session,
        message: bytes,
        signature: bytes = b"",
        done: tuple[int, str] = NOTHING_DONE,
    ) -> None:
        super().__init__(session, message, signature)
        self._done = done

    @classmethod
    def of(
        cls,
        session: Session,
        channel: str,
        chaincode: str,
        start_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> "ChaincodeEventsRequest":
        """The request, not yet signed."""
        request = RequestMessage(
            channel_id=channel,
            chaincode_id=chaincode,
            identity=session.creator,
            start_position=position(start_block, checkpoint),
        )
        done = _place(checkpoint) if checkpoint is not None else NOTHING_DONE
        return cls(session, request.SerializeToString(), done=done)

    @classmethod
    def from_bytes(
        cls, session: Session, data: bytes, signature: bytes = b""
    ) -> "ChaincodeEventsRequest":
        """What `bytes` gave, with a signature made elsewhere. Raises `WireError`.

        A checkpoint's transaction does not travel along: its block is given again from its
        first event.
        """
        message = parse(SignedChaincodeEventsRequest, data)
        parse(RequestMessage, message.request)
        return cls(session, message.request, signature or message.signature)

    def events(self) -> ChaincodeEvents:
        """The events, in the ledger's order, without end.

        Opened by `async with` or by the first step. Raises `GatewayError` when the stream
        breaks: begin again from a checkpoint.
        """
        rpc: Rpc = self._session.rpc

        async def start() -> Responses[ChaincodeEventsResponse]:
            self.sign()
            return await rpc.chaincode_events(
                SignedChaincodeEventsRequest(request=self.message, signature=self._signature)
            )

        return Stream(start, self._unpack)

    def _unpack(self, response: ChaincodeEventsResponse) -> Sequence[ChaincodeEvent]:
        events = [
            ChaincodeEvent(
                response.block_number, each.tx_id, each.chaincode_id, each.event_name, each.payload
            )
            for each in response.events
        ]
        return after(events, *self._done)

    # Last, because the class's own annotations mean the builtin.
    @property
    def bytes(self) -> bytes:
        """It all, to be signed elsewhere (`gateway.SignedChaincodeEventsRequest`)."""
        return SignedChaincodeEventsRequest(
            request=self.message, signature=self._signature
        ).SerializeToString()


def after(
    events: Sequence[ChaincodeEvent], block_number: int, transaction_id: str
) -> Sequence[ChaincodeEvent]:
    """A block's events without those up to the transaction that was done.

    Done here and not by the peer: asked to go on after a transaction in which no chaincode
    raised an event, or which it does not know, a peer withholds all events for ever (Fabric
    internal/pkg/gateway/chaincodeevents.go). Here the block is then given again in full: at
    least once, never lost.
    """
    done = [
        index
        for index, each in enumerate(events)
        if each.block_number == block_number and each.transaction_id == transaction_id
    ]
    return events[done[-1] + 1 :] if done else events


def _place(checkpoint: Checkpoint) -> tuple[int, str]:
    return checkpoint.block_number, checkpoint.transaction_id
