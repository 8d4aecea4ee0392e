# SPDX-License-Identifier: Apache-2.0
"""Nodes out of a network that runs; what they wrote is put aside, not destroyed."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pedchain_network.bringup.waiting import until
from pedchain_network.change import nodes
from pedchain_network.change.live import Live
from pedchain_network.change.steps import Step
from pedchain_network.pki import crypto
from pedchain_network.runtimes import listeners, parts
from pedchain_network.state import State
from pedchain_network.topology.model import CHAINCODE, Node, Topology


@dataclass(frozen=True, slots=True)
class Leaving:
    """Nodes on their way out, called `name` together. `configured` takes them out of the channel;
    `paths` is what they wrote."""

    live: Live
    before: Topology
    wanted: Topology
    name: str
    nodes: Sequence[Node]
    paths: Sequence[Path]
    configured: Callable[[], Awaitable[bool]]

    def steps(self) -> tuple[Step, ...]:
        """From the channel to the disk."""
        end = partial(ended, self.live, self.before, self.wanted, self.nodes)
        aside = partial(put_aside, self.live.state, self.name, self.paths)
        return (
            Step(f"the channel is without {self.name}, and every node knows", self.configured),
            Step(f"nothing of {self.name} runs any more", end),
            Step(f"what {self.name} wrote is put aside", aside),
            Step("profiles and topology say so", partial(nodes.written, self.live, self.wanted)),
        )


async def ended(live: Live, before: Topology, wanted: Topology, own: Sequence[Node]) -> bool:
    """These nodes run no more, nor their chaincode. Raises `PartError`."""
    ran = await asyncio.gather(*map(_answers, own))
    running = [
        each.name
        for each in live.runtime.parts(live.state, live.run)
        if each.name in _parts(before, own) or each.organization in _gone(before, wanted)
    ]
    if running:
        live.run = live.runtime.stop(live.state, live.run, live.progress, only=running)
    live.start(wanted)
    await asyncio.gather(*(until(partial(_silent, e), e.name, "end") for e in own))
    return bool(running) or any(ran)


def _parts(topology: Topology, own: Sequence[Node]) -> set[str]:
    """Names of all that plays these nodes."""
    return {
        name
        for each in own
        if each.kind != CHAINCODE
        for name in parts.node_parts(topology, each.member, each.kind, each.index)
    }


def _gone(before: Topology, wanted: Topology) -> set[str]:
    """Names of organisations that leave."""
    return {e.name for e in before.organizations} - {e.name for e in wanted.organizations}


async def _silent(node: Node) -> bool:
    return not await _answers(node)


async def _answers(node: Node) -> bool:
    """Does a peer or an orderer still take connections."""
    return node.kind != CHAINCODE and await listeners.answers(node.listener().address)


async def put_aside(state: State, name: str, paths: Sequence[Path]) -> bool:
    """Move what there is of these paths into a folder of its own below `removed`.

    A node that comes back begins anew: an orderer with the blocks of before and without those
    since would not be the one the others know.
    """
    when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    folder = state.root / "removed" / f"{name}-{when}"
    found = [each for each in paths if each.exists()]
    for each in found:
        target = folder / each.relative_to(state.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(each, target)
    return bool(found)


def ledgers(state: State, own: Sequence[Node]) -> list[Path]:
    """Where these nodes keep their ledgers, whichever runtime they ran on."""
    return [place / each.name for each in own for place in (state.data, state.data / "embedded")]


def traces(state: State, topology: Topology, own: Sequence[Node]) -> list[Path]:
    """Their ledgers, and their keys."""
    keys = [
        crypto.of(state.crypto, topology.by_name(each.organization)).root / each.folder
        for each in own
    ]
    return [*ledgers(state, own), *keys]
