# SPDX-License-Identifier: Apache-2.0
"""The checks of files, sockets and connections: gathered here, judged by their modules."""

import asyncio
import datetime
from collections.abc import Iterator
from pathlib import Path

from pedchain_network.pki import crypto
from pedchain_network.runtimes.process import Process
from pedchain_network.state import State
from pedchain_network.topology.model import CHAINCODE, ORDERER, Node, Topology
from pedchain_network.watch.doctor import channelfacts, disk, endpoints, expiry, keyfiles, listening
from pedchain_network.watch.doctor.endpoints import Endpoint
from pedchain_network.watch.doctor.expiry import Dated
from pedchain_network.watch.doctor.finding import Finding
from pedchain_network.watch.doctor.subject import Subject

_ENGINE = Path("/var/lib/docker")


def certificates_on_disk(state: State) -> list[Dated]:
    """Every certificate and revocation list below the directory of keys.

    Raises `ValueError`, naming the file, for a damaged one.
    """
    found = []
    for path in sorted(state.crypto.rglob("*.pem")):
        try:
            found += expiry.read(path.read_bytes(), str(path.relative_to(state.crypto)))
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
    return found


async def certificates(subject: Subject) -> list[Finding]:
    """Those on disk and those in the channel."""
    found = certificates_on_disk(subject.state)
    if subject.config is not None:
        found += channelfacts.dated(subject.config)
    return expiry.judge(found, datetime.datetime.now(datetime.UTC))


async def keys(subject: Subject) -> list[Finding]:
    """Who can read private keys, and which lie with nodes."""
    return keyfiles.judge(*keyfiles.look(subject.state.crypto))


async def consenters(subject: Subject) -> list[Finding]:
    """The certificates orderers use are those the channel lists."""
    if subject.config is None:
        return []
    return channelfacts.judge(
        channelfacts.listed(subject.config, subject.topology),
        channelfacts.used(subject.topology, subject.state.crypto),
    )


async def disks(subject: Subject) -> list[Finding]:
    """Where ledgers grow: the state directory, and the engine's."""
    return disk.judge(disk.look(places(subject.state, subject.run.runtime)))


def places(state: State, runtime: str) -> list[Path]:
    """The directories whose file systems ledgers fill."""
    return [state.root, state.data, *([_ENGINE] if runtime == "docker" else [])]


async def sockets(subject: Subject) -> list[Finding]:
    """What listens at our ports, and what our processes listen at."""
    ports = {
        listener.port: node.name for node in subject.topology.nodes() for listener in node.listeners
    }
    pids = {each.pid: each.name for each in subject.parts if isinstance(each, Process)}
    found = await asyncio.to_thread(listening.look, ports, pids)
    return listening.judge(found, {each.listen for each in subject.topology.organizations})


async def connections(subject: Subject) -> list[Finding]:
    """Every endpoint of every node that answers."""
    healthy = {part.name for part in subject.sight.parts if part.healthy}
    open_ = {a for part in subject.parts if part.name in healthy for a in part.listens.values()}
    answering = {each.name for each in (*subject.peers, *subject.orderers)}
    wanted = [
        endpoint
        for node in subject.topology.nodes()
        if node.name in answering or open_ & set(node.listens.values())
        for endpoint in _endpoints(subject.topology, subject.state, node)
    ]
    return endpoints.judge(await endpoints.greet_all(wanted))


def _endpoints(topology: Topology, state: State, node: Node) -> Iterator[Endpoint]:
    owned = crypto.of(state.crypto, node.member)
    own, authorities = owned.tls(node) / "cert.pem", owned.tls_roots()
    admin: Path | None = owned.user("admin") / "tls"
    admin = admin if admin is not None and (admin / "key.pem").exists() else None
    if node.kind == CHAINCODE:
        peer = topology.node("peer", node.member, node.index)
        client = owned.chaincode_client(peer)
        for label, address in node.listens.items():
            yield Endpoint(label, address, node.name, authorities, own, client)
        return
    yield Endpoint(node.name, topology.address(node), node.name, authorities, own)
    if node.kind == ORDERER and admin is not None:
        address = topology.address(node, "admin")
        label = f"{node.name} admin"
        yield Endpoint(label, address, node.name, authorities, own, admin, is_http=True)
    if topology.operations_tls(node):
        address = topology.address(node, "operations")
        label = f"{node.name} operations"
        yield Endpoint(label, address, node.name, authorities, own, None, is_http=True)
