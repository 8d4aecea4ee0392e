# SPDX-License-Identifier: Apache-2.0
"""Nodes out of a network that runs; what they wrote is put aside, not destroyed."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from pedchain_network.change.live import Live
from pedchain_network.pki import crypto
from pedchain_network.runtimes import parts
from pedchain_network.state import State
from pedchain_network.topology.model import Node, Topology


async def ended(live: Live, before: Topology, wanted: Topology, nodes: Sequence[Node]) -> bool:
    """These nodes run no more, nor their chaincode. Raises `PartError`."""
    names = {
        name
        for each in nodes
        for name in parts.node_parts(
            before, before.by_name(each.organization), each.kind, each.index
        )
    }
    running = [each.name for each in live.runtime.parts(live.state, live.run) if each.name in names]
    if running:
        live.run = live.runtime.stop(live.state, live.run, live.progress, only=running)
    live.start(wanted)
    return bool(running)


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


def ledgers(state: State, nodes: Sequence[Node]) -> list[Path]:
    """Where these nodes keep their ledgers, whichever runtime they ran on."""
    return [place / each.name for each in nodes for place in (state.data, state.data / "embedded")]


def traces(state: State, topology: Topology, nodes: Sequence[Node]) -> list[Path]:
    """Their ledgers, and their keys."""
    keys = [
        crypto.of(state.crypto, topology.by_name(each.organization)).root / each.folder
        for each in nodes
    ]
    return [*ledgers(state, nodes), *keys]
