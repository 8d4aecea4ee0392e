# SPDX-License-Identifier: Apache-2.0
"""Any one node of real Fabric killed or paused under load: nothing acknowledged is lost.

One network, each node in turn. Who can still write meanwhile follows from the definitions: every
one needs the DSO's peer, each district's own needs that district's, `registry` any two beside the
DSO's.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil
import pytest

from pedchain_fabric.admin import qscc
from pedchain_fabric.client import profile
from pedchain_fabric.wire.block import commit_hash
from pedchain_network.bringup.members import Member, connect
from pedchain_network.state import State
from pedchain_network.topology import reader
from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.load import CHANNEL, Writer, progress, writing

ORGANIZATIONS = ("DSO", "DistrictA", "DistrictB", "Aggregator")
SETTLED_S = 60.0
STUCK_S = 20.0
ROUNDS = 5  # a sign that a node follows, and is not still fetching what it missed

pytestmark = [pytest.mark.serial, pytest.mark.native]


def writers() -> list[Writer]:
    """A public and a private one at each district's gateway, a public one at the others'."""
    public = [Writer(name, "registry") for name in ORGANIZATIONS]
    private = [
        Writer(name, f"metering-{name}", collection)
        for name in ("DistrictA", "DistrictB")
        for collection in ("readings", "flex")
    ]
    return public + private


WAITED = "waited until it was back"


def unhurt(victim: dict[str, Any], everyone: list[Writer]) -> list[Writer]:
    """Who must be able to go on while this node is away."""
    if victim["kind"] == "orderer":
        return everyone
    if victim["organization"] == "DSO":
        return []
    return [each for each in everyone if each.organization != victim["organization"]]


@pytest.mark.fault(30)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=["paused", "killed"])
async def test_each_of_the_eight_nodes_hurt_in_turn_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    record_property: Callable[[str, object], None],
    number: signal.Signals,
) -> None:
    with make_network("native", tmp_path_factory.mktemp("kills"), NOTES) as network:
        network.run("up")
        topology = reader.load(network.topology)
        everyone = writers()
        async with connect(topology, State(network.state)) as members:
            async with writing(network.profiles, everyone):
                await progress(everyone, 1, "at first")
                told = [
                    (each["name"], await hurt(network, each, number, everyone, members))
                    for each in nodes(network)
                ]
                record_property(number.name, told)
                assert sum(WAITED in times for _, times in told) <= 1, told
            await same_everywhere(members)
        await all_kept(network, everyone)


def nodes(network: Network) -> list[dict[str, Any]]:
    """All orderers, then all peers, as `status` tells them now."""
    parts = network.status()["parts"]
    return [each for kind in ("orderer", "peer") for each in parts if each["kind"] == kind]


async def hurt(
    network: Network,
    victim: dict[str, Any],
    number: signal.Signals,
    everyone: list[Writer],
    members: Sequence[Member],
) -> str:
    """Take a node away and bring it back. Says how long others, then all needed to go on.

    The next may only be hurt when this one is where the others are: until then it counts as lost,
    and four orderers bear one loss.
    """
    process = psutil.Process(victim["pid"])
    name = f"{number.name} of {victim['name']}"
    process.send_signal(number)
    away = await gone_on(victim, everyone, name)
    if number == signal.SIGKILL:
        await asyncio.to_thread(network.run, "up")
    else:
        process.send_signal(signal.SIGCONT)
    back = await progress(everyone, 1, f"after {name}")
    again = await level(network, members)
    return f"{away}, {back:.1f} s, {again} orderers restarted again"


async def gone_on(victim: dict[str, Any], everyone: list[Writer], name: str) -> str:
    """How long those needed who must be able to go on.

    Without one orderer the other three must all agree on a leader, and one of them may be beyond
    that (ADR 20): then ordering waits until the fourth is back.
    """
    try:
        return f"{await progress(unhurt(victim, everyone), 2, name):.1f} s"
    except AssertionError:
        if victim["kind"] != "orderer":
            raise
        return WAITED


async def level(network: Network, members: Sequence[Member]) -> int:
    """Wait until every orderer and every peer follows the foremost, not only once.

    One that is a block behind when a leader is lost counts as lost too: its vote for the next
    leader is not taken (ADR 20). A restarted orderer of Fabric 3.1.5 may stay where it is for
    ever, between two views, while the others go on (`status` says that it is behind). `up`
    restarts it then. Returns how many were.
    """
    restarted = 0
    for _ in range(ROUNDS):
        goal = max([height for member in members for height in await heights(member)]) + 1
        for member in members:
            if not await reached(member, goal, STUCK_S):
                said = (await asyncio.to_thread(network.run, "up")).stdout
                restarted += said.count("stands still at height")
                assert await reached(member, goal, SETTLED_S), (
                    f"{member.organization.name} stays behind {goal}: {await heights(member)}"
                )
    return restarted


async def reached(member: Member, goal: int, seconds: float) -> bool:
    """Whether an organisation's orderer and peer get so far in time."""
    deadline = time.monotonic() + seconds
    while min(await heights(member)) < goal:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.1)
    return True


async def heights(member: Member) -> tuple[int, int]:
    """How many blocks the orderer and the peer of an organisation have."""
    ordered = await member.orderer.info(CHANNEL)
    committed = await qscc.chain_info(member.peer, CHANNEL)
    return ordered.height, committed.height


async def same_everywhere(members: Sequence[Member]) -> None:
    """All peers have the same blocks, judged them alike and hold the same state."""
    deadline = time.monotonic() + SETTLED_S
    while len(found := {await ledger(member) for member in members}) > 1:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)


async def ledger(member: Member) -> tuple[int, str, str]:
    """A peer's height, newest block, and the hash over all flags and writes so far."""
    info = await qscc.chain_info(member.peer, CHANNEL)
    newest = await qscc.block_by_number(member.peer, CHANNEL, info.height - 1)
    return info.height, info.currentBlockHash.hex(), commit_hash(newest).hex()


async def all_kept(network: Network, everyone: list[Writer]) -> None:
    """Whatever was acknowledged is on the peers of all organisations that may hold it."""
    for organization in ORGANIZATIONS:
        async with await profile.connect(network.profile(organization)) as gateway:
            for writer in everyone:
                if writer.collection and organization not in {"DSO", writer.organization}:
                    continue
                for _, key in writer.acknowledged:
                    assert await writer.kept(gateway, key) == key.encode(), (organization, key)
