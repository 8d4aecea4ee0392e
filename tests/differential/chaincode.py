# SPDX-License-Identifier: Apache-2.0
"""Chaincode that does what its argument says: `do` and a JSON list of operations.

It speaks the bare protocol (tests/parity/chaincode.py), nothing of the product's shim. What the
operations found is the payload, a JSON list; the first the peer refuses ends the call, unless it
stands in `try`.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
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
    QueryStateClose,
    QueryStateNext,
    StateMetadata,
    StateMetadataResult,
    WriteBatchState,
    WriteRecord,
)
from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.shim.keypolicy import all_of
from tests.parity import chaincode as bare

M = ChaincodeMessage
POLICY = "VALIDATION_PARAMETER"
Script = list[list[Any]]
Found = Any


class Ended(Exception):  # noqa: N818 - the script's own end, no fault
    """The script answers this, or nothing."""

    def __init__(self, response: Response | None) -> None:
        super().__init__("ended")
        self.response = response


def policy(organizations: list[str] | None) -> bytes:
    """A key-level policy that all of these must endorse; None is nothing, [] is no policy."""
    if organizations is None:
        return b""
    if not organizations:
        return b"no policy"
    return all_of(f"{each}MSP" for each in organizations)


async def _get(call: bare.Call, key: str, collection: str = "") -> Found:
    request = GetState(key=key, collection=collection)
    return _text(await call.ask(M.GET_STATE, request.SerializeToString()))


async def _put(call: bare.Call, key: str, value: str, collection: str = "") -> Found:
    data = call.transient() if value == "@transient" else value.encode()
    request = PutState(key=key, value=data, collection=collection)
    await call.ask(M.PUT_STATE, request.SerializeToString())


async def _large(call: bare.Call, key: str, size: int, collection: str = "") -> Found:
    request = PutState(key=key, value=b"x" * size, collection=collection)
    await call.ask(M.PUT_STATE, request.SerializeToString())


async def _copy(call: bare.Call, source: str, target: str, collection: str = "") -> Found:
    value = await _get(call, source, collection)
    await _put(call, target, f"{value}+", collection)


async def _delete(call: bare.Call, key: str, collection: str = "") -> Found:
    request = DelState(key=key, collection=collection)
    await call.ask(M.DEL_STATE, request.SerializeToString())


async def _purge(call: bare.Call, key: str, collection: str) -> Found:
    request = PurgePrivateState(key=key, collection=collection)
    await call.ask(M.PURGE_PRIVATE_DATA, request.SerializeToString())


async def _hash(call: bare.Call, key: str, collection: str) -> Found:
    request = GetState(key=key, collection=collection)
    return (await call.ask(M.GET_PRIVATE_DATA_HASH, request.SerializeToString())).hex()


async def _many(call: bare.Call, keys: list[str], collection: str = "") -> Found:
    request = GetStateMultiple(keys=keys, collection=collection)
    answer = await call.ask(M.GET_STATE_MULTIPLE, request.SerializeToString())
    return [_text(each) for each in GetStateMultipleResult.FromString(answer).values]


async def _policy(
    call: bare.Call, key: str, organizations: list[str] | None, collection: str = ""
) -> Found:
    await _metadata(call, key, POLICY, policy(organizations), collection)


async def _metadata(
    call: bare.Call, key: str, name: str, value: bytes | str, collection: str = ""
) -> Found:
    data = value if isinstance(value, bytes) else value.encode()
    request = PutStateMetadata(
        key=key, collection=collection, metadata=StateMetadata(metakey=name, value=data)
    )
    await call.ask(M.PUT_STATE_METADATA, request.SerializeToString())


async def _get_metadata(call: bare.Call, key: str, collection: str = "") -> Found:
    request = GetStateMetadata(key=key, collection=collection)
    answer = await call.ask(M.GET_STATE_METADATA, request.SerializeToString())
    entries = StateMetadataResult.FromString(answer).entries
    return sorted([each.metakey, each.value.hex()] for each in entries)


async def _range(
    call: bare.Call, start: str, end: str, collection: str = "", most: int | None = None
) -> Found:
    """All results, message by message; `most` closes it after so many."""
    request = GetStateByRange(startKey=start, endKey=end, collection=collection)
    answer = QueryResponse.FromString(
        await call.ask(M.GET_STATE_BY_RANGE, request.SerializeToString())
    )
    found = _pairs(answer)
    while answer.has_more:
        if most is not None and len(found) >= most:
            closing = QueryStateClose(id=answer.id).SerializeToString()
            await call.ask(M.QUERY_STATE_CLOSE, closing)
            break
        following = QueryStateNext(id=answer.id).SerializeToString()
        answer = QueryResponse.FromString(await call.ask(M.QUERY_STATE_NEXT, following))
        found += _pairs(answer)
    return found if len(found) <= 20 else [len(found), found[0], found[-1]]


async def _page(
    call: bare.Call, start: str, end: str, size: int, bookmark: str = "", collection: str = ""
) -> Found:
    metadata = QueryMetadata(pageSize=size, bookmark=bookmark).SerializeToString()
    request = GetStateByRange(startKey=start, endKey=end, metadata=metadata, collection=collection)
    answer = QueryResponse.FromString(
        await call.ask(M.GET_STATE_BY_RANGE, request.SerializeToString())
    )
    noted = QueryResponseMetadata.FromString(answer.metadata)
    return [_pairs(answer), noted.fetched_records_count, noted.bookmark, answer.has_more]


async def _history(call: bare.Call, key: str) -> Found:
    request = GetHistoryForKey(key=key)
    answer = QueryResponse.FromString(
        await call.ask(M.GET_HISTORY_FOR_KEY, request.SerializeToString())
    )
    changes = [KeyModification.FromString(each.resultBytes) for each in answer.results]
    return [
        [each.tx_id, _text(each.value), each.is_delete, each.timestamp.seconds > 0]
        for each in changes
    ]


async def _rich(call: bare.Call, text: str, collection: str = "") -> Found:
    request = GetQueryResult(query=text, collection=collection)
    await call.ask(M.GET_QUERY_RESULT, request.SerializeToString())


async def _fill(call: bare.Call, prefix: str, count: int, value: str = "f") -> Found:
    for number in range(count):
        await _put(call, f"{prefix}{number:03}", value)


async def _batch(call: bare.Call, records: Script) -> Found:
    made = [_record(*each) for each in records]
    await call.ask(M.WRITE_BATCH_STATE, WriteBatchState(rec=made).SerializeToString())


def _record(kind: str, key: str, value: Any = "", collection: str = "") -> WriteRecord:
    record = WriteRecord(key=key, collection=collection, type=WriteRecord.Type.Value(kind))
    if kind == "PUT_STATE_METADATA":
        record.metadata.CopyFrom(StateMetadata(metakey=POLICY, value=policy(value)))
    else:
        record.value = str(value).encode()
    return record


async def _event(call: bare.Call, name: str, payload: str) -> Found:
    call.event = ChaincodeEvent(event_name=name, payload=payload.encode())


async def _foreign_event(call: bare.Call, name: str, chaincode: str) -> Found:
    """An event under another name and id; the peer puts its own there."""
    call.event = ChaincodeEvent(event_name=name, chaincode_id=chaincode, tx_id="elsewhere")


async def _call(call: bare.Call, target: str, script: Script) -> Found:
    args = [b"do", json.dumps(script).encode()]
    spec = ChaincodeSpec(chaincode_id=ChaincodeID(name=target), input=ChaincodeInput(args=args))
    nested = M.FromString(await call.ask(M.INVOKE_CHAINCODE, spec.SerializeToString()))
    if nested.type == M.ERROR:
        return ["ERROR", nested.payload.decode()]
    answer = Response.FromString(nested.payload)
    return [M.Type.Name(nested.type), answer.status, answer.message, answer.payload.decode()]


async def _call_raw(call: bare.Call, target: str, args: list[str]) -> Found:
    """Another chaincode, or a system chaincode, called with any arguments."""
    spec = ChaincodeSpec(
        chaincode_id=ChaincodeID(name=target),
        input=ChaincodeInput(args=[each.encode() for each in args]),
    )
    nested = M.FromString(await call.ask(M.INVOKE_CHAINCODE, spec.SerializeToString()))
    if nested.type == M.ERROR:
        return ["ERROR", nested.payload.decode()]
    answer = Response.FromString(nested.payload)
    return [M.Type.Name(nested.type), answer.status, answer.message]


async def _sleep(_call: bare.Call, seconds: float) -> Found:
    await asyncio.sleep(seconds)


async def _try(call: bare.Call, *operation: Any) -> Found:
    try:
        return await _operate(call, *operation)
    except bare.PeerRefused as refused:
        return {"refused": str(refused)}


async def _answer(_call: bare.Call, status: int, message: str, payload: str = "") -> Found:
    raise Ended(Response(status=status, message=message, payload=payload.encode()))


async def _hang(_call: bare.Call) -> Found:
    raise Ended(None)


async def _hang_up(call: bare.Call) -> Found:
    call.stream.outgoing.put_nowait(None)
    raise Ended(None)


async def _fail(call: bare.Call, text: str) -> Found:
    """The protocol's own ERROR instead of a response."""
    call.stream.outgoing.put_nowait(
        M(type=M.ERROR, payload=text.encode(), txid=call.transaction, channel_id=call.channel)
    )
    raise Ended(None)


async def _garbage(call: bare.Call, kind: str) -> Found:
    """A request whose payload is no such message."""
    return _text(await call.ask(M.Type.Value(kind), b"\xff\xff\xff"))


OPERATIONS: dict[str, Callable[..., Awaitable[Found]]] = {
    "get": _get, "put": _put, "large": _large, "copy": _copy, "delete": _delete, "purge": _purge,
    "hash": _hash, "many": _many, "policy": _policy, "metadata": _metadata,
    "get-metadata": _get_metadata, "range": _range, "page": _page, "history": _history,
    "rich": _rich, "fill": _fill, "batch": _batch, "event": _event,
    "foreign-event": _foreign_event, "call": _call, "call-raw": _call_raw, "sleep": _sleep,
    "try": _try, "answer": _answer, "hang": _hang, "hang-up": _hang_up, "fail": _fail,
    "garbage": _garbage,
}  # fmt: skip


async def _operate(call: bare.Call, name: str, *arguments: Any) -> Found:
    return await OPERATIONS[name](call, *arguments)


async def _do(call: bare.Call, script: bytes) -> Response | None:
    try:
        found = [await _operate(call, *operation) for operation in json.loads(script)]
    except Ended as ended:
        return ended.response
    return Response(status=200, payload=json.dumps(found).encode())


async def _nothing(_call: bare.Call) -> Response:
    return Response(status=200, message="no arguments")


def _pairs(answer: QueryResponse) -> list[list[str | None]]:
    pairs = [KV.FromString(each.resultBytes) for each in answer.results]
    return [[each.key, _text(each.value)] for each in pairs]


def _text(value: bytes) -> str | None:
    """A value, its length if it is long, None if there is none."""
    if len(value) > 200:
        return f"{len(value)} bytes"
    return value.decode() if value else None


if __name__ == "__main__":
    bare.FUNCTIONS |= {"do": _do, "": _nothing}
    asyncio.run(bare.main([each for each in sys.argv[2:] if each != "--package"]))
