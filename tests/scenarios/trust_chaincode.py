# SPDX-License-Identifier: Apache-2.0
"""A contract for attacks on the consortium: writes, locks, private writes, events, a session."""

import asyncio
import signal
import sys

from pedchain_fabric.shim import Context, Contract, Package, Refusal, evaluate, serve, submit
from pedchain_fabric.shim.keypolicy import all_of


class Trust(Contract):
    """Everything an attacker needs from a contract that was written in good faith."""

    name = "trust"

    @submit
    async def put(self, ctx: Context, key: str, text: str) -> None:
        """Write a public key."""
        await ctx.stub.put_state(key, text.encode())

    @evaluate
    async def get(self, ctx: Context, key: str) -> bytes:
        """A public value, empty if there is none."""
        return await ctx.stub.get_state(key) or b""

    @submit
    async def lock(self, ctx: Context, key: str, msp_id: str) -> None:
        """Give a key a policy of its own: this organisation's peer alone."""
        await ctx.stub.set_key_policy(key, all_of([msp_id]))

    @submit
    async def put_private(self, ctx: Context, collection: str, key: str) -> None:
        """Write the transient `text` to a collection."""
        await ctx.stub.put_private(collection, key, ctx.stub.transient["text"])

    @submit
    async def announce(self, ctx: Context, collection: str, text: str) -> None:
        """An event, beside nothing but a private write."""
        await ctx.stub.put_private(collection, "note", text.encode())
        await ctx.stub.set_event("CertificateIssued", text.encode())

    @submit
    async def open(self, ctx: Context) -> None:
        """Open the session."""
        await ctx.stub.put_state("session", b"open")

    @submit
    async def close(self, ctx: Context) -> None:
        """Close the session."""
        await ctx.stub.put_state("session", b"closed")

    @submit
    async def order(self, ctx: Context, key: str) -> None:
        """Write while the session is open: the rule lapses with the session."""
        if await ctx.stub.get_state("session") != b"open":
            raise Refusal("session-closed")
        await ctx.stub.put_state(key, b"ordered")


async def main(packages: list[str]) -> None:
    """Serve each `name=address=ccid` until SIGTERM."""
    served = []
    for package in packages:
        _, address, ccid = package.split("=", 2)
        served.append(Package(ccid, address, [Trust()]))
    task = asyncio.create_task(serve(served))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.gather(task, return_exceptions=True)
    if not task.cancelled() and task.exception():
        raise SystemExit(str(task.exception()))


if __name__ == "__main__":
    asyncio.run(main([each for each in sys.argv[2:] if each != "--package"]))
