# SPDX-License-Identifier: Apache-2.0
"""What chaincode asks of the ledger, one function per message.

Each takes the context and the message's payload and returns the answer's payload; refusals are
ChaincodeFailed or the simulator's own SimulationError. Source: core/chaincode/handler.go.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetState,
    GetStateMetadata,
    GetStateMultiple,
    GetStateMultipleResult,
    PurgePrivateState,
    PutState,
    PutStateMetadata,
    StateMetadata,
    StateMetadataResult,
    WriteBatchState,
    WriteRecord,
)

from pedchain_fabric.embedded.chaincode import queries
from pedchain_fabric.embedded.chaincode.access import (
    refuse_in_init,
    require_read,
    require_write,
)
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Context
from pedchain_fabric.wire.messages import parse

Request = Callable[[Context, bytes], bytes]


def _get(context: Context, payload: bytes) -> bytes:
    request = parse(GetState, payload)
    if not request.collection:
        return context.simulator.get_state(context.namespace, request.key) or b""
    require_read(context, request.collection)
    value = context.simulator.get_private(context.namespace, request.collection, request.key)
    return value or b""


def _get_multiple(context: Context, payload: bytes) -> bytes:
    request = parse(GetStateMultiple, payload)
    keys = list(request.keys)
    if request.collection:
        require_read(context, request.collection)
        values = context.simulator.get_privates(context.namespace, request.collection, keys)
    else:
        values = context.simulator.get_states(context.namespace, keys)
    return GetStateMultipleResult(values=[value or b"" for value in values]).SerializeToString()


def _get_private_hash(context: Context, payload: bytes) -> bytes:
    request = parse(GetState, payload)
    refuse_in_init(context)
    found = context.simulator.get_private_hash(context.namespace, request.collection, request.key)
    return found or b""


def _get_metadata(context: Context, payload: bytes) -> bytes:
    request = parse(GetStateMetadata, payload)
    if request.collection:
        require_read(context, request.collection)
        entries = context.simulator.get_private_metadata(
            context.namespace, request.collection, request.key
        )
    else:
        entries = context.simulator.get_metadata(context.namespace, request.key)
    return StateMetadataResult(
        entries=[StateMetadata(metakey=name, value=value) for name, value in entries.items()]
    ).SerializeToString()


def _put(context: Context, payload: bytes) -> bytes:
    request = parse(PutState, payload)
    _write(context, request.collection, request.key, request.value)
    return b""


def _write(context: Context, collection: str, key: str, value: bytes) -> None:
    if not collection:
        context.simulator.put_state(context.namespace, key, value)
        return
    require_write(context, collection)
    context.simulator.put_private(context.namespace, collection, key, value)


def _delete(context: Context, payload: bytes) -> bytes:
    request = parse(DelState, payload)
    _remove(context, request.collection, request.key)
    return b""


def _remove(context: Context, collection: str, key: str) -> None:
    if not collection:
        context.simulator.delete_state(context.namespace, key)
        return
    require_write(context, collection)
    context.simulator.delete_private(context.namespace, collection, key)


def _purge(context: Context, payload: bytes) -> bytes:
    request = parse(PurgePrivateState, payload)
    _purge_key(context, request.collection, request.key)
    return b""


def _purge_key(context: Context, collection: str, key: str) -> None:
    if not context.channel.can_purge:
        raise ChaincodeFailed(
            "purge private data is not enabled, channel application capability of V2_5 or later "
            "is required"
        )
    if not collection:
        raise ChaincodeFailed("only applicable for private data")
    require_write(context, collection)
    context.simulator.purge_private(context.namespace, collection, key)


def _put_metadata(context: Context, payload: bytes) -> bytes:
    request = parse(PutStateMetadata, payload)
    _write_metadata(context, request.collection, request.key, request.metadata)
    return b""


def _write_metadata(context: Context, collection: str, key: str, metadata: StateMetadata) -> None:
    entries = {metadata.metakey: metadata.value}
    if not collection:
        context.simulator.put_metadata(context.namespace, key, entries)
        return
    require_write(context, collection)
    context.simulator.put_private_metadata(context.namespace, collection, key, entries)


def _write_batch(context: Context, payload: bytes) -> bytes:
    for record in parse(WriteBatchState, payload).rec:
        _RECORDS.get(record.type, _unknown_record)(context, record)
    return b""


def _unknown_record(_context: Context, _record: WriteRecord) -> None:
    raise ChaincodeFailed("unknown operation type")


_RECORDS: Mapping[int, Callable[[Context, WriteRecord], None]] = MappingProxyType(
    {
        WriteRecord.PUT_STATE: lambda c, r: _write(c, r.collection, r.key, r.value),
        WriteRecord.DEL_STATE: lambda c, r: _remove(c, r.collection, r.key),
        WriteRecord.PURGE_PRIVATE_DATA: lambda c, r: _purge_key(c, r.collection, r.key),
        WriteRecord.PUT_STATE_METADATA: lambda c, r: _write_metadata(
            c, r.collection, r.key, r.metadata
        ),
    }
)

REQUESTS: Mapping[int, Request] = MappingProxyType(
    {
        ChaincodeMessage.GET_STATE: _get,
        ChaincodeMessage.GET_STATE_MULTIPLE: _get_multiple,
        ChaincodeMessage.GET_PRIVATE_DATA_HASH: _get_private_hash,
        ChaincodeMessage.GET_STATE_METADATA: _get_metadata,
        ChaincodeMessage.PUT_STATE: _put,
        ChaincodeMessage.DEL_STATE: _delete,
        ChaincodeMessage.PURGE_PRIVATE_DATA: _purge,
        ChaincodeMessage.PUT_STATE_METADATA: _put_metadata,
        ChaincodeMessage.WRITE_BATCH_STATE: _write_batch,
        ChaincodeMessage.GET_STATE_BY_RANGE: queries.by_range,
        ChaincodeMessage.GET_QUERY_RESULT: queries.rich,
        ChaincodeMessage.GET_HISTORY_FOR_KEY: queries.history,
        ChaincodeMessage.QUERY_STATE_NEXT: queries.more,
        ChaincodeMessage.QUERY_STATE_CLOSE: queries.close,
    }
)
