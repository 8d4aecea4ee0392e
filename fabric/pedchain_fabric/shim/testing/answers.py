# SPDX-License-Identifier: Apache-2.0
"""How a peer in memory answers a chaincode's requests (Fabric's core/chaincode/handler.go)."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from fabric_protos.ledger.queryresult import kv_query_result_pb2 as queryresult
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetHistoryForKey,
    GetQueryResult,
    GetState,
    GetStateByRange,
    GetStateMetadata,
    GetStateMultiple,
    GetStateMultipleResult,
    PurgePrivateState,
    PutState,
    PutStateMetadata,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    QueryResultBytes,
    QueryStateClose,
    QueryStateNext,
    StateMetadata,
    StateMetadataResult,
    WriteBatchState,
    WriteRecord,
)

from pedchain_fabric.shim.testing.simulation import Cursor, Simulation, SimulationError
from pedchain_fabric.shim.testing.world import Modification, Place, World
from pedchain_fabric.wire.proposal import timestamp_message
from pedchain_fabric.wire.rwset import sha256

BATCH: Final = 100  # results in one message
Take = Callable[[], tuple[list[bytes], bool]]  # the next results, and whether there are more
Members = Mapping[str, Collection[str] | None]


class Answers:
    """Answers one call of one chaincode. `members` are its collections and who may use them."""

    def __init__(
        self,
        world: World,
        simulation: Simulation,
        channel: str,
        namespace: str,
        members: Members,
        msp_id: str,
    ) -> None:
        self._world = world
        self._channel = channel
        self._simulation = simulation
        self._namespace = namespace
        self._members = members
        self._msp_id = msp_id
        self._open: dict[str, Take] = {}
        self._numbers = 0
        kinds = ChaincodeMessage
        self._handlers: dict[int, Callable[[bytes], bytes]] = {
            kinds.GET_STATE: self._get,
            kinds.GET_STATE_MULTIPLE: self._get_many,
            kinds.GET_PRIVATE_DATA_HASH: self._get_hash,
            kinds.PUT_STATE: self._put,
            kinds.DEL_STATE: self._delete,
            kinds.PURGE_PRIVATE_DATA: self._purge,
            kinds.GET_STATE_METADATA: self._get_metadata,
            kinds.PUT_STATE_METADATA: self._put_metadata,
            kinds.WRITE_BATCH_STATE: self._write_batch,
            kinds.GET_STATE_BY_RANGE: self._range,
            kinds.GET_QUERY_RESULT: self._query,
            kinds.GET_HISTORY_FOR_KEY: self._history,
            kinds.QUERY_STATE_NEXT: self._next,
            kinds.QUERY_STATE_CLOSE: self._close,
        }

    def answer(self, kind: int, payload: bytes) -> bytes:
        """The answer's payload. Raises `SimulationError` with what ERROR would say."""
        return self._handlers[kind](payload)

    def _get(self, payload: bytes) -> bytes:
        request = GetState.FromString(payload)
        entry = self._simulation.get(self._readable(request.collection), request.key)
        return entry.value if entry is not None else b""

    def _get_many(self, payload: bytes) -> bytes:
        request = GetStateMultiple.FromString(payload)
        place = self._readable(request.collection)
        entries = [self._simulation.get(place, key) for key in request.keys]
        values = [entry.value if entry is not None else b"" for entry in entries]
        return GetStateMultipleResult(values=values).SerializeToString()

    def _get_hash(self, payload: bytes) -> bytes:
        request = GetState.FromString(payload)
        entry = self._simulation.get(self._place(request.collection), request.key)
        return sha256(entry.value) if entry is not None else b""

    def _put(self, payload: bytes) -> bytes:
        request = PutState.FromString(payload)
        self._simulation.put(self._writable(request.collection), request.key, request.value)
        return b""

    def _delete(self, payload: bytes) -> bytes:
        request = DelState.FromString(payload)
        self._simulation.put(self._writable(request.collection), request.key, b"")
        return b""

    def _purge(self, payload: bytes) -> bytes:
        request = PurgePrivateState.FromString(payload)
        if not request.collection:
            raise SimulationError("only applicable for private data")
        self._simulation.purge(self._writable(request.collection), request.key)
        return b""

    def _get_metadata(self, payload: bytes) -> bytes:
        request = GetStateMetadata.FromString(payload)
        entry = self._simulation.get(self._readable(request.collection), request.key)
        metadata = entry.metadata if entry is not None else {}
        entries = [StateMetadata(metakey=name, value=value) for name, value in metadata.items()]
        return StateMetadataResult(entries=entries).SerializeToString()

    def _put_metadata(self, payload: bytes) -> bytes:
        request = PutStateMetadata.FromString(payload)
        metadata = {request.metadata.metakey: request.metadata.value}
        place = self._writable(request.collection)
        self._simulation.set_metadata(place, request.key, metadata)
        return b""

    def _write_batch(self, payload: bytes) -> bytes:
        for record in WriteBatchState.FromString(payload).rec:
            place = self._writable(record.collection)
            if record.type == WriteRecord.PUT_STATE:
                self._simulation.put(place, record.key, record.value)
            elif record.type == WriteRecord.DEL_STATE:
                self._simulation.put(place, record.key, b"")
            elif record.type == WriteRecord.PURGE_PRIVATE_DATA:
                self._simulation.purge(place, record.key)
            else:
                metadata = {record.metadata.metakey: record.metadata.value}
                self._simulation.set_metadata(place, record.key, metadata)
        return b""

    def _range(self, payload: bytes) -> bytes:
        request = GetStateByRange.FromString(payload)
        place = self._readable(request.collection)
        metadata = QueryMetadata.FromString(request.metadata)
        if not request.collection and (metadata.pageSize or metadata.bookmark):
            start = metadata.bookmark or request.startKey
            cursor = self._simulation.page(self._namespace, start, request.endKey)
            return self._page(cursor, metadata.pageSize)
        cursor = self._simulation.scan(place, request.startKey, request.endKey)
        return self._begin(lambda: (self._kvs(cursor.take(BATCH)), bool(cursor.next_key)))

    def _page(self, cursor: Cursor, size: int) -> bytes:
        results = self._kvs(cursor.take(size))
        metadata = QueryResponseMetadata(
            fetched_records_count=len(results), bookmark=cursor.next_key
        )
        return _response(results, False, "", metadata.SerializeToString())

    def _kvs(self, items: Iterable[tuple[str, bytes]]) -> list[bytes]:
        return [
            queryresult.KV(namespace=self._namespace, key=key, value=value).SerializeToString()
            for key, value in items
        ]

    def _query(self, payload: bytes) -> bytes:
        request = GetQueryResult.FromString(payload)
        self._readable(request.collection)
        name = "ExecuteQueryWithMetadata" if request.metadata else "ExecuteQuery"
        raise SimulationError(f"{name} not supported for leveldb")

    def _history(self, payload: bytes) -> bytes:
        key = GetHistoryForKey.FromString(payload).key
        changes = self._world.history(self._namespace, key)
        results = deque(_modification(change) for change in changes)

        def take() -> tuple[list[bytes], bool]:
            batch = [results.popleft() for _ in range(min(BATCH, len(results)))]
            return batch, bool(results)

        return self._begin(take)

    def _begin(self, take: Take) -> bytes:
        self._numbers += 1
        identifier = str(self._numbers)
        self._open[identifier] = take
        return self._batch(identifier)

    def _next(self, payload: bytes) -> bytes:
        identifier = QueryStateNext.FromString(payload).id
        if identifier not in self._open:
            raise SimulationError("query iterator not found")
        return self._batch(identifier)

    def _batch(self, identifier: str) -> bytes:
        results, more = self._open[identifier]()
        if not more:
            del self._open[identifier]
        return _response(results, more, identifier)

    def _close(self, payload: bytes) -> bytes:
        identifier = QueryStateClose.FromString(payload).id
        self._open.pop(identifier, None)
        return _response([], False, identifier)

    def _place(self, collection: str) -> Place:
        implicit = collection.startswith("_implicit_org_")
        if collection and not implicit and collection not in self._members:
            raise SimulationError(
                f"collection {self._channel}/{self._namespace}/{collection} could not be found"
            )
        return self._namespace, collection

    def _readable(self, collection: str) -> Place:
        return self._allowed(collection, "read")

    def _writable(self, collection: str) -> Place:
        return self._allowed(collection, "write")

    def _allowed(self, collection: str, access: str) -> Place:
        place = self._place(collection)
        members = self._members.get(collection)
        if members is not None and self._msp_id not in members:
            raise SimulationError(
                f"tx creator does not have {access} access permission on privatedata in "
                f"chaincodeName:{self._namespace} collectionName: {collection}"
            )
        return place


def _modification(change: Modification) -> bytes:
    return queryresult.KeyModification(
        tx_id=change.transaction_id,
        value=change.value,
        timestamp=timestamp_message(change.timestamp_ns),
        is_delete=not change.value,
    ).SerializeToString()


def _response(results: list[bytes], more: bool, identifier: str, metadata: bytes = b"") -> bytes:
    return QueryResponse(
        results=[QueryResultBytes(resultBytes=result) for result in results],
        has_more=more,
        id=identifier,
        metadata=metadata,
    ).SerializeToString()
