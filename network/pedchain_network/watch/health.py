# SPDX-License-Identifier: Apache-2.0
"""What runs of a network and how far it is, as `status` tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from pedchain_network.watch import table
from pedchain_network.watch.leadership import Leadership

UP, DEGRADED, DOWN = "up", "degraded", "down"
BEHIND, SILENT, ENDED, ABSENT = "behind", "silent", "ended", "absent"

_MB = 10**6


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One process or container: does it run, which of its listeners answer. No `pid`: one that
    is not this host's to see."""

    name: str
    kind: str
    organization: str
    pid: int | None
    alive: bool
    listens: Mapping[str, bool]
    log: str
    memory_bytes: int | None = None

    @property
    def healthy(self) -> bool:
        """It runs and all its listeners answer."""
        return self.alive and all(self.listens.values())

    @property
    def word(self) -> str:
        """Its state in a word."""
        return "up" if self.healthy else "silent" if self.alive else "ended"


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """One peer or orderer of the topology.

    `state` is `up`, `behind` (it did not reach in time what another had), `silent`, `ended` or
    `absent` (on this host's record nowhere, and not answering); `lag` counts blocks below the
    highest. `chaincode` has the error of each definition that its organisation should endorse,
    empty for an answer; None if nobody could ask.
    """

    name: str
    kind: str
    organization: str
    state: str
    part: str = ""
    height: int | None = None
    lag: int | None = None
    leads: bool = False
    version: str = ""
    memory_bytes: int | None = None
    chaincode: Mapping[str, str] | None = None

    @property
    def healthy(self) -> bool:
        """It is up, and so is the chaincode behind it."""
        return self.state == UP and not any((self.chaincode or {}).values())


@dataclass(frozen=True, slots=True)
class Health:
    """The whole: `up` if all is well, `down` if nothing runs, else `degraded`."""

    state: str
    runtime: str = ""
    channel: str = ""
    consensus: str = ""
    parts: tuple[PartHealth, ...] = ()
    nodes: tuple[NodeHealth, ...] = ()
    leadership: Leadership | None = None

    @property
    def height(self) -> int | None:
        """The highest of all nodes."""
        return max((each.height for each in self.nodes if each.height is not None), default=None)

    def to_document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "state": self.state,
            "runtime": self.runtime,
            "channel": self.channel,
            "consensus": self.consensus,
            "height": self.height,
            "ordering": None if self.leadership is None else asdict(self.leadership),
            "parts": [asdict(part) | {"healthy": part.healthy} for part in self.parts],
            "nodes": [asdict(node) | {"healthy": node.healthy} for node in self.nodes],
        }

    def lines(self) -> list[str]:
        """As text: the verdict, then a line per node and process and one per thing amiss."""
        if not self.parts:
            return [f"network {self.state}"]
        head = f"network {self.state}: runtime {self.runtime}, channel {self.channel}"
        if self.height is not None:
            head += f", height {self.height}"
        return [head, *self._ordering(), *self._rows()]

    def _ordering(self) -> list[str]:
        found = self.leadership
        if found is None:
            return []
        view = "" if found.view is None else f", {_VIEWS[self.consensus]} {found.view}"
        lost = "" if found.live >= found.quorum else ": quorum lost, nothing can be ordered"
        leader = f"{found.leader} leads" if found.leader else "nobody leads"
        return [
            f"ordering {self.consensus}: {leader}{view}, "
            f"{found.live} of {found.size} orderers answer, {found.quorum} needed{lost}"
        ]

    def _rows(self) -> list[str]:
        """The table, and below a line of it what is amiss there."""
        nodes = {node.name: node for node in self.nodes}
        hosted = [node for node in self.nodes if node.part != node.name]
        rows: list[tuple[tuple[str, ...], list[str]]] = []
        for part in self.parts:
            own = nodes.get(part.name)
            rows.append((_cells(part, own), _amiss(part, own)))
            rows += [
                (_cells(None, node), _amiss(None, node))
                for node in hosted
                if node.part == part.name
            ]
        rows += [(_cells(None, node), _amiss(None, node)) for node in hosted if not node.part]
        head = ("state", "name", "height", "lag", "serves", "version", "memory", "pid")
        formed = table.lines([head, *(cells for cells, _ in rows)], right=_RIGHT)
        lines = ["  " + formed[0]]
        for line, (_, amiss) in zip(formed[1:], rows, strict=True):
            lines += ["  " + line, *("         " + text for text in amiss)]
        return lines


_VIEWS = {"smartbft": "view", "raft": "leader changes", "": "view"}
_RIGHT = frozenset({2, 3, 6, 7})


def _cells(part: PartHealth | None, node: NodeHealth | None) -> tuple[str, ...]:
    name = (
        part.name if part else "  " + node.name if node and node.part else node.name if node else ""
    )
    state = part.word if part and not (part.healthy and node) else node.state if node else ""
    memory = part.memory_bytes if part else node.memory_bytes if node else None
    return (
        state,
        name,
        _number(node.height if node else None),
        _number(node.lag if node else None),
        _serves(part, node),
        node.version or "-" if node else "-",
        "-" if memory is None else f"{memory / _MB:.0f} MB",
        _number(part.pid if part else None),
    )


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _serves(part: PartHealth | None, node: NodeHealth | None) -> str:
    """An orderer's part in the agreement, a peer's contracts, a process's listeners."""
    if node is not None and node.kind == "orderer":
        return "leads" if node.leads else "follows" if node.healthy else "-"
    if node is not None and node.chaincode is not None:
        answers = sum(not error for error in node.chaincode.values())
        return f"{answers} of {len(node.chaincode)} contracts"
    if node is None and part is not None and part.listens:
        return f"{sum(part.listens.values())} of {len(part.listens)} ports"
    return "-"


def _amiss(part: PartHealth | None, node: NodeHealth | None) -> list[str]:
    lines = []
    if part is not None and not part.healthy:
        lines += [f"no answer: {each}" for each, answers in part.listens.items() if not answers]
        lines += [f"log: {part.log}"] if part.log else []
    if node is not None and node.chaincode:
        lines += [f"{name}: {error}" for name, error in node.chaincode.items() if error]
    return lines


def verdict(
    parts: Sequence[PartHealth], nodes: Sequence[NodeHealth], leadership: Leadership | None
) -> str:
    """One word for all."""
    if not any(part.alive for part in parts):
        return DOWN
    sound = all(part.healthy for part in parts) and all(node.healthy for node in nodes)
    return UP if sound and (leadership is None or leadership.can_order) else DEGRADED
