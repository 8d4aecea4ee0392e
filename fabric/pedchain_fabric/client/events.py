# SPDX-License-Identifier: Apache-2.0
"""Chaincode events: what contracts announce in valid transactions."""

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest as RequestMessage,
)
from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsResponse,
    SignedChaincodeEventsRequest,
)

from pedchain_fabric.client.checkpoint import Checkpoint
from pedchain_fabric.client.place import NOTHING_DONE, Place, check, place_of, position
from pedchain_fabric.client.rpc import Rpc
from pedchain_fabric.client.session import Session, Signable
from pedchain_fabric.client.stream import Responses, Stream
from pedchain_fabric.wire.messages import parse


@dataclass(frozen=True, slots=True)
class ChaincodeEvent:
    """An event of a valid transaction. A hint: read the ledger before acting on it."""

    block_number: int
    transaction_id: str
    chaincode: str
    name: str
    payload: bytes


ChaincodeEvents = Stream[ChaincodeEventsResponse, ChaincodeEvent]


class ChaincodeEventsRequest(Signable):
    """A request for the events of one chaincode."""

    def __init__(
        self,
        session: Session,
        message: bytes,
        signature: bytes = b"",
        done: Place = NOTHING_DONE,
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
        done = place_of(checkpoint)
        request = RequestMessage(
            channel_id=channel,
            chaincode_id=chaincode,
            identity=session.creator,
            start_position=position(start_block, done),
        )
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
        breaks: begin again from a checkpoint; `CheckpointError` if that is of another ledger.
        """
        rpc: Rpc = self._session.rpc

        async def start() -> Responses[ChaincodeEventsResponse]:
            await check(self._session, self._channel, self._done)
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

    @property
    def _channel(self) -> str:
        return parse(RequestMessage, self.message).channel_id

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
