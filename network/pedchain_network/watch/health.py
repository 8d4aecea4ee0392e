# SPDX-License-Identifier: Apache-2.0
"""What runs of a network, as `status` tells it."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pedchain_network.limits import STATUS_TIMEOUT_S
from pedchain_network.runtimes import listeners
from pedchain_network.runtimes.process import Process
from pedchain_network.state import State

UP, DEGRADED, DOWN = "up", "degraded", "down"


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One process: does it run, which of its listeners answer."""

    name: str
    kind: str
    organization: str
    pid: int
    alive: bool
    listens: Mapping[str, bool]
    log: str

    @property
    def healthy(self) -> bool:
        """It runs and all its listeners answer."""
        return self.alive and all(self.listens.values())


@dataclass(frozen=True, slots=True)
class Health:
    """The whole: `up` if all is well, `down` if nothing runs, else `degraded`."""

    state: str
    runtime: str
    channel: str
    parts: tuple[PartHealth, ...]

    def to_document(self) -> dict[str, object]:
        """As JSON."""
        parts = [asdict(part) | {"healthy": part.healthy} for part in self.parts]
        return {
            "state": self.state,
            "runtime": self.runtime,
            "channel": self.channel,
            "parts": parts,
        }

    def lines(self) -> list[str]:
        """As text: the verdict, then one line per process and one per silent listener."""
        if not self.parts:
            return [f"network {self.state}"]
        lines = [f"network {self.state}: runtime {self.runtime}, channel {self.channel}"]
        for part in self.parts:
            word = "up" if part.healthy else "silent" if part.alive else "ended"
            lines.append(f"  {word:7}{part.name}  pid {part.pid}")
            if not part.healthy:
                lines += [
                    f"         no answer: {each}" for each, up in part.listens.items() if not up
                ]
                lines.append(f"         log: {part.log}")
        return lines


async def look(state: State) -> Health:
    """Look at every process and listener on record. Raises `StateError` if that is damaged."""
    run = state.load()
    if run is None:
        return Health(DOWN, "", "", ())
    parts = tuple(await asyncio.gather(*map(_part, run.processes)))
    return Health(_verdict(parts), run.runtime, run.channel, parts)


def _verdict(parts: tuple[PartHealth, ...]) -> str:
    if not any(part.alive for part in parts):
        return DOWN
    return UP if all(part.healthy for part in parts) else DEGRADED


async def _part(process: Process) -> PartHealth:
    alive = process.alive
    answers = await asyncio.gather(
        *(listeners.answers(address, STATUS_TIMEOUT_S) for address in process.listens.values())
    )
    return PartHealth(
        name=process.name,
        kind=process.kind,
        organization=process.organization,
        pid=process.pid,
        alive=alive,
        # A listener of a dead process's port is somebody else's.
        listens={
            label: alive and answer for label, answer in zip(process.listens, answers, strict=True)
        },
        log=process.log,
    )
