# SPDX-License-Identifier: Apache-2.0
"""All checks of a network, each bounded, none in another's way."""

import asyncio
from collections.abc import Awaitable, Callable

from pedchain_fabric.errors import FabricError
from pedchain_network.change.reach import Reach
from pedchain_network.errors import NetworkError
from pedchain_network.limits import CHECK_TIMEOUT_S, CHECKS_AT_ONCE
from pedchain_network.runtimes.runtime import by_name
from pedchain_network.state import State
from pedchain_network.topology.model import PEER
from pedchain_network.watch import contracts, look
from pedchain_network.watch.doctor import (
    clocks,
    ledgers,
    onhost,
    onledger,
    ordering,
    probing,
    software,
)
from pedchain_network.watch.doctor.finding import Finding, Report, fail
from pedchain_network.watch.doctor.subject import Subject

Check = Callable[[Subject], Awaitable[list[Finding]]]


async def examine(state: State) -> Report:
    """Look at everything. Raises `StateError` if the record is damaged."""
    run = state.load()
    if run is None:
        return Report.of([fail("nodes", "", f"no network in {state.root}", "ped-network up")])
    topology = state.topology()
    parts = by_name(run.runtime).parts(state, run)
    sight = await look.sight(topology, state, parts)
    async with Reach(topology, state) as reach:
        administered = frozenset(reach.admins())
        peers = [each for each in sight.answering(PEER) if each.organization in administered]
        config = await contracts.configuration_of(reach, peers)
        subject = Subject(state, topology, run, parts, sight, reach, administered, config)
        turn = asyncio.Semaphore(CHECKS_AT_ONCE)
        found = await asyncio.gather(
            *(_bounded(name, each, subject, turn) for name, each in CHECKS)
        )
        later = await look.told(topology, state)
    what = "view" if topology.ordering.consensus.value == "smartbft" else "leader changes"
    calm = ordering.judge_calm(sight.vitals, later, what)
    orderers = [each.name for each in topology.orderers()]
    part = ordering.judge_part(
        {name: sight.vitals[name] for name in orderers}, {name: later[name] for name in orderers}
    )
    return Report.of([*(finding for each in found for finding in each), *calm, *part])


async def _nodes(subject: Subject) -> list[Finding]:
    return software.judge_nodes(subject.sight.parts, subject.sight.nodes)


async def _ordering(subject: Subject) -> list[Finding]:
    numbers = contracts.numbers(subject.topology, subject.config)
    return ordering.judge(subject.sight.leads(numbers))


async def _heights(subject: Subject) -> list[Finding]:
    nodes = subject.sight.nodes
    return ledgers.judge_heights({e.name: e.height for e in nodes if e.height is not None})


async def _clocks(subject: Subject) -> list[Finding]:
    told = subject.sight.vitals
    return clocks.judge({n: None if e is None else e.offset_s for n, e in told.items()})


async def _versions(subject: Subject) -> list[Finding]:
    told = {name: each for name, each in subject.sight.vitals.items() if each is not None}
    return [
        *software.judge_versions({n: e.version for n, e in told.items()}, subject.topology.fabric),
        *software.judge_databases({n: e.couchdb for n, e in told.items()}),
    ]


CHECKS: tuple[tuple[str, Check], ...] = (
    ("nodes", _nodes),
    ("ordering", _ordering),
    ("heights", _heights),
    ("ledgers", onledger.tips),
    ("certificates", onhost.certificates),
    ("consenters", onhost.consenters),
    ("keys", onhost.keys),
    ("disk", onhost.disks),
    ("clocks", _clocks),
    ("listeners", onhost.sockets),
    ("endpoints", onhost.connections),
    ("versions", _versions),
    ("packages", onledger.installed),
    ("definitions", onledger.agreed),
    ("code", onledger.builds),
    ("private data", onledger.private_data),
    ("probe", probing.probe),
)


async def _bounded(
    name: str, check: Check, subject: Subject, turn: asyncio.Semaphore
) -> list[Finding]:
    """A check's findings, or that it could not be made."""
    try:
        async with turn, asyncio.timeout(CHECK_TIMEOUT_S):
            return await check(subject)
    except (FabricError, NetworkError, OSError, ValueError) as error:
        fix = "see ped-network status and the findings above"
        return [fail(name, "", f"could not be looked at: {str(error) or 'no answer'}", fix)]
