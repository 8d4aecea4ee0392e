# SPDX-License-Identifier: Apache-2.0
"""Containers as parts of a network, seen through the engine."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pedchain_network.limits import ENGINE_LOOK_S, LOG_LINE_CHARACTERS, LOG_LINES, LOG_SEARCHED
from pedchain_network.runtimes import logfile
from pedchain_network.runtimes.docker import engine, services
from pedchain_network.topology.model import Node, Topology

_ALIVE = ("running", "paused")
_SERVICE = "com.docker.compose.service"


class Look:
    """What the engine says of one project's containers, asked again when it is older than that
    of which somebody who waits would not notice."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._seen: dict[str, dict[str, Any]] = {}
        self._at = float("-inf")

    def now(self) -> Mapping[str, dict[str, Any]]:
        """The engine's summaries by service. Raises `RuntimeMissingError`."""
        if time.monotonic() - self._at > ENGINE_LOOK_S:
            with engine.connected() as connected:
                found = [each.attrs for each in connected.containers(self._project)]
            self._seen = {each["Labels"][_SERVICE]: each for each in found}
            self._at = time.monotonic()
        return self._seen


@dataclass(frozen=True, slots=True)
class ContainerPart:
    """One container."""

    name: str
    kind: str
    organization: str
    listens: Mapping[str, str]
    look: Look = field(repr=False)

    @property
    def alive(self) -> bool:
        """Does it run; one that restarts again and again does not."""
        return bool(self._summary.get("State") in _ALIVE)

    @property
    def health(self) -> str:
        """The engine's words: `Up 3 minutes (healthy)`."""
        return str(self._summary.get("Status", "gone"))

    @property
    def image(self) -> str:
        """What it was made from, with the version."""
        return str(self._summary.get("Image", ""))

    @property
    def memory_bytes(self) -> int | None:
        """Resident memory, without the page cache that the kernel may take back."""
        with engine.connected() as connected:
            return connected.memory_bytes(self._id)

    def read_log(self, lines: int | None, *, follow: bool) -> Iterator[str]:
        """Its last lines or all, each led by its time; with `follow` also those to come."""
        with engine.connected() as connected:
            yield from connected.log(self._id, lines, follow=follow, times=True)

    def log_tail(self) -> str:
        """The last lines it wrote."""
        with engine.connected() as connected:
            lines = list(connected.log(self._id, LOG_SEARCHED, follow=False, times=False))
        last = logfile.last_words(lines, LOG_LINES)
        shown = [f"  {self.name}| {line[:LOG_LINE_CHARACTERS]}" for line in last]
        return "\n".join(shown) or "(no log)"

    @property
    def _summary(self) -> Mapping[str, Any]:
        return self.look.now().get(self.name, {})

    @property
    def _id(self) -> str:
        return str(self._summary.get("Id", ""))


def parts(topology: Topology, project: str) -> tuple[ContainerPart, ...]:
    """The network's containers that exist, whatever became of them."""
    look = Look(project)
    existing = look.now()
    return tuple(_part(node, look) for node in topology.nodes() if node.name in existing)


def _part(node: Node, look: Look) -> ContainerPart:
    """Only what is published can be dialled from here."""
    labelled = zip(node.listeners, node.listens.items(), strict=True)
    published = {
        label: address
        for listener, (label, address) in labelled
        if services.is_published(node, listener)
    }
    return ContainerPart(node.name, node.kind, node.organization, published, look)
