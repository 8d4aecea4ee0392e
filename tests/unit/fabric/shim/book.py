# SPDX-License-Identifier: Apache-2.0
"""Chaincodes on a peer in memory: `book` has a method for each function of the stub, `other` is
there to be called."""

import asyncio
import json

import pytest

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
from pedchain_fabric.shim.testing import MemoryPeer

ABILITIES = (Abilities(1000, 1000), Abilities(100, 100), Abilities())
"""Peers that take batches and many keys, small ones of both, and none."""


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


def installed(offered: Abilities = ABILITIES[0]) -> MemoryPeer:
    """A peer of these abilities that runs both."""
    peer = MemoryPeer(offered=offered)
    peer.install("book", Book(), collections=["c"])
    peer.install("other", Other())
    return peer
