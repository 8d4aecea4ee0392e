# SPDX-License-Identifier: Apache-2.0
"""A new peer's ledger held against another's."""

import asyncio

from pedchain_fabric.admin import qscc
from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.block import commit_hash
from pedchain_network import limits
from pedchain_network.change.reach import Reach
from pedchain_network.errors import LedgerDiffersError, PartError
from pedchain_network.topology.model import Node


async def replayed(reach: Reach, newcomer: Node, model: Node) -> bytes:
    """Wait until a new peer has what the other had when this began; the commit hash both have.

    The hash runs over every write and verdict since the genesis block, so peers in which it is
    the same hold the same state. The newcomer is asked by the other's administrator, whom the
    channel has known for longer than the newcomer's own.

    Raises `LedgerDiffersError`, or `PartError` if the newcomer does not get on.
    """
    channel = reach.topology.channel
    theirs, new = reach.peer(model), reach.peer(newcomer, model.organization)
    height = (await qscc.chain_info(theirs, channel)).height
    await _reach_height(new, channel, newcomer.name, height)
    blocks = [await qscc.block_by_number(each, channel, height - 1) for each in (new, theirs)]
    ours, other = map(commit_hash, blocks)
    if ours != other:
        raise LedgerDiffersError(
            f"{newcomer.name} and {model.name} do not hold the same state at block {height - 1}",
            "one of them is damaged: compare both with a third, then replace the one that differs",
        )
    return ours


async def _reach_height(peer: Endorser, channel: str, name: str, height: int) -> None:
    """Give up only when it gets no further: a long ledger takes its time."""
    loop = asyncio.get_running_loop()
    last, deadline, refusal = 0, loop.time() + limits.STEP_TIMEOUT_S, "no answer"
    while last < height:
        try:
            now = (await qscc.chain_info(peer, channel)).height
            refusal = f"is at block {now} of {height}"
        except AdminError as error:
            now, refusal = last, str(error)
        if now > last:
            last, deadline = now, loop.time() + limits.STEP_TIMEOUT_S
        if loop.time() > deadline:
            raise PartError(name, f"does not get on with its ledger: {refusal}")
        await asyncio.sleep(limits.PAUSE_S)
