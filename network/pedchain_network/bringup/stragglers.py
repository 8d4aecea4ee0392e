# SPDX-License-Identifier: Apache-2.0
"""Orderers that run, answer and take no part: known by their height, mended by a restart.

One of Fabric 3.1.5 that was restarted under load may stay between two views for good. A message of
a later view from its leader makes it leave its own view and synchronise; if no other view comes of
that, its complaints name the old view, and its own view changer, which is further, drops them
(SmartBFT: view.go processMsg, viewchanger.go startViewChange). Nothing but a restart ends that.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pedchain_fabric.admin.participation import Participation
from pedchain_fabric.errors import AdminError
from pedchain_network.bringup.members import Member, connect
from pedchain_network.bringup.waiting import until
from pedchain_network.errors import PartError
from pedchain_network.limits import PAUSE_S, STANDSTILL_S
from pedchain_network.progress import Progress
from pedchain_network.runtimes.part import Part
from pedchain_network.runtimes.runtime import Runtime
from pedchain_network.state import Run, State
from pedchain_network.topology.model import Topology


@dataclass(frozen=True, slots=True)
class Orderer:
    """One that can be asked how many blocks it has; `height` raises `AdminError`."""

    name: str
    height: Callable[[], Awaitable[int]]


async def find(orderers: Sequence[Orderer], patience_s: float = STANDSTILL_S) -> Mapping[str, int]:
    """Those that have less than another had at first, and for `patience_s` get no further, by
    name with their heights. Returns at once if all are equally far."""
    now = await _heights(orderers, {})
    goal, moved = max(now.values(), default=0), time.monotonic()
    while min(now.values(), default=0) < goal:
        await asyncio.sleep(PAUSE_S)
        before, now = now, await _heights(orderers, now)
        low = {name: height for name, height in now.items() if height < goal}
        if any(height > before[name] for name, height in low.items()):
            moved = time.monotonic()
        if time.monotonic() - moved > patience_s:
            return low
    return {}


async def mend(
    topology: Topology,
    state: State,
    runtime: Runtime,
    run: Run,
    stuck: Mapping[str, int],
    progress: Progress,
) -> Run:
    """Restart each, one after the other, and wait until it is where the others are.

    Raises `PartError` if one stays behind after that.
    """
    for name, height in stuck.items():
        progress.step(f"{name} stands still at height {height} while others go on: restarting it")
        part = _player(runtime.parts(state, run), name)
        run = runtime.stop(state, run, progress, [part])
        run = runtime.start(topology, state, run, progress, [part])
        async with connect(topology, state) as members:
            await _back(of(members, topology.channel), name)
        progress.step(f"{name} takes part again")
    return run


def of(members: Sequence[Member], channel: str) -> tuple[Orderer, ...]:
    """Every member's orderers, asked through their administrators' interfaces."""

    async def height(orderer: Participation) -> int:
        return (await orderer.info(channel)).height

    return tuple(
        Orderer(each.name, partial(height, each.participation))
        for member in members
        for each in member.orderers
    )


async def _back(orderers: Sequence[Orderer], name: str) -> None:
    others = await _heights([each for each in orderers if each.name != name], {})
    goal = max(others.values(), default=0)
    one = next(each for each in orderers if each.name == name)

    async def reached() -> bool:
        return await one.height() >= goal

    try:
        await until(reached, name, f"reach height {goal}")
    except PartError as error:
        fix = f"ped-network logs {name}; if it has no cause, orderer remove and add it anew"
        raise PartError(name, f"{error.what}, restarted for that already", fix=fix) from error


async def _heights(orderers: Sequence[Orderer], last: Mapping[str, int]) -> dict[str, int]:
    """How far each is; one that does not answer is where it was."""

    async def one(orderer: Orderer) -> int:
        try:
            return await orderer.height()
        except AdminError:
            return last.get(orderer.name, 0)

    told = await asyncio.gather(*map(one, orderers))
    return {each.name: height for each, height in zip(orderers, told, strict=True)}


def _player(parts: Sequence[Part], name: str) -> str:
    """The part that is this node, or plays it among others."""
    return next(each.name for each in parts if name == each.name or name in each.listens)
