# SPDX-License-Identifier: Apache-2.0
"""A channel's configuration on its nodes: read it, change it, wait until all have it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from fabric_protos.common.common_pb2 import Block, Envelope, Payload
from fabric_protos.common.configtx_pb2 import ConfigEnvelope, ConfigUpdateEnvelope

from pedchain_fabric.admin import configupdate, cscc
from pedchain_fabric.admin.configupdate import SignedUpdate
from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.admin.limits import (
    CONFIGURATION_PAUSE_S,
    CONFIGURATION_TIMEOUT_S,
    ORDERED_TIMEOUT_S,
)
from pedchain_fabric.admin.participation import Participation
from pedchain_fabric.errors import AdminError, WireError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.messages import parse, serialize

Ask: TypeAlias = Callable[[], Awaitable[ChannelConfig]]

_CONSENTER = "consenter"


async def from_orderer(orderer: Participation, channel: str) -> ChannelConfig:
    """The configuration an orderer has in force. Raises `AdminError`."""
    return ChannelConfig.from_block(await orderer.block(channel, "config"))


async def from_peer(peer: Endorser, channel: str) -> ChannelConfig:
    """The configuration a peer has in force. Raises `AdminError`."""
    return ChannelConfig.from_block(await cscc.config_block(peer, channel))


async def submit(
    orderers: Sequence[Participation], update: SignedUpdate, submitter: SigningIdentity
) -> int:
    """Send the update to the first of these orderers that takes it; the sequence it leads to.

    The configuration's present sequence is read from that orderer, and what lacks a signature is
    not sent. Returns once that orderer has the next configuration. If it does not get it in time
    the next one is tried: under SmartBFT an orderer that the others left behind takes an update and
    keeps it to itself. Also returns if none gets it in time.

    Raises `AdminError`: EditRefused (STALE), NOT_SIGNED, an orderer's own refusal, OVERTAKEN if
    somebody else's update came first, or UNAVAILABLE if no orderer can be asked.
    """
    problems, sequence = [], 0
    for orderer in orderers:
        try:
            current = await _consenting(orderer, update.channel_id)
        except AdminError as error:
            problems.append(str(error))
            continue
        if not 0 < sequence <= current.sequence:
            _check_signed(current, update)
            await orderer.update(serialize(update.envelope(submitter)))
            sequence = current.sequence + 1
        if await _ordered(orderer, update, sequence):
            return sequence
    if sequence:
        return sequence
    text = f"no orderer can be asked to change {update.channel_id}: {'; '.join(problems)}"
    raise AdminError("UNAVAILABLE", text)


async def _consenting(orderer: Participation, channel: str) -> ChannelConfig:
    """The configuration of an orderer that may be sent an update. Raises `AdminError`."""
    info = await orderer.info(channel)
    if info.relation != _CONSENTER:
        raise AdminError("NOT_CONSENTER", f"an orderer is only {info.relation} of {channel}")
    return await from_orderer(orderer, channel)


async def _ordered(orderer: Participation, update: SignedUpdate, sequence: int) -> bool:
    """Whether the orderer gets it in time; one that the change removes may never learn it.

    Of two updates made from one configuration only the first is ordered, and neither sender is told
    which it was: raises `AdminError` (OVERTAKEN) for the other one.
    """
    try:
        async with asyncio.timeout(ORDERED_TIMEOUT_S):
            block = await _at(orderer, update.channel_id, sequence)
    except TimeoutError:
        return False
    reached = ChannelConfig.from_block(block).sequence
    if reached == sequence and _update_in(block) != update.update:
        text = "another change of the configuration came first: make yours again"
        raise AdminError("OVERTAKEN", text)
    return True


async def _at(orderer: Participation, channel: str, sequence: int) -> Block:
    """The orderer's configuration block, once it has that sequence."""
    while True:
        with suppress(AdminError):
            block = await orderer.block(channel, "config")
            if ChannelConfig.from_block(block).sequence >= sequence:
                return block
        await asyncio.sleep(CONFIGURATION_PAUSE_S)


def _update_in(block: Block) -> bytes:
    """The ConfigUpdate that led to a configuration block."""
    payload = parse(Payload, parse(Envelope, block.data.data[0]).payload)
    last = parse(Payload, parse(ConfigEnvelope, payload.data).last_update.payload)
    return parse(ConfigUpdateEnvelope, last.data).config_update


def _check_signed(current: ChannelConfig, update: SignedUpdate) -> None:
    lacking = configupdate.lacking(current, update)
    if lacking:
        signed = ", ".join(sorted({each.msp_id for each in update.signers()})) or "nobody"
        text = f"{', '.join(lacking)} not satisfied; signed by {signed}"
        raise AdminError("NOT_SIGNED", text)


async def in_force(
    sequence: int,
    channel: str,
    *,
    orderers: Sequence[Participation] = (),
    peers: Sequence[Endorser] = (),
    timeout_s: float = CONFIGURATION_TIMEOUT_S,
) -> None:
    """Return once all these nodes have at least this sequence. Raises `AdminError` (TIMEOUT)."""
    asked: dict[str, Ask] = {}
    for orderer in orderers:
        asked[f"orderer {orderer.address}"] = partial(from_orderer, orderer, channel)
    for number, peer in enumerate(peers, start=1):
        name = f"peer {number} of {len(peers)}, asked by {peer.identity.msp_id},"
        asked[name] = partial(from_peer, peer, channel)
    heard: dict[str, str] = {}
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.gather(
                *(_until(ask, sequence, heard, name) for name, ask in asked.items())
            )
    except TimeoutError as error:
        last = "; ".join(heard.values())
        text = f"sequence {sequence} of {channel} is not in force everywhere yet: {last}"
        raise AdminError("TIMEOUT", text) from error


async def _until(ask: Ask, sequence: int, heard: dict[str, str], name: str) -> None:
    """Ask until the sequence is reached; meanwhile `heard` has the node's last word."""
    while True:
        try:
            reached = (await ask()).sequence
            heard[name] = f"{name} has sequence {reached}"
        except (AdminError, WireError) as error:
            reached, heard[name] = -1, f"{name} says {error}"
        if reached >= sequence:
            del heard[name]
            return
        await asyncio.sleep(CONFIGURATION_PAUSE_S)
