# SPDX-License-Identifier: Apache-2.0
"""The measured contract on our shim."""

from pedchain_fabric.shim import Context, Contract, evaluate, submit


class Store(Contract):
    """Nothing, one read, one write."""

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
