# SPDX-License-Identifier: Apache-2.0
"""What queries return: results streamed from the peer 100 at a time, and pages."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from fabric_protos.ledger.queryresult import kv_query_result_pb2 as queryresult
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    QueryResponse,
    QueryStateClose,
    QueryStateNext,
)

from pedchain_fabric.shim.errors import StubError
from pedchain_fabric.shim.exchange import Exchange
from pedchain_fabric.shim.limits import RESULTS
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.proposal import timestamp_ns

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyValue:
    """A key and its value on the ledger."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class KeyModification:
    """One write of a key: by which transaction, and the time its client claimed (ns, UTC)."""

    transaction_id: str
    value: bytes
    timestamp_ns: int
    is_delete: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of results. The next one starts at `bookmark`; an empty one means: no more."""

    items: tuple[KeyValue, ...]
    bookmark: str


class Results(Generic[T]):
    """Results of a query, asked for while they are iterated: `async for item in ...`.

    Nothing is sent before the first item is wanted. Leaving early, use it as a context manager
    (or `close`) so that the peer drops its iterator before the transaction ends.

    A peer that has given as many results as its limit allows ends without a word. As many as
    that are therefore never taken for all: the iteration ends in a `StubError`; use pages.
    """

    def __init__(
        self,
        exchange: Exchange,
        first: Callable[[], Awaitable[bytes]],
        decode: Callable[[bytes], T],
    ) -> None:
        self._exchange = exchange
        self._first = first
        self._decode = decode
        self._items: deque[bytes] = deque()
        self._more: bool | None = None  # None: not asked yet
        self._id = ""
        self._received = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._more is False:
                self._require_whole()
                raise StopAsyncIteration
            await self._fetch()
        return self._decode(self._items.popleft())

    async def all(self, limit: int = RESULTS) -> list[T]:
        """Every result. Raises `StubError` if there are more than `limit`."""
        items: list[T] = []
        async for item in self:
            if len(items) == limit:
                await self.close()
                raise StubError(f"the query has more than {limit} results")
            items.append(item)
        return items

    async def close(self) -> None:
        """Let the peer drop what has not been read."""
        open_at_peer = self._more is True
        self._items.clear()
        self._more, self._received = False, 0
        if open_at_peer:
            payload = QueryStateClose(id=self._id).SerializeToString()
            await self._exchange.ask(ChaincodeMessage.QUERY_STATE_CLOSE, payload)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _fetch(self) -> None:
        if self._more is None:
            answer = await self._first()
        else:
            payload = QueryStateNext(id=self._id).SerializeToString()
            answer = await self._exchange.ask(ChaincodeMessage.QUERY_STATE_NEXT, payload)
        response = parse(QueryResponse, answer)
        self._items.extend(result.resultBytes for result in response.results)
        self._received += len(response.results)
        self._more, self._id = response.has_more, response.id

    def _require_whole(self) -> None:
        if self._received >= RESULTS:
            raise StubError(f"the peer gives no more than {RESULTS} results of a query: use pages")


def key_value(data: bytes) -> KeyValue:
    """Decode an item of a range or rich query."""
    item = parse(queryresult.KV, data)
    return KeyValue(item.key, item.value)


def key_modification(data: bytes) -> KeyModification:
    """Decode an item of a key's history."""
    item = parse(queryresult.KeyModification, data)
    return KeyModification(item.tx_id, item.value, timestamp_ns(item.timestamp), item.is_delete)
