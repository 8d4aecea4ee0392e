# SPDX-License-Identifier: Apache-2.0
"""The smallest contract a network's own scenarios need: one public note, one private."""

import asyncio
import sys

from pedchain_fabric.shim import Context, Contract, Package, Tls, evaluate, serve, submit


class Notes(Contract):
    """Keeps notes under composite keys."""

    name = "notes"

    @submit
    async def put(self, ctx: Context, key: str, text: str) -> None:
        """Keep a note everybody may read."""
        await ctx.stub.put_state(ctx.stub.create_composite_key("note", [key]), text.encode())

    @evaluate
    async def get(self, ctx: Context, key: str) -> bytes:
        """A note, empty if there is none."""
        kept = await ctx.stub.get_state(ctx.stub.create_composite_key("note", [key]))
        return kept or b""

    @submit
    async def put_private(self, ctx: Context, collection: str, key: str) -> None:
        """Keep the transient `text` in a collection."""
        await ctx.stub.put_private(collection, key, ctx.stub.transient["text"])

    @evaluate
    async def get_private(self, ctx: Context, collection: str, key: str) -> bytes:
        """A private note, empty if there is none."""
        return await ctx.stub.get_private(collection, key) or b""


def package(text: str) -> Package:
    """The package that `name=address=ccid` describes."""
    _, address, ccid = text.split("=", 2)
    return Package(ccid, address, [Notes()], tls=Tls.from_environment())


if __name__ == "__main__":
    asyncio.run(serve([package(each) for each in sys.argv[2:] if each != "--package"]))
