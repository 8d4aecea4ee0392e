# SPDX-License-Identifier: Apache-2.0
"""The measured contract on our shim."""

from pedchain_fabric.shim import Context, Contract, evaluate, submit


class Store(Contract):
    """Nothing, one read, one write, many of them."""

    name = "store"

    @evaluate
    async def noop(self, ctx: Context) -> None:
        """Answer at once."""

    @evaluate
    async def get(self, ctx: Context, key: str) -> bytes:
        """One value, empty if there is none."""
        return await ctx.stub.get_state(key) or b""

    @submit
    async def put(self, ctx: Context, key: str, value: str) -> None:
        """Write one value."""
        await ctx.stub.put_state(key, value.encode())

    @evaluate
    async def scan(self, ctx: Context, count: int) -> str:
        """Read so many keys, one after the other; how many bytes they held."""
        held = 0
        for number in range(count):
            held += len(await ctx.stub.get_state(f"key{number}") or b"")
        return str(held)

    @submit
    async def fill(self, ctx: Context, count: int, value: str) -> None:
        """Write what `scan` reads."""
        for number in range(count):
            await ctx.stub.put_state(f"key{number}", value.encode())
