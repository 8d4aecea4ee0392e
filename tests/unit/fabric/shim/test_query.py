# SPDX-License-Identifier: Apache-2.0
"""Results of a query that a peer may have cut off."""

from unittest.mock import AsyncMock

import pytest
from fabric_protos.peer.chaincode_shim_pb2 import QueryResponse, QueryResultBytes

from pedchain_fabric.shim import query
from pedchain_fabric.shim.errors import StubError
from pedchain_fabric.shim.query import Results


def answer(*items: bytes, more: bool = False) -> bytes:
    results = [QueryResultBytes(resultBytes=item) for item in items]
    return QueryResponse(results=results, has_more=more, id="q").SerializeToString()


def results(*answers: bytes) -> Results[bytes]:
    first, *later = answers
    return Results(
        AsyncMock(ask=AsyncMock(side_effect=later)), AsyncMock(return_value=first), bytes
    )


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "RESULTS", 3)


async def test_fewer_results_than_a_peer_may_give_are_all_there_are() -> None:
    assert await results(answer(b"a", more=True), answer(b"b")).all() == [b"a", b"b"]


@pytest.mark.fault(20)
@pytest.mark.complete("shim-GetStateByRange", "shim-iterators")
async def test_as_many_results_as_a_peer_may_give_are_never_taken_for_all() -> None:
    for cut in (answer(b"a", b"b", b"c"),), (answer(b"a", b"b", more=True), answer(b"c")):
        with pytest.raises(StubError, match="no more than 3 results"):
            await results(*cut).all()
        with pytest.raises(StubError, match="use pages"):
            async for _ in results(*cut):
                pass


async def test_who_leaves_early_has_not_been_cut_off() -> None:
    found = results(answer(b"a", b"b", b"c"))
    assert await anext(found) == b"a"
    await found.close()
    assert [item async for item in found] == []
