# SPDX-License-Identifier: Apache-2.0
"""Every function of the stub, through the protocol, with peers of all abilities."""

import asyncio
import hashlib
import json

import pytest

from pedchain_fabric.errors import WireError
from pedchain_fabric.shim import (
    CalledChaincodeError,
    Context,
    Contract,
    PeerError,
    StubError,
    evaluate,
    submit,
)
from pedchain_fabric.shim.abilities import Abilities
from pedchain_fabric.shim.keypolicy import all_of, organizations
from pedchain_fabric.shim.testing import CommitRefused, MemoryPeer, TransactionFailed, creator


class Book(Contract):
    name = "book"

    @submit
    async def put(self, ctx: Context, key: str, value: bytes) -> None:
        await ctx.stub.put_state(key, value)

    @submit
    async def put_many(self, ctx: Context, prefix: str, count: int) -> None:
        ctx.stub.start_write_batch()
        for number in range(count):
            await ctx.stub.put_state(f"{prefix}{number:04}", str(number).encode())

    @submit
    async def put_composite(self, ctx: Context, kind: str, first: str, second: str) -> None:
        key = ctx.stub.create_composite_key(kind, [first, second])
        await ctx.stub.put_state(key, key.encode())

    @submit
    async def delete(self, ctx: Context, key: str) -> None:
        await ctx.stub.del_state(key)

    @submit
    async def read_own_write(self, ctx: Context, key: str) -> bytes:
        await ctx.stub.put_state(key, b"new")
        return await ctx.stub.get_state(key) or b"nothing"

    @evaluate
    async def get(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_state(key) or b"nothing"

    @evaluate
    async def get_many(self, ctx: Context, keys: str) -> str:
        values = await ctx.stub.get_states(json.loads(keys))
        return json.dumps([value and value.decode() for value in values])

    @evaluate
    async def count(self, ctx: Context, start: str, end: str) -> str:
        return str(len([item async for item in ctx.stub.range(start, end)]))

    @evaluate
    async def some(self, ctx: Context, limit: int) -> str:
        async with ctx.stub.range() as results:
            keys = [(await anext(results)).key for _ in range(limit)]
        return ",".join(keys) + "," + str(await ctx.stub.get_state("k0000"))

    @evaluate
    async def at_most(self, ctx: Context, limit: int) -> str:
        return str(len(await ctx.stub.range().all(limit)))

    @evaluate
    async def composite(self, ctx: Context, kind: str, first: str) -> str:
        found = await ctx.stub.partial_composite(kind, [first] if first else []).all()
        return json.dumps([ctx.stub.split_composite_key(item.key)[1] for item in found])

    @submit
    async def count_behind(self, ctx: Context, kind: str, after: str) -> None:
        found = await ctx.stub.partial_composite(kind, after=after.split(",")).all()
        await ctx.stub.put_state("behind", str(len(found)).encode())

    @evaluate
    async def pages(self, ctx: Context, size: int) -> str:
        pages, bookmark = [], ""
        while True:
            page = await ctx.stub.range_page("", "", size, bookmark)
            pages.append([item.key for item in page.items])
            bookmark = page.bookmark
            if not bookmark:
                return json.dumps(pages)

    @evaluate
    async def page_from(self, ctx: Context, bookmark: str) -> str:
        page = await ctx.stub.partial_composite_page("t", ["a"], 5, bookmark)
        return json.dumps([len(page.items), page.bookmark])

    @evaluate
    async def all_composites(self, ctx: Context) -> str:
        page = await ctx.stub.all_composite_page(10)
        return str(len(page.items))

    @submit
    async def page_then_write(self, ctx: Context) -> None:
        await ctx.stub.range_page("", "", 5)
        await ctx.stub.put_state("k", b"1")

    @submit
    async def write_then_private_range(self, ctx: Context) -> None:
        await ctx.stub.put_state("k", b"1")
        await ctx.stub.private_range("c").all()

    @evaluate
    async def history(self, ctx: Context, key: str) -> str:
        changes = await ctx.stub.history(key).all()
        return json.dumps(
            [[c.value.decode(), c.is_delete, c.timestamp_ns // 10**9] for c in changes]
        )

    @submit
    async def put_private(self, ctx: Context, key: str) -> None:
        await ctx.stub.put_private("c", key, ctx.stub.transient["value"])

    @submit
    async def del_private(self, ctx: Context, key: str) -> None:
        await ctx.stub.del_private("c", key)

    @submit
    async def purge_private(self, ctx: Context, key: str) -> None:
        await ctx.stub.purge_private("c", key)

    @evaluate
    async def private(self, ctx: Context, key: str) -> str:
        value = await ctx.stub.get_private("c", key)
        [again] = await ctx.stub.get_privates("c", [key])
        assert value == again
        hashed = await ctx.stub.get_private_hash("c", key)
        return json.dumps([value and value.decode(), hashed and hashed.hex()])

    @evaluate
    async def private_keys(self, ctx: Context) -> str:
        simple = [item.key async for item in ctx.stub.private_range("c")]
        composite = await ctx.stub.private_partial_composite("c", "t").all()
        return json.dumps([simple, len(composite)])

    @submit
    async def set_policy(self, ctx: Context, key: str, collection: str, msp_id: str) -> None:
        await ctx.stub.set_key_policy(key, all_of([msp_id]), collection)

    @evaluate
    async def policy(self, ctx: Context, key: str, collection: str) -> str:
        policy = await ctx.stub.get_key_policy(key, collection)
        return ",".join(organizations(policy)) if policy else "none"

    @submit
    async def batch(self, ctx: Context) -> None:
        ctx.stub.start_write_batch()
        await ctx.stub.put_state("a", b"1")
        await ctx.stub.put_state("a", b"2")
        await ctx.stub.put_state("b", b"1")
        await ctx.stub.del_state("b")
        await ctx.stub.set_key_policy("a", all_of(["XMSP"]))
        await ctx.stub.put_private("c", "a", b"1")
        await ctx.stub.put_private("c", "a", b"2")
        await ctx.stub.purge_private("c", "gone")
        await ctx.stub.finish_write_batch()
        await ctx.stub.put_state("single", b"1")

    @submit
    async def event(self, ctx: Context, name: str) -> None:
        await ctx.stub.set_event("Overwritten", b"0")
        await ctx.stub.set_event(name, b"1")

    @submit
    async def call_other(self, ctx: Context, chaincode: str, function: str, key: str) -> bytes:
        await ctx.stub.put_state("caller", b"1")
        return await ctx.stub.invoke_chaincode(chaincode, function, key, b"value")

    @submit
    async def call_twice(self, ctx: Context, chaincode: str) -> None:
        await ctx.stub.invoke_chaincode(chaincode, "Keep", "k1", b"1")
        await ctx.stub.invoke_chaincode(chaincode, "Keep", "k2", b"2")

    @evaluate
    async def catch_other(self, ctx: Context, chaincode: str, channel: str) -> str:
        try:
            await ctx.stub.invoke_chaincode(chaincode, "Refuse", channel=channel)
        except CalledChaincodeError as error:
            return f"{error.status} {error.message}"
        except PeerError as error:
            return f"peer: {error.message.rpartition(': ')[2]}"
        return "no error"

    @evaluate
    async def transaction(self, ctx: Context) -> str:
        stub = ctx.stub
        return json.dumps(
            {
                "id": stub.transaction_id,
                "channel": stub.channel_id,
                "time": [stub.timestamp, stub.timestamp_ns],
                "args": [part.decode() for part in stub.args],
                "transient": {name: value.decode() for name, value in stub.transient.items()},
                "binding": stub.binding.hex(),
                "decorations": dict(stub.decorations),
                "signed": stub.signed_proposal is not None,
                "init": stub.is_init,
                "msp": ctx.client.msp_id,
            }
        )

    @evaluate
    async def write(self, ctx: Context) -> None:
        await ctx.stub.put_state("k", b"1")

    @evaluate
    async def rich(self, ctx: Context) -> str:
        texts = []
        for query in (
            ctx.stub.query("{}").all(),
            ctx.stub.private_query("c", "{}").all(),
            ctx.stub.query_page("{}", 1),
        ):
            with pytest.raises(PeerError) as refused:
                await query
            texts.append(refused.value.message.rpartition(": ")[2])
        return ";".join(texts)

    @submit
    async def concurrent(self, ctx: Context, count: int) -> str:
        writes = [ctx.stub.put_state(f"c{number}", b"1") for number in range(count)]
        reads = [ctx.stub.get_state(f"c{number}") for number in range(count)]
        results = await asyncio.gather(*writes, *reads)
        return str(results.count(None))


class Other(Contract):
    name = "other"

    @submit
    async def keep(self, ctx: Context, key: str, value: bytes) -> bytes:
        await ctx.stub.put_state(key, value)
        await ctx.stub.set_event("Inner", b"")
        return ctx.client.msp_id.encode()

    @submit
    async def refuse(self, ctx: Context) -> None:
        raise StubError("refused")


@pytest.fixture(params=[Abilities(1000, 1000), Abilities(100, 100), Abilities()])
def peer(request: pytest.FixtureRequest) -> MemoryPeer:
    peer = MemoryPeer(offered=request.param)
    peer.install("book", Book(), collections=["c"])
    peer.install("other", Other())
    return peer


@pytest.mark.complete("shim-GetState", "shim-PutState", "shim-DelState")
async def test_values_are_put_read_and_deleted(peer: MemoryPeer) -> None:
    await peer.submit("book", "Put", "k", b"\xff\x00")
    assert await peer.evaluate("book", "Get", "k") == b"\xff\x00"
    await peer.submit("book", "Delete", "k")
    assert await peer.evaluate("book", "Get", "k") == b"nothing"
    await peer.submit("book", "Put", "k", b"")
    assert peer.state("book") == {}


@pytest.mark.complete("shim-GetState")
async def test_a_transaction_does_not_see_its_own_writes(peer: MemoryPeer) -> None:
    assert await peer.submit("book", "ReadOwnWrite", "k") == b"nothing"
    assert await peer.submit("book", "ReadOwnWrite", "k") == b"new"


@pytest.mark.complete("shim-GetMultipleStates")
async def test_many_keys_are_read_in_their_order_in_chunks(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutMany", "k", "250")
    keys = [f"k{number:04}" for number in range(249, -1, -1)] + ["missing"]
    answer = json.loads(await peer.evaluate("book", "GetMany", json.dumps(keys)))
    assert answer == [str(number) for number in range(249, -1, -1)] + [None]
    assert await peer.evaluate("book", "GetMany", "[]") == b"[]"


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
    "shim-GetPrivateData",
    "shim-GetMultiplePrivateData",
    "shim-GetPrivateDataHash",
    "shim-PutPrivateData",
    "shim-DelPrivateData",
    "shim-PurgePrivateData",
)
async def test_private_data_is_kept_hashed_deleted_and_purged(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutPrivate", "k", transient={"value": b"secret"})
    digest = hashlib.sha256(b"secret").hexdigest()
    assert json.loads(await peer.evaluate("book", "Private", "k")) == ["secret", digest]
    assert peer.last is not None
    assert b"secret" not in peer.last.results
    assert json.loads(await peer.evaluate("book", "PrivateKeys")) == [["k"], 0]
    await peer.submit("book", "PurgePrivate", "k")
    assert peer.last.namespaces[0].collections[0].writes[0].is_purge
    assert json.loads(await peer.evaluate("book", "Private", "k")) == [None, None]
    await peer.submit("book", "PutPrivate", "k", transient={"value": b"secret"})
    await peer.submit("book", "DelPrivate", "k")
    assert peer.private("book", "c") == {}


@pytest.mark.complete("shim-SetStateValidationParameter", "shim-GetStateValidationParameter")
async def test_key_policies_need_a_value_and_die_with_it(peer: MemoryPeer) -> None:
    await peer.submit("book", "SetPolicy", "k", "", "AMSP")
    assert await peer.evaluate("book", "Policy", "k", "") == b"none"
    await peer.submit("book", "Put", "k", b"1")
    await peer.submit("book", "SetPolicy", "k", "", "AMSP")
    await peer.submit("book", "Put", "k", b"2")
    assert await peer.evaluate("book", "Policy", "k", "") == b"AMSP"
    await peer.submit("book", "Delete", "k")
    await peer.submit("book", "Put", "k", b"3")
    assert await peer.evaluate("book", "Policy", "k", "") == b"none"


@pytest.mark.complete(
    "shim-SetPrivateDataValidationParameter", "shim-GetPrivateDataValidationParameter"
)
async def test_private_keys_have_policies_too(peer: MemoryPeer) -> None:
    await peer.submit("book", "PutPrivate", "k", transient={"value": b"1"})
    await peer.submit("book", "SetPolicy", "k", "c", "BMSP")
    assert await peer.evaluate("book", "Policy", "k", "c") == b"BMSP"


@pytest.mark.complete("statebased-ListOrgs", "statebased-Policy")
def test_a_key_policy_names_its_organisations_in_order() -> None:
    assert organizations(all_of(["BMSP", "AMSP", "BMSP"])) == ("AMSP", "BMSP")
    with pytest.raises(WireError):
        organizations(b"\xff\xff")


@pytest.mark.complete("shim-StartWriteBatch")
async def test_a_batch_writes_what_single_writes_would(peer: MemoryPeer) -> None:
    await peer.submit("book", "Batch")
    assert peer.state("book") == {"a": b"2", "single": b"1"}
    assert peer.private("book", "c") == {"a": b"2"}
    assert await peer.evaluate("book", "Policy", "a", "") == b"XMSP"


@pytest.mark.complete("shim-StartWriteBatch", "shim-FinishWriteBatch")
async def test_a_batch_is_one_message_where_the_peer_takes_it() -> None:
    peer = MemoryPeer(offered=Abilities(100, 0))
    peer.install("book", Book(), collections=["c"])
    await peer.submit("book", "Batch")
    assert peer.sent("book")[1:] == ["WRITE_BATCH_STATE", "PUT_STATE", "COMPLETED"]
    await peer.submit("book", "PutMany", "k", "201")
    assert peer.sent("book")[4:] == ["WRITE_BATCH_STATE"] * 3 + ["COMPLETED"]


@pytest.mark.complete("shim-SetEvent")
async def test_the_last_event_counts_and_only_if_committed(peer: MemoryPeer) -> None:
    await peer.submit("book", "Event", "Issued")
    await peer.evaluate("book", "Event", "Evaluated")
    with pytest.raises(TransactionFailed, match="event name"):
        await peer.submit("book", "Event", "")
    assert peer.events == [("book", "Issued", b"1")]


@pytest.mark.complete("shim-InvokeChaincode")
async def test_a_called_chaincode_writes_its_own_state_for_the_same_client(
    peer: MemoryPeer,
) -> None:
    answer = await peer.submit("book", "CallOther", "other", "Keep", "k", creator=creator("XMSP"))
    assert answer == b"XMSP"
    assert (peer.state("book"), peer.state("other")) == ({"caller": b"1"}, {"k": b"value"})
    assert peer.events == []  # the called chaincode's event does not count


async def test_a_chaincode_can_be_called_again_once_it_has_answered(peer: MemoryPeer) -> None:
    await peer.submit("book", "CallTwice", "other")
    assert peer.state("other") == {"k1": b"1", "k2": b"2"}


@pytest.mark.complete("shim-InvokeChaincode")
async def test_a_called_chaincodes_refusal_raises_with_its_status(peer: MemoryPeer) -> None:
    assert await peer.evaluate("book", "CatchOther", "other", "") == b"500 refused"
    assert await peer.evaluate("book", "CatchOther", "other", "ped") == b"500 refused"
    missing = await peer.evaluate("book", "CatchOther", "missing", "")
    assert missing == b"peer: chaincode missing not found"
    with pytest.raises(TransactionFailed, match="unknown-transaction"):
        await peer.submit("book", "CallOther", "other", "Nope", "k")


@pytest.mark.complete("shim-InvokeChaincode")
async def test_a_package_cannot_be_called_twice_within_a_transaction(peer: MemoryPeer) -> None:
    assert b"exists" in await peer.evaluate("book", "CatchOther", "book", "")


@pytest.mark.complete(
    "shim-GetArgs",
    "shim-GetTxID",
    "shim-GetChannelID",
    "shim-GetTransient",
    "shim-GetBinding",
    "shim-GetTxTimestamp",
    "shim-GetCreator",
)
async def test_the_transaction_is_described(peer: MemoryPeer) -> None:
    answer = await peer.evaluate(
        "book", "book:Transaction", transient={"a": b"b"}, creator=creator("XMSP")
    )
    described = json.loads(answer)
    assert peer.last is not None
    nonce, client = (1).to_bytes(24), creator("XMSP")
    assert described == {
        "id": hashlib.sha256(nonce + client).hexdigest(),
        "channel": "ped",
        "time": [peer.now, peer.now * 10**9],
        "args": ["book:Transaction"],
        "transient": {"a": "b"},
        "binding": hashlib.sha256(nonce + client + bytes(8)).hexdigest(),
        "decorations": {},
        "signed": True,
        "init": False,
        "msp": "XMSP",
    }


@pytest.mark.complete("shim-Chaincode-Invoke")
async def test_a_query_cannot_write(peer: MemoryPeer) -> None:
    with pytest.raises(TransactionFailed, match="declared @evaluate does not write"):
        await peer.submit("book", "Write")


@pytest.mark.complete(
    "shim-GetQueryResult", "shim-GetQueryResultWithPagination", "shim-GetPrivateDataQueryResult"
)
async def test_rich_queries_reach_the_peer(peer: MemoryPeer) -> None:
    answer = await peer.evaluate("book", "Rich")
    assert answer.count(b"not supported for leveldb") == 3


async def test_concurrent_calls_of_a_transaction_are_all_made(peer: MemoryPeer) -> None:
    assert await peer.submit("book", "Concurrent", "50") == b"100"
    assert len(peer.state("book")) == 50


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("Put", ["", "v"]),
        ("Get", [""]),
        ("Delete", [""]),
        ("History", [""]),
        ("PurgePrivate", [""]),
        ("SetPolicy", ["", "c", "AMSP"]),
    ],
)
@pytest.mark.complete("shim-GetState", "shim-PutState", "shim-DelState")
async def test_an_empty_key_is_refused(peer: MemoryPeer, function: str, args: list[str]) -> None:
    with pytest.raises(TransactionFailed, match="key must not be an empty string"):
        await peer.submit("book", function, *args)


@pytest.mark.complete("shim-GetStateByRange")
async def test_simple_ranges_cannot_start_among_composite_keys(peer: MemoryPeer) -> None:
    for bounds in (("\0a", ""), ("", "\0a")):
        with pytest.raises(TransactionFailed, match=r"must not start with U\+0000"):
            await peer.evaluate("book", "Count", *bounds)
