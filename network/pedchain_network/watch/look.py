# SPDX-License-Identifier: Apache-2.0
"""Looking at a network: every process, listener, node and contract, all at once and bounded."""

import asyncio
import ssl
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pedchain_network.limits import BEHIND_BLOCKS, BEHIND_PATIENCE_S, STATUS_TIMEOUT_S
from pedchain_network.pki import crypto
from pedchain_network.runtimes import listeners
from pedchain_network.runtimes.part import Part
from pedchain_network.runtimes.process import Process
from pedchain_network.runtimes.runtime import by_name
from pedchain_network.state import State
from pedchain_network.topology.model import CHAINCODE, PEER, Node, Topology
from pedchain_network.watch import health, leadership, sockets, vitals
from pedchain_network.watch.health import DOWN, Health, NodeHealth, PartHealth
from pedchain_network.watch.vitals import Vitals


@dataclass(frozen=True, slots=True)
class Sight:
    """What operations interfaces and the operating system tell, without asking any ledger."""

    topology: Topology
    parts: tuple[PartHealth, ...]
    nodes: tuple[NodeHealth, ...]
    vitals: Mapping[str, Vitals | None]

    def answering(self, kind: str) -> list[Node]:
        """The nodes of a kind that are there to be asked more."""
        up = {each.name for each in self.nodes if each.state in (health.UP, health.BEHIND)}
        return [node for node in self.topology.nodes() if node.kind == kind and node.name in up]

    def leads(self, numbers: Mapping[int, str]) -> leadership.Leadership:
        """Who leads the orderers; `numbers` are the consenters' in the channel, where known."""
        return leadership.of(
            {node.name: self.vitals[node.name] for node in self.topology.orderers()},
            bft=self.topology.ordering.consensus.value == "smartbft",
            numbers=numbers,
        )


async def look(state: State) -> Health:
    """Everything on record. Raises `StateError` if that is damaged."""
    run = state.load()
    if run is None:
        return Health(DOWN)
    topology = state.topology()
    found = await sight(topology, state, by_name(run.runtime).parts(state, run))
    answers, numbers = await _inside(found, state)
    led = found.leads(numbers)
    nodes = tuple(
        replace(each, leads=each.name == led.leader, chaincode=answers.get(each.name))
        for each in found.nodes
    )
    verdict = health.verdict(found.parts, nodes, led)
    consensus = topology.ordering.consensus.value
    return Health(verdict, run.runtime, run.channel, consensus, found.parts, nodes, led)


async def sight(topology: Topology, state: State, parts: Sequence[Part]) -> Sight:
    """All parts and nodes at once; those behind get a second look."""
    nodes = [node for node in topology.nodes() if node.kind != CHAINCODE]
    seen, answers = await asyncio.gather(_parts(parts), told(topology, state))
    found = await asyncio.gather(
        *(_node(topology, node, seen, answers[node.name]) for node in nodes)
    )
    again = {node.name: node for node in nodes if _seems_behind(node.name, answers)}
    if again:
        await asyncio.sleep(BEHIND_PATIENCE_S)
        later = await asyncio.gather(*(_told(topology, state, each) for each in again.values()))
        late = dict(zip(again, later, strict=True))
        found = [_caught_up(each, late, _top(answers.values())) for each in found]
    top = max((each.height or 0 for each in found), default=0)
    nodes_ = tuple(
        each if each.height is None else replace(each, lag=top - each.height) for each in found
    )
    return Sight(topology, tuple(seen), nodes_, answers)


async def told(topology: Topology, state: State) -> Mapping[str, Vitals | None]:
    """What each peer and orderer tells of itself; None if it does not answer in time."""
    nodes = [node for node in topology.nodes() if node.kind != CHAINCODE]
    answers = await asyncio.gather(*(_told(topology, state, node) for node in nodes))
    return {node.name: each for node, each in zip(nodes, answers, strict=True)}


async def _inside(
    found: Sight, state: State
) -> tuple[Mapping[str, Mapping[str, str]], dict[int, str]]:
    """What needs keys: each peer's chaincode asked for an answer, and the consenters' numbers."""
    peers = found.answering(PEER)
    if not peers:
        return {}, {}
    from pedchain_network.watch import contracts  # gRPC: only if there is somebody to ask

    return await contracts.ask(found.topology, state, peers)


async def _parts(parts: Sequence[Part]) -> list[PartHealth]:
    wanted = [address for part in parts for address in part.listens.values()]
    there, seen = await asyncio.gather(
        sockets.answering(wanted, STATUS_TIMEOUT_S),
        # In threads: an engine takes its time to tell of a container.
        asyncio.gather(*(asyncio.to_thread(_part, part) for part in parts)),
    )
    return [_listening(each, part, there) for each, part in zip(seen, parts, strict=True)]


def _part(part: Part) -> PartHealth:
    alive = part.alive
    return PartHealth(
        name=part.name,
        kind=part.kind,
        organization=part.organization,
        pid=part.pid if isinstance(part, Process) else None,
        alive=alive,
        listens={},
        log=part.log if isinstance(part, Process) else "",
        memory_bytes=part.memory_bytes if alive else None,
    )


def _listening(seen: PartHealth, part: Part, there: Collection[str]) -> PartHealth:
    """A listener of a dead process's port is somebody else's."""
    listens = {label: seen.alive and each in there for label, each in part.listens.items()}
    return replace(seen, listens=listens)


async def _told(topology: Topology, state: State, node: Node) -> Vitals | None:
    address = topology.address(node, "operations")
    return await vitals.ask(
        address, topology.channel, STATUS_TIMEOUT_S, operations_tls(topology, state, node)
    )


def operations_tls(topology: Topology, state: State, node: Node) -> ssl.SSLContext | None:
    """How to ask a node's operations interface: plain on loopback, else as its administrator."""
    if not topology.operations_tls(node):
        return None
    owned = crypto.of(state.crypto, node.member)
    tls = owned.user("admin") / "tls"
    context = ssl.create_default_context(cadata=owned.tls_roots().decode())
    with suppress(FileNotFoundError):  # without a key only /healthz answers
        context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
    return context


async def _node(
    topology: Topology, node: Node, parts: Iterable[PartHealth], told: Vitals | None
) -> NodeHealth:
    part = next((each for each in parts if set(node.listens) & set(each.listens)), None)
    if part is None:
        there = await listeners.answers(topology.address(node), STATUS_TIMEOUT_S)
        state = health.UP if there else health.ABSENT
    elif not part.alive:
        state = health.ENDED
    else:
        listening = all(part.listens.get(label, True) for label in node.listens)
        state = health.UP if listening and told is not None else health.SILENT
    told = told or Vitals()
    return NodeHealth(
        name=node.name,
        kind=node.kind,
        organization=node.organization,
        state=state,
        part="" if part is None else part.name,
        height=told.height,
        version=told.version,
    )


def _top(answers: Iterable[Vitals | None]) -> int:
    return max((each.height or 0 for each in answers if each is not None), default=0)


def _seems_behind(name: str, answers: Mapping[str, Vitals | None]) -> bool:
    told = answers[name]
    return told is not None and _top(answers.values()) - (told.height or 0) > BEHIND_BLOCKS


def _caught_up(node: NodeHealth, late: Mapping[str, Vitals | None], top: int) -> NodeHealth:
    """The node as the second look found it: behind if it has not reached what others had."""
    told = late.get(node.name)
    if told is None or told.height is None:
        return node
    behind = node.state == health.UP and told.height < top
    return replace(node, height=told.height, state=health.BEHIND if behind else node.state)
