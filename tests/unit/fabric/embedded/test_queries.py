# SPDX-License-Identifier: Apache-2.0
"""Ranges and histories go to chaincode a page at a time."""

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    GetQueryResult,
    GetStateByRange,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    QueryStateClose,
    QueryStateNext,
    WriteBatchState,
    WriteRecord,
)
from fabric_protos.peer.proposal_pb2 import SignedProposal
from google.protobuf.message import Message

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Context, Transaction
from pedchain_fabric.embedded.chaincode.state import REQUESTS
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.ledger import Ledger, Simulator
from pedchain_fabric.wire.proposal import ProposalParts
from tests.unit.fabric.embedded_ledger.consortium import Consortium

M = ChaincodeMessage
KEYS = 250
OWN = "_implicit_org_DSOMSP"


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    consortium = Consortium.start()
    consortium.define("notes", "OutOf(2,'DSOMSP.peer','DistrictAMSP.peer')")

    def fill(simulator: Simulator) -> None:
        for number in range(KEYS):
            simulator.put_state("notes", f"k{number:03d}", b"%d" % number)

    def fill_private(simulator: Simulator) -> None:
        for number in range(KEYS):
            simulator.put_private("notes", OWN, f"k{number:03d}", b"%d" % number)

    assert consortium.submit("notes", fill) == "VALID"
    assert consortium.submit("notes", fill_private) == "VALID"
    return consortium.ledger


@pytest.fixture
async def context(ledger: Ledger) -> Context:
    await asyncio.sleep(0)
    transaction = Transaction(
        "tx",
        Channel(ledger),
        ledger.simulator("tx", "DSOMSP"),
        cast(ProposalParts, None),
        SignedProposal(),
    )
    return Context(transaction, "notes", is_init=False)


def ask(context: Context, kind: M.Type.ValueType, request: Message) -> QueryResponse:
    return QueryResponse.FromString(REQUESTS[kind](context, request.SerializeToString()))


def by_range(
    start: str = "k", end: str = "l", size: int = 0, bookmark: str = "", collection: str = ""
) -> Message:
    metadata = b""
    if size or bookmark:
        metadata = QueryMetadata(pageSize=size, bookmark=bookmark).SerializeToString()
    return GetStateByRange(startKey=start, endKey=end, metadata=metadata, collection=collection)


def keys(answer: QueryResponse) -> list[str]:
    return [KV.FromString(each.resultBytes).key for each in answer.results]


def pages(context: Context, first: QueryResponse) -> Iterator[QueryResponse]:
    answer = first
    yield answer
    while answer.has_more:
        answer = ask(context, M.QUERY_STATE_NEXT, QueryStateNext(id=answer.id))
        yield answer


async def test_a_range_comes_in_pages_of_a_hundred(context: Context) -> None:
    found = list(pages(context, ask(context, M.GET_STATE_BY_RANGE, by_range())))
    assert [len(each.results) for each in found] == [100, 100, 50]
    assert [key for each in found for key in keys(each)] == [f"k{n:03d}" for n in range(KEYS)]


@pytest.mark.parametrize(("end", "sizes"), [("k100", [100]), ("k101", [100, 1]), ("k000", [0])])
async def test_has_more_is_said_only_if_there_is_more(
    context: Context, end: str, sizes: list[int]
) -> None:
    first = ask(context, M.GET_STATE_BY_RANGE, by_range(end=end))
    assert [len(each.results) for each in pages(context, first)] == sizes


async def test_one_key_more_than_was_sent_is_in_the_read_set(context: Context) -> None:
    """As in Fabric, whose peer fetches a hundred and looks at the next."""
    first = ask(context, M.GET_STATE_BY_RANGE, by_range())
    ask(context, M.QUERY_STATE_CLOSE, QueryStateClose(id=first.id))
    results = TxReadWriteSet.FromString(context.simulator.finish().public)
    [query] = KVRWSet.FromString(results.ns_rwset[0].rwset).range_queries_info
    assert (query.end_key, query.itr_exhausted) == ("k100", False)
    assert len(query.raw_reads.kv_reads) == 101 or query.reads_merkle_hashes.max_level


async def test_a_closed_or_finished_query_is_unknown(context: Context) -> None:
    first = ask(context, M.GET_STATE_BY_RANGE, by_range())
    ask(context, M.QUERY_STATE_CLOSE, QueryStateClose(id=first.id))
    ask(context, M.QUERY_STATE_CLOSE, QueryStateClose(id=first.id))
    finished = ask(context, M.GET_STATE_BY_RANGE, by_range(end="k005"))
    for identifier in (first.id, finished.id, "none"):
        with pytest.raises(ChaincodeFailed, match="query iterator not found"):
            ask(context, M.QUERY_STATE_NEXT, QueryStateNext(id=identifier))


async def test_queries_end_with_the_transaction(context: Context) -> None:
    first = ask(context, M.GET_STATE_BY_RANGE, by_range())
    context.finish(M())
    with pytest.raises(ChaincodeFailed, match="query iterator not found"):
        ask(context, M.QUERY_STATE_NEXT, QueryStateNext(id=first.id))


async def test_a_page_of_the_callers_size_comes_whole_with_its_bookmark(context: Context) -> None:
    bookmark, seen = "", []
    for expected in (120, 120, 10):
        answer = ask(context, M.GET_STATE_BY_RANGE, by_range(size=120, bookmark=bookmark))
        metadata = QueryResponseMetadata.FromString(answer.metadata)
        assert (metadata.fetched_records_count, answer.has_more) == (expected, False)
        seen += keys(answer)
        bookmark = metadata.bookmark
    assert bookmark == ""
    assert len(seen) == len(set(seen)) == KEYS


@pytest.mark.parametrize(
    ("size", "sizes"),
    [(0, [100, 100, 50]), (3, [3]), (100, [100]), (101, [100, 100, 50]), (-1, [100, 100, 50])],
)
async def test_a_page_of_private_keys_ends_with_its_first_message(
    context: Context, size: int, sizes: list[int]
) -> None:
    """As in Fabric (handler.go, HandleGetStateByRange; seen: seed 992), without a bookmark."""
    first = ask(context, M.GET_STATE_BY_RANGE, by_range(size=size, collection=OWN))
    found = list(pages(context, first))
    assert [len(each.results) for each in found] == sizes
    assert not any(each.metadata for each in found)


async def test_a_query_ends_at_the_peers_limit(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TOTAL_QUERY_LIMIT", 150)
    found = list(pages(context, ask(context, M.GET_STATE_BY_RANGE, by_range())))
    assert sum(len(each.results) for each in found) == 150
    assert len(ask(context, M.GET_STATE_BY_RANGE, by_range(size=200)).results) == 150


async def test_there_are_no_rich_queries(context: Context) -> None:
    paged = QueryMetadata(pageSize=1).SerializeToString()
    for metadata, text in ((b"", "ExecuteQuery not"), (paged, "ExecuteQueryWithMetadata not")):
        with pytest.raises(ChaincodeFailed, match=f"{text} supported for leveldb"):
            ask(context, M.GET_QUERY_RESULT, GetQueryResult(query="{}", metadata=metadata))


async def test_a_batch_is_written_in_its_order(context: Context) -> None:
    batch = WriteBatchState(
        rec=[
            WriteRecord(key="a", value=b"1", type=WriteRecord.PUT_STATE),
            WriteRecord(key="a", type=WriteRecord.DEL_STATE),
            WriteRecord(key="b", value=b"2", type=WriteRecord.PUT_STATE),
        ]
    )
    REQUESTS[M.WRITE_BATCH_STATE](context, batch.SerializeToString())
    results = TxReadWriteSet.FromString(context.simulator.finish().public)
    writes = KVRWSet.FromString(results.ns_rwset[0].rwset).writes
    assert [(each.key, each.is_delete) for each in writes] == [("a", True), ("b", False)]


async def test_a_batch_with_an_unknown_write_is_refused(context: Context) -> None:
    batch = WriteBatchState(rec=[WriteRecord(key="a")])
    with pytest.raises(ChaincodeFailed, match="unknown operation type"):
        REQUESTS[M.WRITE_BATCH_STATE](context, batch.SerializeToString())
