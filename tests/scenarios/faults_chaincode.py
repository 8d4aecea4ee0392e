# SPDX-License-Identifier: Apache-2.0
"""A contract for faults of the network: one contested key, and more keys than a query returns."""

import asyncio
import json
import sys

from pedchain_fabric.shim import Context, Contract, Package, Refusal, Tls, evaluate, serve, submit
from pedchain_fabric.shim.errors import StubError

PREFIX = "many"


class Faults(Contract):
    """Signatures under one key; keys under one prefix."""

    name = "faults"

    @submit
    async def sign(self, ctx: Context, key: str, name: str) -> bytes:
        """Add a name to the list under a key, once; the list."""
        names: list[str] = json.loads(await ctx.stub.get_state(key) or b"[]")
        if name not in names:
            names.append(name)
        signed = json.dumps(names).encode()
        await ctx.stub.put_state(key, signed)
        return signed

    @evaluate
    async def signed(self, ctx: Context, key: str) -> bytes:
        """The names under a key."""
        return await ctx.stub.get_state(key) or b"[]"

    @submit
    async def fill(self, ctx: Context, first: int, count: int) -> None:
        """Keys `first` and following, `count` in all."""
        ctx.stub.start_write_batch()
        for number in range(first, first + count):
            key = ctx.stub.create_composite_key(PREFIX, [f"{number:06}"])
            await ctx.stub.put_state(key, b"1")
        await ctx.stub.finish_write_batch()

    @evaluate
    async def count(self, ctx: Context) -> bytes:
        """How many keys there are, asked without pages; refused where that cannot be told."""
        found = 0
        try:
            async for _ in ctx.stub.partial_composite(PREFIX):
                found += 1
        except StubError as error:
            raise Refusal("cut-off", str(found)) from error
        return str(found).encode()

    @evaluate
    async def page(self, ctx: Context, size: int, bookmark: str) -> bytes:
        """How many keys a page has, its first and last, and where the next one starts."""
        page = await ctx.stub.partial_composite_page(PREFIX, [], size, bookmark)
        ends = [ctx.stub.split_composite_key(page.items[at].key)[1][0] for at in (0, -1)]
        found = {"count": len(page.items), "ends": ends, "bookmark": page.bookmark}
        return json.dumps(found).encode()


def package(text: str) -> Package:
    """The package that `name=address=ccid` describes."""
    _, address, ccid = text.split("=", 2)
    return Package(ccid, address, [Faults()], tls=Tls.from_environment())


if __name__ == "__main__":
    asyncio.run(serve([package(each) for each in sys.argv[2:] if each != "--package"]))
