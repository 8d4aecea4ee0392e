# SPDX-License-Identifier: Apache-2.0
"""Every orderer and every peer onto the channel, whatever has joined already."""

import asyncio
from functools import partial

from pedchain_fabric.admin import cscc
from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.admin.participation import Participation
from pedchain_fabric.errors import AdminError
from pedchain_network.bringup.members import Member
from pedchain_network.bringup.waiting import until

_ALREADY_JOINED = 409


async def orderer_joined(orderer: Participation, channel: str, block: bytes) -> bool:
    """Let an orderer join from this block, unless it has; whether it had to.

    Raises `AdminError`.
    """
    if channel in await orderer.channels():
        return False
    try:
        await orderer.join(block)
    except AdminError as error:
        if error.status != _ALREADY_JOINED:
            raise
        return False
    return True


async def peer_joined(peer: Endorser, channel: str, genesis: bytes) -> bool:
    """Let a peer join from the genesis block, unless it has; whether it had to.

    Raises `AdminError`.
    """
    if channel in await cscc.channels(peer):
        return False
    await cscc.join(peer, genesis)
    return True


async def join_orderers(members: tuple[Member, ...], channel: str, genesis: bytes) -> None:
    """All orderers take the genesis block, together. Raises `PartError`."""

    async def join(orderer: Participation) -> bool:
        await orderer_joined(orderer, channel, genesis)
        return (await orderer.info(channel)).status == "active"

    goal = f"join {channel}"
    orderers = [each for member in members for each in member.orderers]
    await asyncio.gather(
        *(until(partial(join, each.participation), each.name, goal) for each in orderers)
    )


async def join_peers(members: tuple[Member, ...], channel: str, genesis: bytes) -> None:
    """All peers take the genesis block, one after the other. Raises `PartError`.

    A peer that joins greets the others at once, and one that is just joining itself may drop the
    greeting, which Fabric repeats only after 6 s (gossip/discovery, sendUntilAcked). In turn, the
    last finds all others ready and makes everybody known to everybody.
    """

    async def join(peer: Endorser) -> bool:
        await peer_joined(peer, channel, genesis)
        return True

    for each in [peer for member in members for peer in member.peers]:
        await until(partial(join, each.endorser), each.name, f"join {channel}")
