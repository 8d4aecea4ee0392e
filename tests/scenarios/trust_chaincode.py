# SPDX-License-Identifier: Apache-2.0
"""A contract for attacks on the consortium: writes, locks, private writes, events, a session."""

import asyncio
import sys

from pedchain_fabric.shim import Context, Contract, Package, Refusal, Tls, evaluate, serve, submit
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


def package(text: str) -> Package:
    """The package that `name=address=ccid` describes."""
    _, address, ccid = text.split("=", 2)
    return Package(ccid, address, [Trust()], tls=Tls.from_environment())


if __name__ == "__main__":
    asyncio.run(serve([package(each) for each in sys.argv[2:] if each != "--package"]))
