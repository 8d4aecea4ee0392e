# SPDX-License-Identifier: Apache-2.0
"""Scenarios for the repeated run: one that is deterministic, some that are not."""

import time

from pedchain_fabric.shim import Context, Contract, Refusal, submit
from pedchain_fabric.shim.testing import MemoryPeer, TransactionFailed


class Words(Contract):
    """Writes words in the order it is told, or in that of a set."""

    name = "words"

    @submit
    async def sorted(self, ctx: Context, words: str) -> str:
        for word in sorted(set(words.split(","))):
            await ctx.stub.put_state(word, word.encode())
        return ",".join(sorted(set(words.split(","))))

    @submit
    async def by_set(self, ctx: Context, words: str) -> str:
        return ",".join(set(words.split(",")))

    @submit
    async def by_clock(self, ctx: Context) -> str:
        return time.strftime("%Z", time.localtime(0))

    @submit
    async def refuse(self, ctx: Context) -> None:
        raise Refusal("not today")


WORDS = ",".join(f"word-{number}" for number in range(20))


def _installed(peer: MemoryPeer) -> MemoryPeer:
    peer.install("words", Words())
    return peer


async def same(peer: MemoryPeer) -> None:
    await _installed(peer).submit("words", "Sorted", WORDS)
    try:
        await peer.submit("words", "Refuse")
    except TransactionFailed:
        return


async def order_of_a_set(peer: MemoryPeer) -> None:
    await _installed(peer).submit("words", "Sorted", WORDS)
    await peer.submit("words", "BySet", WORDS)


async def time_zone(peer: MemoryPeer) -> None:
    await _installed(peer).submit("words", "ByClock")
