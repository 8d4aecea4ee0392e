# SPDX-License-Identifier: Apache-2.0
"""Range and history queries, sent to chaincode a page at a time.

Source: core/chaincode/query_response_generator.go.
"""

from collections.abc import Iterator

from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification
from fabric_protos.peer.chaincode_shim_pb2 import (
    GetHistoryForKey,
    GetQueryResult,
    GetStateByRange,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    QueryResultBytes,
    QueryStateClose,
    QueryStateNext,
)

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.chaincode.access import require_read
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Context, Query
from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.proposal import timestamp_message


def by_range(context: Context, payload: bytes) -> bytes:
    """GET_STATE_BY_RANGE: public, paginated or not, or private.

    Of a private range a page's size bounds the first message only, and no bookmark tells the rest.
    """
    request = parse(GetStateByRange, payload)
    metadata = parse(QueryMetadata, request.metadata)
    if request.collection:
        require_read(context, request.collection)
        rows = context.simulator.private_range(
            context.namespace, request.collection, request.startKey, request.endKey
        )
    elif metadata.pageSize == 0 and not metadata.bookmark:
        rows = context.simulator.range(context.namespace, request.startKey, request.endKey)
    else:
        return _page(context, request, metadata)
    found = (_kv(context, row.key, row.value) for row in rows)
    return _first(context, found, _limit(metadata))


def _page(context: Context, request: GetStateByRange, metadata: QueryMetadata) -> bytes:
    """An explicitly paginated range comes in one message with its bookmark."""
    limit = _limit(metadata)
    start = metadata.bookmark or request.startKey
    rows = context.simulator.range(
        context.namespace, start, request.endKey, page_size=metadata.pageSize
    )
    results = []
    for row in rows:
        results.append(_kv(context, row.key, row.value))
        if len(results) >= limit:
            break
    described = QueryResponseMetadata(fetched_records_count=len(results), bookmark=rows.bookmark)
    identifier, _ = context.open_query(iter(()))
    context.close_query(identifier)
    return _response(results, identifier, more=False, metadata=serialize(described))


def _limit(metadata: QueryMetadata) -> int:
    """How many results the first message may bring to."""
    most = limits.TOTAL_QUERY_LIMIT
    return min(metadata.pageSize, most) if metadata.pageSize > 0 else most


def rich(context: Context, payload: bytes) -> bytes:
    """GET_QUERY_RESULT: our state, like LevelDB, has no rich queries."""
    request = parse(GetQueryResult, payload)
    metadata = parse(QueryMetadata, request.metadata)
    if request.collection:
        require_read(context, request.collection)
    elif metadata.pageSize or metadata.bookmark:
        raise ChaincodeFailed("ExecuteQueryWithMetadata not supported for leveldb")
    raise ChaincodeFailed("ExecuteQuery not supported for leveldb")


def history(context: Context, payload: bytes) -> bytes:
    """GET_HISTORY_FOR_KEY, newest first."""
    request = parse(GetHistoryForKey, payload)
    changes = context.simulator.history(context.namespace, request.key)
    return _first(
        context,
        (
            KeyModification(
                tx_id=change.transaction_id,
                value=change.value,
                timestamp=timestamp_message(change.timestamp),
                is_delete=change.deleted,
            ).SerializeToString()
            for change in changes
        ),
        limits.TOTAL_QUERY_LIMIT,
    )


def more(context: Context, payload: bytes) -> bytes:
    """QUERY_STATE_NEXT."""
    identifier = parse(QueryStateNext, payload).id
    return _next(context, identifier, context.query(identifier), limits.TOTAL_QUERY_LIMIT)


def close(context: Context, payload: bytes) -> bytes:
    """QUERY_STATE_CLOSE; closing what is not open is no error."""
    identifier = parse(QueryStateClose, payload).id
    context.close_query(identifier)
    return _response([], identifier, more=False)


def _kv(context: Context, key: str, value: bytes) -> bytes:
    return KV(namespace=context.namespace, key=key, value=value).SerializeToString()


def _first(context: Context, results: Iterator[bytes], limit: int) -> bytes:
    identifier, query = context.open_query(results)
    return _next(context, identifier, query, limit)


def _next(context: Context, identifier: str, query: Query, limit: int) -> bytes:
    """Up to 100 results; has_more when one more is already at hand."""
    while query.fetched < limit:
        result = next(query.results, None)
        if result is None:
            break
        query.fetched += 1
        if len(query.pending) == limits.QUERY_PAGE:
            batch, query.pending = query.pending, [result]
            return _response(batch, identifier, more=True)
        query.pending.append(result)
    context.close_query(identifier)
    return _response(query.pending, identifier, more=False)


def _response(results: list[bytes], identifier: str, *, more: bool, metadata: bytes = b"") -> bytes:
    return QueryResponse(
        results=[QueryResultBytes(resultBytes=result) for result in results],
        has_more=more,
        id=identifier,
        metadata=metadata,
    ).SerializeToString()
