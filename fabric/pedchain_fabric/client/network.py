# SPDX-License-Identifier: Apache-2.0
"""A channel, seen from a gateway."""

from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.events_pb2 import BlockAndPrivateData, DeliverResponse, FilteredBlock

from pedchain_fabric.client import blocks
from pedchain_fabric.client.blocks import BlockEventsRequest
from pedchain_fabric.client.checkpoint import Checkpoint
from pedchain_fabric.client.commit import Commit
from pedchain_fabric.client.contract import Contract
from pedchain_fabric.client.events import ChaincodeEvents, ChaincodeEventsRequest
from pedchain_fabric.client.session import Session
from pedchain_fabric.client.stream import Stream


class Network:
    """A channel: its contracts, its events, what became of its transactions.

    Every kind of events begins with the next block committed, at `start_block`, or where a
    `checkpoint` says (which wins if it knows anything, and is refused with `CheckpointError` if
    it is of another ledger). Open them with `async with` before what you want to hear of.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name

    def contract(self, chaincode: str, name: str | None = None) -> Contract:
        """A contract of a chaincode, its default one without `name`."""
        return Contract(self._session, self.name, chaincode, name)

    def commit(self, transaction_id: str) -> Commit:
        """The request for a transaction's status by its id alone.

        For a `SubmitError` or `CommitStatusError`, and after a restart.
        """
        return Commit.of(self._session, self.name, transaction_id)

    def chaincode_events(
        self,
        chaincode: str,
        *,
        start_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> ChaincodeEvents:
        """The events of a chaincode's valid transactions."""
        return self.new_chaincode_events_request(
            chaincode, start_block=start_block, checkpoint=checkpoint
        ).events()

    def new_chaincode_events_request(
        self,
        chaincode: str,
        *,
        start_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> ChaincodeEventsRequest:
        """The same as a request, to be signed elsewhere."""
        return ChaincodeEventsRequest.of(
            self._session, self.name, chaincode, start_block, checkpoint
        )

    def block_events(
        self,
        *,
        start_block: int | None = None,
        stop_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Stream[DeliverResponse, Block]:
        """Whole blocks. With `stop_block` the stream ends after that one."""
        return BlockEventsRequest.of(
            self._session, blocks.BLOCK, self.name, start_block, stop_block, checkpoint
        ).events()

    def filtered_block_events(
        self,
        *,
        start_block: int | None = None,
        stop_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Stream[DeliverResponse, FilteredBlock]:
        """Transaction ids, validation codes and event names, without payloads."""
        return BlockEventsRequest.of(
            self._session, blocks.FILTERED, self.name, start_block, stop_block, checkpoint
        ).events()

    def block_and_private_data_events(
        self,
        *,
        start_block: int | None = None,
        stop_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Stream[DeliverResponse, BlockAndPrivateData]:
        """Whole blocks with the private data our organisation may see."""
        return BlockEventsRequest.of(
            self._session, blocks.WITH_PRIVATE_DATA, self.name, start_block, stop_block, checkpoint
        ).events()

    def new_block_events_request(
        self,
        kind: blocks.Kind[blocks.B],
        *,
        start_block: int | None = None,
        stop_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> BlockEventsRequest[blocks.B]:
        """Blocks of any kind (`blocks.BLOCK`, ...) as a request, to be signed elsewhere."""
        return BlockEventsRequest.of(
            self._session, kind, self.name, start_block, stop_block, checkpoint
        )
