# SPDX-License-Identifier: Apache-2.0
"""Block events: whole blocks, filtered ones, or with the private data we may see.

Blocks come with invalid and config transactions; which are valid says the metadata slot
TRANSACTIONS_FILTER (`wire.block.validation_codes`), that peer's own notes.
"""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from fabric_protos.common.common_pb2 import (
    DELIVER_SEEK_INFO,
    SUCCESS,
    Block,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
    Status,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekPosition, SeekSpecified
from fabric_protos.peer.events_pb2 import BlockAndPrivateData, DeliverResponse, FilteredBlock
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from pedchain_fabric.client.checkpoint import Checkpoint
from pedchain_fabric.client.limits import BLOCK_NUMBER_MAX
from pedchain_fabric.client.place import NOTHING_DONE, Place, check, place_of, position
from pedchain_fabric.client.session import Session, Signable
from pedchain_fabric.client.stream import Responses, Stream
from pedchain_fabric.errors import GatewayError, WireError
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.proposal import new_nonce

B = TypeVar("B", bound=Message)


class Kind(Generic[B]):
    """A delivery method, and the part of its response that holds the block."""

    def __init__(self, method: str, name: str, pick: Callable[[DeliverResponse], B]) -> None:
        self.method = method
        self._name = name
        self._pick = pick

    def unpack(self, response: DeliverResponse) -> Sequence[B] | None:
        """The block; None once the last one asked for has come. Raises `GatewayError`."""
        found = response.WhichOneof("Type")
        if found == self._name:
            return [self._pick(response)]
        if found == "status" and response.status == SUCCESS:
            return None
        if found == "status":
            known = Status.DESCRIPTOR.values_by_number.get(response.status)
            code = known.name if known else str(response.status)
            raise GatewayError(code, f"{self.method} was refused")
        raise WireError(f"{self.method} answered with {found}")


BLOCK: Final = Kind[Block]("Deliver", "block", lambda response: response.block)
FILTERED: Final = Kind[FilteredBlock](
    "DeliverFiltered", "filtered_block", lambda response: response.filtered_block
)
WITH_PRIVATE_DATA: Final = Kind[BlockAndPrivateData](
    "DeliverWithPrivateData",
    "block_and_private_data",
    lambda response: response.block_and_private_data,
)


class BlockEventsRequest(Signable, Generic[B]):
    """A request for blocks of one kind: a signed seek."""

    def __init__(
        self,
        session: Session,
        kind: Kind[B],
        message: bytes,
        signature: bytes = b"",
        done: Place = NOTHING_DONE,
    ) -> None:
        super().__init__(session, message, signature)
        self._kind = kind
        self._done = done

    @classmethod
    def of(
        cls,
        session: Session,
        kind: Kind[B],
        channel: str,
        start_block: int | None = None,
        stop_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> "BlockEventsRequest[B]":
        """The request, not yet signed. Without `stop_block` the stream has no end."""
        done = place_of(checkpoint)
        stop = BLOCK_NUMBER_MAX if stop_block is None else stop_block
        seek = SeekInfo(
            start=position(start_block, done),
            stop=SeekPosition(specified=SeekSpecified(number=stop)),
            behavior=SeekInfo.BLOCK_UNTIL_READY,
        )
        now = Timestamp()
        now.GetCurrentTime()
        channel_header = ChannelHeader(
            type=DELIVER_SEEK_INFO,
            timestamp=now,
            channel_id=channel,
            tls_cert_hash=session.tls_certificate_hash,
        )
        signature_header = SignatureHeader(creator=session.creator, nonce=new_nonce())
        header = Header(
            channel_header=channel_header.SerializeToString(),
            signature_header=signature_header.SerializeToString(),
        )
        payload = Payload(header=header, data=seek.SerializeToString())
        return cls(session, kind, payload.SerializeToString(), done=done)

    @classmethod
    def from_bytes(
        cls, session: Session, kind: Kind[B], data: bytes, signature: bytes = b""
    ) -> "BlockEventsRequest[B]":
        """What `bytes` gave, with a signature made elsewhere. Raises `WireError`."""
        envelope = parse(Envelope, data)
        parse(SeekInfo, parse(Payload, envelope.payload).data)
        return cls(session, kind, envelope.payload, signature or envelope.signature)

    def events(self) -> Stream[DeliverResponse, B]:
        """The blocks, ascending, none skipped.

        Opened by `async with` or by the first step. Raises `GatewayError` when the stream
        breaks or is refused (FORBIDDEN, NOT_FOUND, ...): begin again from a checkpoint;
        `CheckpointError` if that is of another ledger.
        """

        async def start() -> Responses[DeliverResponse]:
            await check(self._session, self._channel, self._done)
            self.sign()
            envelope = Envelope(payload=self.message, signature=self._signature)
            return await self._session.rpc.deliver(self._kind.method, envelope)

        return Stream(start, self._kind.unpack)

    @property
    def _channel(self) -> str:
        header = parse(Payload, self.message).header.channel_header
        return parse(ChannelHeader, header).channel_id

    # Last, because the class's own annotations mean the builtin.
    @property
    def bytes(self) -> bytes:
        """It all, to be signed elsewhere (`common.Envelope`)."""
        return Envelope(payload=self.message, signature=self._signature).SerializeToString()
