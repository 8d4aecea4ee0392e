# SPDX-License-Identifier: Apache-2.0
"""What a running transaction may use: its simulator, its proposal, its open queries."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import SignedProposal

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.ledger import Simulator
from pedchain_fabric.wire.proposal import ProposalParts


class ChaincodeFailed(Exception):  # noqa: N818 - it names an answer, not a fault
    """A step of running chaincode failed; the text is Fabric's."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One proposal being executed. Chaincode called by chaincode shares it.

    `channel` and `simulator` are None for calls without a channel; qscc and cscc have a
    channel but no simulator.
    """

    id: str
    channel: Channel | None
    simulator: Simulator | None
    proposal: ProposalParts
    signed: SignedProposal

    @property
    def channel_id(self) -> str:
        """Empty for calls without a channel."""
        return "" if self.channel is None else self.channel.name


@dataclass(slots=True)
class Query:
    """An iterator the chaincode reads in pages, and what was fetched but not yet sent."""

    results: Iterator[bytes]
    pending: list[bytes] = field(default_factory=list)
    fetched: int = 0


class Context:
    """One execution of one namespace within a transaction."""

    def __init__(self, transaction: Transaction, namespace: str, *, is_init: bool) -> None:
        self.transaction = transaction
        self.namespace = namespace
        self.is_init = is_init
        self.response: asyncio.Future[ChaincodeMessage] = asyncio.get_running_loop().create_future()
        self.permissions: dict[str, tuple[bool, bool]] = {}
        self._queries: dict[str, Query] = {}

    @property
    def simulator(self) -> Simulator:
        """The transaction's simulator. Raises ChaincodeFailed if it has none."""
        if self.transaction.simulator is None:
            raise ChaincodeFailed("no ledger context")
        return self.transaction.simulator

    @property
    def channel(self) -> Channel:
        """The transaction's channel. Raises ChaincodeFailed if it has none."""
        if self.transaction.channel is None:
            raise ChaincodeFailed("no ledger context")
        return self.transaction.channel

    def open_query(self, results: Iterator[bytes]) -> tuple[str, Query]:
        """Keeps an iterator under a new id."""
        query = Query(results)
        identifier = str(uuid.uuid4())
        self._queries[identifier] = query
        return identifier, query

    def query(self, identifier: str) -> Query:
        """The open query of that id. Raises ChaincodeFailed."""
        if identifier not in self._queries:
            raise ChaincodeFailed("query iterator not found")
        return self._queries[identifier]

    def close_query(self, identifier: str) -> None:
        """Forgets a query; an unknown id is no error."""
        self._queries.pop(identifier, None)

    def finish(self, message: ChaincodeMessage) -> None:
        """The chaincode's answer has come; a second one is ignored."""
        self._queries.clear()
        if not self.response.done():
            self.response.set_result(message)

    def fail(self, error: ChaincodeFailed) -> None:
        """The execution ends without an answer."""
        self._queries.clear()
        if not self.response.done():
            self.response.set_exception(error)
            self.response.exception()  # nobody may be waiting any more
