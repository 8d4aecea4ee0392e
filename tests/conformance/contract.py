# SPDX-License-Identifier: Apache-2.0
"""Contracts that exercise every function of the stub, one small method each."""

import asyncio
import json
from collections.abc import AsyncIterator

from pedchain_fabric.shim import (
    CalledChaincodeError,
    Context,
    Contract,
    KeyValue,
    Page,
    PeerError,
    Refusal,
    evaluate,
    submit,
)
from pedchain_fabric.shim.keypolicy import all_of, organizations


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


async def _pairs(results: AsyncIterator[KeyValue]) -> str:
    return _json([[item.key, item.value.decode()] async for item in results])


def _page(page: Page) -> str:
    return _json([[item.key for item in page.items], page.bookmark])


class State(Contract):
    """Public state, ranges, batches, history, key policies."""

    name = "state"

    @submit
    async def put(self, ctx: Context, key: str, value: bytes) -> None:
        await ctx.stub.put_state(key, value)

    @submit
    async def put_many(self, ctx: Context, prefix: str, count: int) -> None:
        for number in range(count):
            await ctx.stub.put_state(f"{prefix}{number:04}", str(number).encode())

    @submit
    async def put_large(self, ctx: Context, key: str, size: int) -> None:
        await ctx.stub.put_state(key, b"x" * size)

    @submit
    async def put_composite(self, ctx: Context, kind: str, attributes: str) -> None:
        key = ctx.stub.create_composite_key(kind, attributes.split(","))
        await ctx.stub.put_state(key, b"1")

    @submit
    async def delete(self, ctx: Context, key: str) -> None:
        await ctx.stub.del_state(key)

    @submit
    async def put_then_delete(self, ctx: Context, key: str) -> None:
        await ctx.stub.put_state(key, b"1")
        await ctx.stub.del_state(key)

    @submit
    async def read_own_write(self, ctx: Context, key: str) -> str:
        before = await ctx.stub.get_state(key)
        await ctx.stub.put_state(key, b"own")
        return _json([_text(before), _text(await ctx.stub.get_state(key))])

    @submit
    async def copy(self, ctx: Context, sources: str, target: str) -> None:
        values = await ctx.stub.get_states(sources.split(","))
        await ctx.stub.put_state(target, _json([_text(value) for value in values]).encode())

    @submit
    async def at_once(self, ctx: Context, prefix: str, count: int) -> str:
        keys = [f"{prefix}{number}" for number in range(count)]
        reads = [ctx.stub.get_state(key) for key in keys]
        writes = [ctx.stub.put_state(key, b"1") for key in keys]
        results = await asyncio.gather(*reads, *writes)
        return str(len(results))

    @submit
    async def count_into(self, ctx: Context, start: str, end: str, target: str) -> None:
        found = await ctx.stub.range(start, end).all()
        await ctx.stub.put_state(target, str(len(found)).encode())

    @submit
    async def take_into(self, ctx: Context, start: str, count: int, target: str) -> None:
        async with ctx.stub.range(start) as results:
            keys = [(await anext(results)).key for _ in range(count)]
        await ctx.stub.put_state(target, ",".join(keys).encode())

    @submit
    async def count_composite_into(self, ctx: Context, kind: str, target: str) -> None:
        found = await ctx.stub.partial_composite(kind).all()
        await ctx.stub.put_state(target, str(len(found)).encode())

    @evaluate
    async def get(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_state(key) or b"(none)"

    @evaluate
    async def length(self, ctx: Context, key: str) -> str:
        return str(len(await ctx.stub.get_state(key) or b""))

    @evaluate
    async def get_many(self, ctx: Context, keys: str) -> str:
        return _json([_text(v) for v in await ctx.stub.get_states(keys.split(","))])

    @evaluate
    async def range(self, ctx: Context, start: str, end: str) -> str:
        return await _pairs(ctx.stub.range(start, end))

    @evaluate
    async def count(self, ctx: Context, start: str, end: str) -> str:
        return str(len(await ctx.stub.range(start, end).all()))

    @evaluate
    async def composite(self, ctx: Context, kind: str, attributes: str) -> str:
        parts = attributes.split(",") if attributes else []
        found = await ctx.stub.partial_composite(kind, parts).all()
        return _json([ctx.stub.split_composite_key(item.key) for item in found])

    @evaluate
    async def composite_behind(self, ctx: Context, kind: str, attributes: str, after: str) -> str:
        parts = attributes.split(",") if attributes else []
        found = await ctx.stub.partial_composite(kind, parts, after=after.split(",")).all()
        return _json([ctx.stub.split_composite_key(item.key) for item in found])

    @evaluate
    async def range_page(self, ctx: Context, start: str, end: str, size: int, bookmark: str) -> str:
        return _page(await ctx.stub.range_page(start, end, size, bookmark))

    @evaluate
    async def composite_page(self, ctx: Context, kind: str, size: int, bookmark: str) -> str:
        return _page(await ctx.stub.partial_composite_page(kind, [], size, bookmark))

    @evaluate
    async def all_composites_page(self, ctx: Context, size: int, bookmark: str) -> str:
        return _page(await ctx.stub.all_composite_page(size, bookmark))

    @submit
    async def page_then_write(self, ctx: Context, key: str) -> None:
        await ctx.stub.range_page("", "", 1)
        await ctx.stub.put_state(key, b"1")

    @submit
    async def write_then_page(self, ctx: Context, key: str) -> None:
        await ctx.stub.put_state(key, b"1")
        await ctx.stub.range_page("", "", 1)

    @evaluate
    async def query(self, ctx: Context, text: str) -> str:
        return await _pairs(ctx.stub.query(text))

    @evaluate
    async def query_page(self, ctx: Context, text: str) -> str:
        return _page(await ctx.stub.query_page(text, 1))

    @evaluate
    async def history(self, ctx: Context, key: str) -> str:
        changes = await ctx.stub.history(key).all()
        assert all(change.timestamp_ns > 0 for change in changes)
        return _json([[c.transaction_id, c.value.decode(), c.is_delete] for c in changes])

    @submit
    async def batch(self, ctx: Context, prefix: str) -> None:
        ctx.stub.start_write_batch()
        await self._several(ctx, prefix)
        await ctx.stub.finish_write_batch()

    @submit
    async def singles(self, ctx: Context, prefix: str) -> None:
        await self._several(ctx, prefix)

    @submit
    async def batch_left_open(self, ctx: Context, prefix: str, count: int) -> None:
        ctx.stub.start_write_batch()
        await self.put_many(ctx, prefix, count)

    @submit
    async def refused_batch(self, ctx: Context) -> None:
        ctx.stub.start_write_batch()
        await ctx.stub.put_private("nowhere", "k", b"1")

    async def _several(self, ctx: Context, prefix: str) -> None:
        await ctx.stub.put_state(prefix + "a", b"1")
        await ctx.stub.put_state(prefix + "a", b"2")
        await ctx.stub.put_state(prefix + "b", b"1")
        await ctx.stub.del_state(prefix + "b")
        await ctx.stub.set_key_policy(prefix + "a", all_of(["DSOMSP"]))
        await ctx.stub.put_private("shared", prefix + "a", b"1")
        await ctx.stub.put_private("shared", prefix + "a", b"2")
        await ctx.stub.purge_private("shared", prefix + "gone")

    @submit
    async def set_policy(self, ctx: Context, key: str, collection: str, msp_ids: str) -> None:
        await ctx.stub.set_key_policy(key, all_of(msp_ids.split(",")), collection)

    @evaluate
    async def policy(self, ctx: Context, key: str, collection: str) -> str:
        policy = await ctx.stub.get_key_policy(key, collection)
        return _json(organizations(policy) if policy else None)


class Private(Contract):
    """Collections."""

    name = "private"

    @submit
    async def put(self, ctx: Context, collection: str, keys: str) -> None:
        for key in keys.split(","):
            await ctx.stub.put_private(collection, key, ctx.stub.transient["value"])

    @submit
    async def put_composite(self, ctx: Context, collection: str, attribute: str) -> None:
        key = ctx.stub.create_composite_key("t", [attribute])
        await ctx.stub.put_private(collection, key, ctx.stub.transient["value"])

    @submit
    async def delete(self, ctx: Context, collection: str, key: str) -> None:
        await ctx.stub.del_private(collection, key)

    @submit
    async def purge(self, ctx: Context, collection: str, key: str) -> None:
        await ctx.stub.purge_private(collection, key)

    @submit
    async def read_into(self, ctx: Context, collection: str, key: str, target: str) -> None:
        found = await ctx.stub.get_private(collection, key) is not None
        digest = await ctx.stub.get_private_hash(collection, key)
        await ctx.stub.put_state(target, _json([found, digest and digest.hex()]).encode())

    @evaluate
    async def get(self, ctx: Context, collection: str, key: str) -> bytes:
        return await ctx.stub.get_private(collection, key) or b"(none)"

    @evaluate
    async def get_many(self, ctx: Context, collection: str, keys: str) -> str:
        values = await ctx.stub.get_privates(collection, keys.split(","))
        return _json([_text(value) for value in values])

    @evaluate
    async def digest(self, ctx: Context, collection: str, key: str) -> str:
        return (await ctx.stub.get_private_hash(collection, key) or b"").hex() or "(none)"

    @evaluate
    async def range(self, ctx: Context, collection: str, start: str, end: str) -> str:
        return await _pairs(ctx.stub.private_range(collection, start, end))

    @evaluate
    async def composite(self, ctx: Context, collection: str) -> str:
        return await _pairs(ctx.stub.private_partial_composite(collection, "t"))

    @evaluate
    async def query(self, ctx: Context, collection: str) -> str:
        return await _pairs(ctx.stub.private_query(collection, "{}"))

    @submit
    async def range_then_write(self, ctx: Context, collection: str, key: str) -> None:
        await ctx.stub.private_range(collection).all()
        await ctx.stub.put_state(key, b"1")

    @submit
    async def write_then_range(self, ctx: Context, collection: str, key: str) -> None:
        await ctx.stub.put_state(key, b"1")
        await ctx.stub.private_range(collection).all()


class Call(Contract):
    """The transaction itself, events, failures, other chaincodes."""

    name = "call"

    @evaluate
    async def transaction(self, ctx: Context, _argument: bytes) -> str:
        stub = ctx.stub
        return _json(
            {
                "args": [part.decode() for part in stub.args],
                "binding": len(stub.binding),
                "channel": stub.channel_id,
                "decorations": sorted(stub.decorations),
                "id": stub.transaction_id,
                "init": stub.is_init,
                "signed": stub.signed_proposal is not None,
                "time": stub.timestamp > 0 and stub.timestamp == stub.timestamp_ns // 10**9,
                "transient": {name: _text(value) for name, value in stub.transient.items()},
            }
        )

    @evaluate
    async def client(self, ctx: Context) -> str:
        client = ctx.client
        return _json([client.msp_id, client.ous, dict(client.attributes), client.id])

    @submit
    async def event(self, ctx: Context, name: str, payload: bytes) -> None:
        await ctx.stub.set_event("Overwritten", b"")
        await ctx.stub.set_event(name, payload)

    @submit
    async def refuse(self, ctx: Context, reason: str, message: str) -> None:
        await ctx.stub.put_state("refused", b"1")
        raise Refusal(reason, message)

    @submit
    async def bug(self, ctx: Context, secret: str) -> None:
        raise RuntimeError(secret)

    @submit
    async def invoke(self, ctx: Context, chaincode: str, function: str, key: str) -> bytes:
        await ctx.stub.put_state("caller", b"1")
        return await ctx.stub.invoke_chaincode(chaincode, function, key)

    @submit
    async def invoke_twice(self, ctx: Context, chaincode: str, first: str, second: str) -> None:
        await ctx.stub.invoke_chaincode(chaincode, "Keep", first)
        await ctx.stub.invoke_chaincode(chaincode, "Keep", second)

    @submit
    async def catch(self, ctx: Context, chaincode: str, function: str, key: str) -> str:
        try:
            return _text(await ctx.stub.invoke_chaincode(chaincode, function, key)) or ""
        except CalledChaincodeError as error:
            return f"called: {error.status} {error.message}"
        except PeerError as error:
            return f"peer: {error.message}"

    @evaluate
    async def on_channel(self, ctx: Context, chaincode: str, channel: str) -> str:
        try:
            answer = await ctx.stub.invoke_chaincode(chaincode, "Get", "k", channel=channel)
        except PeerError as error:
            return f"peer: {error.message}"
        return answer.decode()


class Callee(Contract):
    """What is called by another chaincode."""

    name = "callee"

    @submit
    async def keep(self, ctx: Context, key: str) -> str:
        await ctx.stub.put_state(key, b"kept")
        await ctx.stub.set_event("Inner", b"")
        return ctx.client.msp_id

    @submit
    async def keep_and_refuse(self, ctx: Context, key: str) -> None:
        await ctx.stub.put_state(key, b"kept")
        raise Refusal("no")

    @submit
    async def batch_and_refuse(self, ctx: Context, key: str) -> None:
        ctx.stub.start_write_batch()
        await self.keep_and_refuse(ctx, key)

    @submit
    async def count_behind_into(self, ctx: Context, kind: str, after: str, target: str) -> None:
        found = await ctx.stub.partial_composite(kind, after=after.split(",")).all()
        await ctx.stub.put_state(target, str(len(found)).encode())

    @evaluate
    async def get(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_state(key) or b"(none)"


CONTRACTS = {"conformance": (State, Private, Call), "callee": (Callee,)}
