# SPDX-License-Identifier: Apache-2.0
"""Reads and writes as messages to the peer. An empty collection means the public state."""

from collections.abc import Sequence

from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    GetHistoryForKey,
    GetQueryResult,
    GetStateByRange,
    GetStateMetadata,
    GetStateMultiple,
    GetStateMultipleResult,
    PurgePrivateState,
    PutStateMetadata,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    StateMetadata,
    StateMetadataResult,
    WriteBatchState,
    WriteRecord,
)
from google.protobuf.message import Message

from pedchain_fabric.shim import encoding
from pedchain_fabric.shim.abilities import Abilities
from pedchain_fabric.shim.batch import WriteBatch
from pedchain_fabric.shim.errors import StubError
from pedchain_fabric.shim.exchange import Exchange, MessageType
from pedchain_fabric.shim.limits import PAGE_SIZE
from pedchain_fabric.shim.query import (
    KeyModification,
    KeyValue,
    Page,
    Results,
    key_modification,
    key_value,
)
from pedchain_fabric.wire.messages import parse

_GET_STATE, _PUT_STATE = ChaincodeMessage.GET_STATE, ChaincodeMessage.PUT_STATE
VALIDATION_PARAMETER = "VALIDATION_PARAMETER"  # peer.MetaDataKeys, by name as Fabric stores it


class Ledger:
    """One transaction's access to the state its peer simulates on.

    A read never sees the transaction's own writes: Fabric has no read-your-own-writes.
    """

    def __init__(self, exchange: Exchange, abilities: Abilities) -> None:
        self._exchange = exchange
        self._abilities = abilities
        self._batch: WriteBatch | None = None
        self.read_only = False

    async def get(self, collection: str, key: str) -> bytes | None:
        """The value, or None: Fabric does not tell an empty value from none."""
        request = encoding.get(check_key(key), collection)
        return await self._exchange.ask(_GET_STATE, request) or None

    async def get_many(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        """The values in the order of `keys`."""
        for key in keys:
            check_key(key)
        size = self._abilities.multiple_keys
        if not size:
            return [await self.get(collection, key) for key in keys]
        values: list[bytes | None] = []
        for start in range(0, len(keys), size):
            values += await self._get_chunk(collection, keys[start : start + size])
        return values

    async def _get_chunk(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        request = GetStateMultiple(keys=keys, collection=collection)
        answer = await self._ask(ChaincodeMessage.GET_STATE_MULTIPLE, request)
        values = parse(GetStateMultipleResult, answer).values
        if len(values) != len(keys):
            raise StubError(f"the peer answered {len(keys)} keys with {len(values)} values")
        return [value or None for value in values]

    async def get_hash(self, collection: str, key: str) -> bytes | None:
        """SHA-256 of a private value; known to peers outside the collection too."""
        request = encoding.get(check_key(key), collection)
        return await self._exchange.ask(ChaincodeMessage.GET_PRIVATE_DATA_HASH, request) or None

    async def put(self, collection: str, key: str, value: bytes) -> None:
        """Write a value. An empty one deletes the key, as Fabric takes it."""
        name = self._check_write(key)
        if self._batch is not None:
            self._batch.add(WriteRecord.PUT_STATE, collection, key, value)
            return
        request = encoding.put(name, value, collection)
        await self._exchange.ask(_PUT_STATE, request)

    async def delete(self, collection: str, key: str) -> None:
        """Remove a key from the current state."""
        name = self._check_write(key)
        if self._batch is not None:
            self._batch.add(WriteRecord.DEL_STATE, collection, key)
            return
        await self._exchange.ask(ChaincodeMessage.DEL_STATE, encoding.get(name, collection))

    async def purge(self, collection: str, key: str) -> None:
        """Remove a private key and every trace of its values."""
        self._check_write(key)
        if self._batch is not None:
            self._batch.add(WriteRecord.PURGE_PRIVATE_DATA, collection, key)
            return
        request = PurgePrivateState(key=key, collection=collection)
        await self._ask(ChaincodeMessage.PURGE_PRIVATE_DATA, request)

    async def set_policy(self, collection: str, key: str, policy: bytes) -> None:
        """Set who must endorse writes of the key."""
        self._check_write(key)
        if self._batch is not None:
            self._batch.add_metadata(collection, key, VALIDATION_PARAMETER, policy)
            return
        metadata = StateMetadata(metakey=VALIDATION_PARAMETER, value=policy)
        request = PutStateMetadata(key=key, collection=collection, metadata=metadata)
        await self._ask(ChaincodeMessage.PUT_STATE_METADATA, request)

    async def get_policy(self, collection: str, key: str) -> bytes | None:
        """The key's own policy, or None."""
        check_key(key)
        request = GetStateMetadata(key=key, collection=collection)
        answer = await self._ask(ChaincodeMessage.GET_STATE_METADATA, request)
        entries = parse(StateMetadataResult, answer).entries
        values = [entry.value for entry in entries if entry.metakey == VALIDATION_PARAMETER]
        return values[0] if values else None

    def range(self, collection: str, start: str, end: str) -> Results[KeyValue]:
        """Keys from `start` (inclusive) to `end` (exclusive), in byte order."""
        check_text(start)
        check_text(end)
        request = GetStateByRange(startKey=start, endKey=end, collection=collection)
        return self._results(ChaincodeMessage.GET_STATE_BY_RANGE, request)

    async def range_page(self, start: str, end: str, size: int, bookmark: str) -> Page:
        """One page of a range. Only public state can be paged."""
        check_text(start)
        check_text(end)
        if bookmark and not _within(_utf8(bookmark), start.encode(), end.encode()):
            raise StubError("the bookmark lies outside the range")
        metadata = _query_metadata(size, bookmark)
        request = GetStateByRange(startKey=start, endKey=end, metadata=metadata)
        return _page(await self._ask(ChaincodeMessage.GET_STATE_BY_RANGE, request))

    def query(self, collection: str, text: str) -> Results[KeyValue]:
        """A rich query; only peers on CouchDB answer it."""
        check_text(text)
        request = GetQueryResult(query=text, collection=collection)
        return self._results(ChaincodeMessage.GET_QUERY_RESULT, request)

    async def query_page(self, text: str, size: int, bookmark: str) -> Page:
        """One page of a rich query. Its bookmarks are CouchDB's own."""
        check_text(text)
        check_text(bookmark)
        metadata = _query_metadata(size, bookmark)
        request = GetQueryResult(query=text, metadata=metadata)
        return _page(await self._ask(ChaincodeMessage.GET_QUERY_RESULT, request))

    def history(self, key: str) -> Results[KeyModification]:
        """Every write of a public key, the newest first."""
        check_key(key)
        payload = GetHistoryForKey(key=key).SerializeToString()
        return Results(
            self._exchange,
            lambda: self._exchange.ask(ChaincodeMessage.GET_HISTORY_FOR_KEY, payload),
            key_modification,
        )

    @property
    def batching(self) -> bool:
        """Whether writes are kept back."""
        return self._batch is not None

    def start_batch(self) -> None:
        """Keep writes back from now on, if the peer takes batches; else nothing changes."""
        if self._abilities.write_batch and self._batch is None:
            self._batch = WriteBatch()

    async def finish_batch(self) -> None:
        """Send what was kept back. Raises `PeerError` if the peer refuses a write of it."""
        batch, self._batch = self._batch, None
        if batch is None:
            return
        for records in batch.chunks(self._abilities.write_batch):
            request = WriteBatchState(rec=records)
            await self._ask(ChaincodeMessage.WRITE_BATCH_STATE, request)

    def _results(self, kind: MessageType, request: Message) -> Results[KeyValue]:
        return Results(self._exchange, lambda: self._ask(kind, request), key_value)

    async def _ask(self, kind: MessageType, request: Message) -> bytes:
        return await self._exchange.ask(kind, request.SerializeToString())

    def _check_write(self, key: str) -> bytes:
        name = check_key(key)
        if self.read_only:
            raise StubError("a transaction declared @evaluate does not write")
        return name


def check_key(key: str) -> bytes:
    """The key as UTF-8. Raises `StubError` for one that cannot be: empty, or not UTF-8."""
    if not key:
        raise StubError("key must not be an empty string")
    return _utf8(key)


def check_text(text: str) -> None:
    """Raise `StubError` for text that UTF-8 cannot encode (a lone surrogate)."""
    _utf8(text)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise StubError("not a valid UTF-8 string") from error


def _within(key: bytes, start: bytes, end: bytes) -> bool:
    return start <= key and (not end or key < end)


def _query_metadata(size: int, bookmark: str) -> bytes:
    if not 1 <= size <= PAGE_SIZE:
        raise StubError(f"page size must be between 1 and {PAGE_SIZE}")
    return QueryMetadata(pageSize=size, bookmark=bookmark).SerializeToString()


def _page(answer: bytes) -> Page:
    response = parse(QueryResponse, answer)
    metadata = parse(QueryResponseMetadata, response.metadata)
    items = tuple(key_value(result.resultBytes) for result in response.results)
    return Page(items, metadata.bookmark)
