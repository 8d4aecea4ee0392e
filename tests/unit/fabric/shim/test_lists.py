# SPDX-License-Identifier: Apache-2.0
"""Ranges, composite keys, pages, history: what comes in batches, from peers of all abilities."""

import json

import pytest

from pedchain_fabric.shim.testing import CommitRefused, MemoryPeer, TransactionFailed
from tests.unit.fabric.shim.book import ABILITIES, installed


@pytest.fixture(params=ABILITIES)
def peer(request: pytest.FixtureRequest) -> MemoryPeer:
    return installed(request.param)


@pytest.mark.complete("shim-GetStateByRange", "shim-iterators")
async def test_a_range_comes_in_batches_and_is_half_open(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutMany", "k", "250")
    assert await peer.evaluate("book", "Count", "", "") == b"250"
    assert await peer.evaluate("book", "Count", "k0010", "k0020") == b"10"
    assert await peer.evaluate("book", "Count", "k0249", "") == b"1"


@pytest.mark.complete("shim-iterators")
async def test_a_range_left_early_is_closed_at_the_peer(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutMany", "k", "250")
    assert await peer.evaluate("book", "Some", "2") == b"k0000,k0001,b'0'"
    assert "QUERY_STATE_CLOSE" in peer.sent("book")


@pytest.mark.complete("shim-iterators")
async def test_more_results_than_wanted_are_an_error_not_a_cut(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutMany", "k", "250")
    assert await peer.evaluate("book", "AtMost", "250") == b"250"
    with pytest.raises(TransactionFailed, match="more than 249 results"):
        await peer.evaluate("book", "AtMost", "249")


@pytest.mark.complete(
    "shim-GetStateByPartialCompositeKey",
    "shim-GetAllStatesCompositeKeyWithPagination",
    "shim-CreateCompositeKey",
    "shim-SplitCompositeKey",
)
async def test_composite_keys_are_found_by_their_first_parts(peer: MemoryPeer) -> None:
    for first, second in (("a", "1"), ("a", "2"), ("ab", "3"), ("", "4")):
        await peer.submit("book", "PutComposite", "t", first, second)
    await peer.submit("book", "Put", "simple", b"1")
    assert json.loads(await peer.evaluate("book", "Composite", "t", "a")) == [
        ["a", "1"],
        ["a", "2"],
    ]
    assert len(json.loads(await peer.evaluate("book", "Composite", "t", ""))) == 4
    assert await peer.evaluate("book", "AllComposites") == b"4"
    assert await peer.evaluate("book", "Count", "", "") == b"1"  # composite keys stay out


@pytest.mark.complete("shim-GetStateByPartialCompositeKey")
async def test_a_list_walked_from_behind_a_key_depends_on_what_lies_behind_it_only(
    peer: MemoryPeer,
) -> None:
    for first, second in (("a", "1"), ("a", "2"), ("ab", "3"), ("b", "4")):
        await peer.submit("book", "PutComposite", "t", first, second)
    for after, count in (("a,1", b"3"), ("a", b"4"), ("aa", b"2"), ("a,2", b"2"), ("b,4", b"0")):
        await peer.submit("book", "CountBehind", "t", after)
        assert peer.last.writes["behind"] == count, after
    walked = await peer.endorse("book", "CountBehind", "t", "a,2")
    await peer.submit("book", "PutComposite", "t", "a", "15")
    peer.commit(walked)
    walked = await peer.endorse("book", "CountBehind", "t", "a,2")
    await peer.submit("book", "PutComposite", "t", "a", "20")
    with pytest.raises(CommitRefused, match="PHANTOM_READ_CONFLICT"):
        peer.commit(walked)


@pytest.mark.parametrize("part", ["a\0b", "\U0010ffff"])
@pytest.mark.complete("shim-CreateCompositeKey", "shim-GetStateByPartialCompositeKey")
async def test_forbidden_characters_in_composite_parts_are_refused(
    peer: MemoryPeer, part: str
) -> None:
    for function in ("PutComposite", "Composite"):
        args = [part, "a", "b"] if function == "PutComposite" else [part, "a"]
        with pytest.raises(TransactionFailed, match=r"U\+0000 or U\+10FFFF"):
            await peer.submit("book", function, *args)


@pytest.mark.complete("shim-GetStateByRange")
async def test_simple_ranges_cannot_start_among_composite_keys(peer: MemoryPeer) -> None:
    for bounds in (("\0a", ""), ("", "\0a")):
        with pytest.raises(TransactionFailed, match=r"must not start with U\+0000"):
            await peer.evaluate("book", "Count", *bounds)


@pytest.mark.complete("shim-GetStateByRangeWithPagination")
async def test_pages_follow_their_bookmarks(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutMany", "k", "7")
    pages = json.loads(await peer.evaluate("book", "Pages", "3"))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [key for page in pages for key in page] == [f"k{number:04}" for number in range(7)]


@pytest.mark.complete(
    "shim-GetStateByRangeWithPagination", "shim-GetStateByPartialCompositeKeyWithPagination"
)
async def test_a_bookmark_cannot_leave_the_range(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutComposite", "t", "a", "1")
    assert json.loads(await peer.evaluate("book", "PageFrom", "")) == [1, ""]
    for bookmark in ("\0", "\0t\0b", "zzz"):
        with pytest.raises(TransactionFailed, match="bookmark lies outside"):
            await peer.evaluate("book", "PageFrom", bookmark)


@pytest.mark.complete("shim-GetStateByRangeWithPagination")
async def test_page_sizes_are_bounded(peer: MemoryPeer) -> None:
    for size in ("0", "-1", str(2**31)):
        with pytest.raises(TransactionFailed, match="page size"):
            await peer.evaluate("book", "Pages", size)


@pytest.mark.complete("shim-GetStateByRangeWithPagination", "shim-GetPrivateDataByRange")
async def test_paged_and_private_ranges_exclude_writes(peer: MemoryPeer) -> None:
    with pytest.raises(TransactionFailed, match="already performed a paginated query"):
        await peer.submit("book", "PageThenWrite")
    with pytest.raises(TransactionFailed, match="only in a read-only transaction"):
        await peer.submit("book", "WriteThenPrivateRange")


@pytest.mark.complete("shim-GetHistoryForKey")
async def test_history_is_newest_first_with_deletions(peer: MemoryPeer) -> None:
    for value in (b"1", b"2"):
        await peer.submit("book", "Put", "k", value)
        peer.now += 60
    await peer.submit("book", "Delete", "k")
    start = peer.now - 120
    assert json.loads(await peer.evaluate("book", "History", "k")) == [
        ["", True, start + 120],
        ["2", False, start + 60],
        ["1", False, start],
    ]


@pytest.mark.complete(
    "shim-GetQueryResult", "shim-GetQueryResultWithPagination", "shim-GetPrivateDataQueryResult"
)
async def test_rich_queries_reach_the_peer(peer: MemoryPeer) -> None:
    answer = await peer.evaluate("book", "Rich")
    assert answer.count(b"not supported for leveldb") == 3
