# SPDX-License-Identifier: Apache-2.0
"""Chaincode seconds of one order over 1,000 homes with 20 days of quarter-hours each (`homes`).

In memory: CPU time of the contracts on a peer in memory, the peer's own included, without its
commit, so that neither the network nor the machine's other work counts. On real Fabric, where it is
found: CPU time of the chaincode processes of one organisation, whichever used most, between a call
and its commit; a call is one of a hundredth of a second, the clock of processes.
"""

import asyncio
import gc
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import psutil

from bench import networks
from bench.homes import COMMAND, CORRECTING, EACH_W, SETTLING, STEPS, FillingContract, Homes
from bench.processes import fabric_found, recorded
from pedchain_chaincode.cli import contracts
from pedchain_fabric.shim.testing import Outcome
from pedchain_network.topology import reader
from tests.scenarios.roles import RolePeer, role_peer
from tests.unit.chaincode.district import METERING
from tests.unit.chaincode.flexing import MEMBERS

HOMES = 1_000


class Spent:
    """Seconds by function."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self.longest: defaultdict[str, float] = defaultdict(float)

    def add(self, function: str, seconds: float) -> None:
        """One call more."""
        name = function.rpartition(":")[2]
        self.seconds[name] += seconds
        self.calls[name] += 1
        self.longest[name] = max(self.longest[name], seconds)

    def told(self) -> dict[str, Any]:
        """The figures."""
        steps = [step for step in STEPS if self.calls[step]]
        return {
            "settle_1000_users_s": round(sum(self.seconds[step] for step in SETTLING), 3),
            "max_call_ms": round(1_000 * max(self.longest[step] for step in steps), 1),
            "freeze_1000_users_s": round(self.seconds["FreezeOrder"], 3),
            "correct_1000_users_s": round(sum(self.seconds[step] for step in CORRECTING), 3),
            "step_s": {step: round(self.seconds[step], 3) for step in steps},
            "step_calls": {step: self.calls[step] for step in steps},
            "step_max_ms": {step: round(1_000 * self.longest[step], 1) for step in steps},
        }


class Timed(Homes):
    """A district whose calls are timed by function, commits apart."""

    def __init__(self) -> None:
        super().__init__(HOMES)
        self.peer.install(METERING, *contracts("metering"), FillingContract(), collections=MEMBERS)
        self.spent = Spent()
        self._endorse: Any = self.peer.endorse
        self.peer.endorse = self._timed

    async def _timed(self, definition: str, function: str, *args: Any, **options: Any) -> Outcome:
        start = time.process_time()
        outcome: Outcome = await self._endorse(definition, function, *args, **options)
        self.spent.add(function, time.process_time() - start)
        return outcome


class OnFabric(Homes):
    """A district on a network, whose chaincode processes are watched call by call."""

    def __init__(self, peer: RolePeer, state: Path) -> None:
        super().__init__(HOMES)
        self.peer = self.ledger.peer = cast("Any", peer)
        self.spent, self.waited = Spent(), Spent()
        self._servers = servers(state)
        self._submit: Any = peer.submit
        self.peer.submit = self._timed

    async def look(self, function: str, *args: str, by: Any = None) -> Any:
        return await self.ledger.ask(function, *args)

    async def _timed(self, definition: str, function: str, *args: Any, **options: Any) -> bytes:
        start, before = time.perf_counter(), self._used()
        answer: bytes = await self._submit(definition, function, *args, **options)
        after = self._used()
        self.spent.add(function, max(after[name] - before[name] for name in after))
        self.waited.add(function, time.perf_counter() - start)
        return answer

    def _used(self) -> dict[str, float]:
        return {
            name: sum(sum(each.cpu_times()[:2]) for each in processes)
            for name, processes in self._servers.items()
        }


def servers(state: Path) -> dict[str, list[psutil.Process]]:
    """Chaincode processes by organisation; a process's log is named after its node."""
    found: defaultdict[str, list[psutil.Process]] = defaultdict(list)
    for process in recorded(state):
        log = next(each.path for each in process.open_files() if each.path.endswith(".log"))
        node, _, organization = Path(log).stem.partition(".")
        if node.startswith("chaincode"):
            found[organization].append(process)
    return dict(found)


def measure() -> dict[str, Any]:
    found: dict[str, Any] = {"in_memory": asyncio.run(_in_memory())}
    print(found, flush=True)
    if fabric_found():
        found["native"] = on("native")
    return found


def on(runtime: str) -> dict[str, Any]:
    """The order on a network of its own."""
    topology = networks.serving(reader.reference().read_text(), COMMAND)
    with networks.network(runtime, topology) as state:
        profiles = {path.stem: path for path in (state / "profiles").glob("*.json")}
        return asyncio.run(_on_network(profiles, state))


async def _on_network(profiles: Mapping[str, Path], state: Path) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        district = OnFabric(await role_peer(profiles, stack), state)
        await district.fill()
        result = await district.run()
        waited = district.waited
        return {
            **district.spent.told(),
            **_brought(result),
            "wall_s": round(sum(waited.seconds[step] for step in SETTLING), 1),
            "wall_max_ms": round(1_000 * max(waited.longest[step] for step in SETTLING)),
        }


async def _in_memory() -> dict[str, Any]:
    district = Timed()
    await district.fill()
    gc.collect()
    gc.freeze()  # the heap is the peer's; a contract's own process has none of it
    district.spent = Spent()
    result = await district.run()
    await district.final()
    return {**district.spent.told(), **_brought(result)}


def _brought(result: dict[str, Any]) -> dict[str, Any]:
    return {"delivered_share": round(result["delivered_wh"] / (2 * EACH_W * HOMES), 3)}
