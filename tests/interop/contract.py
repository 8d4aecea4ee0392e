# SPDX-License-Identifier: Apache-2.0
"""Our contract under test: it carries out scripts, as its siblings in other shims do.

A script is a JSON list of steps, `[name, argument...]`; the answer is the JSON list of what they
gave. Text stands for bytes; null for a key that is not there.
"""

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

from pedchain_fabric.shim import Context, Contract, Refusal, Stub, evaluate, submit
from pedchain_fabric.shim.keypolicy import all_of, organizations

Step = Callable[..., Awaitable[Any]]


class Script(Contract):
    """The default contract."""

    name = "script"

    @submit
    async def run(self, ctx: Context, script: str) -> str:
        answers = [await STEPS[name](ctx, *rest) for name, *rest in json.loads(script)]
        return json.dumps(answers, separators=(",", ":"))

    @evaluate
    async def echo(self, ctx: Context, argument: bytes) -> str:
        return argument.hex()


class Second(Contract):
    """Another contract of the same chaincode, reached by its name."""

    name = "second"

    @evaluate
    async def name_of(self, ctx: Context) -> str:
        return self.name


def _text(value: bytes | None) -> str | None:
    return value.decode() if value else None


def _policy(names: list[str]) -> bytes:
    return all_of(names) if names else b""


async def _get(ctx: Context, key: str) -> str | None:
    return _text(await ctx.stub.get_state(key))


async def _put(ctx: Context, key: str, value: str) -> None:
    await ctx.stub.put_state(key, value.encode())


async def _put_large(ctx: Context, key: str, size: int) -> None:
    await ctx.stub.put_state(key, bytes(size))


async def _random(ctx: Context, key: str) -> None:
    await ctx.stub.put_state(key, os.urandom(8).hex().encode())


async def _delete(ctx: Context, key: str) -> None:
    await ctx.stub.del_state(key)


async def _range(ctx: Context, start: str, end: str) -> list[list[str]]:
    return [[each.key, each.value.decode()] async for each in ctx.stub.range(start, end)]


async def _page(ctx: Context, start: str, end: str, size: int, bookmark: str) -> list[Any]:
    page = await ctx.stub.range_page(start, end, size, bookmark)
    return [[each.key for each in page.items], page.bookmark]


async def _composite_put(ctx: Context, kind: str, parts: list[str], value: str) -> None:
    await ctx.stub.put_state(ctx.stub.create_composite_key(kind, parts), value.encode())


async def _composite(ctx: Context, kind: str, parts: list[str]) -> list[Any]:
    found = [each async for each in ctx.stub.partial_composite(kind, parts)]
    return [[*_split(ctx.stub, each.key), each.value.decode()] for each in found]


def _split(stub: Stub, key: str) -> list[Any]:
    kind, parts = stub.split_composite_key(key)
    return [kind, list(parts)]


async def _history(ctx: Context, key: str) -> list[list[Any]]:
    found = [each async for each in ctx.stub.history(key)]
    return [[each.transaction_id, None if each.is_delete else _text(each.value)] for each in found]


async def _set_policy(ctx: Context, key: str, names: list[str]) -> None:
    await ctx.stub.set_key_policy(key, _policy(names))


async def _get_policy(ctx: Context, key: str) -> list[str] | None:
    found = await ctx.stub.get_key_policy(key)
    return sorted(organizations(found)) if found else None


async def _private_put(ctx: Context, collection: str, key: str, transient: str) -> None:
    await ctx.stub.put_private(collection, key, ctx.stub.transient[transient])


async def _private_get(ctx: Context, collection: str, key: str) -> str | None:
    return _text(await ctx.stub.get_private(collection, key))


async def _private_hash(ctx: Context, collection: str, key: str) -> str | None:
    found = await ctx.stub.get_private_hash(collection, key)
    return found.hex() if found else None


async def _private_delete(ctx: Context, collection: str, key: str) -> None:
    await ctx.stub.del_private(collection, key)


async def _private_purge(ctx: Context, collection: str, key: str) -> None:
    await ctx.stub.purge_private(collection, key)


async def _private_range(ctx: Context, collection: str, start: str, end: str) -> list[list[str]]:
    found = ctx.stub.private_range(collection, start, end)
    return [[each.key, each.value.decode()] async for each in found]


async def _private_set_policy(ctx: Context, collection: str, key: str, names: list[str]) -> None:
    await ctx.stub.set_key_policy(key, _policy(names), collection)


async def _event(ctx: Context, name: str, payload: str) -> None:
    await ctx.stub.set_event(name, payload.encode())


async def _transient(ctx: Context, name: str) -> str | None:
    return _text(ctx.stub.transient.get(name))


async def _fail(ctx: Context, message: str) -> None:
    raise Refusal("failed", message)


async def _call(ctx: Context, chaincode: str, *arguments: str) -> str:
    return (await ctx.stub.invoke_chaincode(chaincode, *arguments)).decode()


async def _transaction(ctx: Context) -> list[str]:
    return [ctx.stub.transaction_id, ctx.stub.channel_id, str(ctx.stub.timestamp_ns)]


async def _caller(ctx: Context) -> list[str]:
    return [ctx.client.msp_id, ctx.client.id]


STEPS: dict[str, Step] = {
    "get": _get,
    "put": _put,
    "put_large": _put_large,
    "random": _random,
    "delete": _delete,
    "range": _range,
    "page": _page,
    "composite_put": _composite_put,
    "composite": _composite,
    "history": _history,
    "set_policy": _set_policy,
    "get_policy": _get_policy,
    "private_put": _private_put,
    "private_get": _private_get,
    "private_hash": _private_hash,
    "private_delete": _private_delete,
    "private_purge": _private_purge,
    "private_range": _private_range,
    "private_set_policy": _private_set_policy,
    "event": _event,
    "transient": _transient,
    "fail": _fail,
    "call": _call,
    "transaction": _transaction,
    "caller": _caller,
}
