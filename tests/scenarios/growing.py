# SPDX-License-Identifier: Apache-2.0
"""A network that grows and shrinks: what scenarios ask of it, apart from the command itself."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pedchain_fabric.admin import qscc
from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.client import profile
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.block import commit_hash
from pedchain_network.change.reach import Reach
from pedchain_network.state import State
from pedchain_network.topology import writer
from pedchain_network.topology.model import Deployment, Topology
from tests import ports
from tests.scenarios.harness import Network

CHANNEL = "ped"
NEW = "DistrictC"


@contextmanager
def room() -> Iterator[str]:
    """The option that gives a new organisation free ports."""
    with ports.free() as base:
        yield str(base)


def topology(network: Network) -> Topology:
    """The network's own topology now."""
    return State(network.state).topology()


def put(network: Network, organization: str, key: str, text: str, **arguments: object) -> None:
    """Keep a public note through an organisation's gateway; `by` names the endorsers."""

    async def submit() -> None:
        async with await profile.connect(network.profile(organization)) as gateway:
            contract = gateway.network(CHANNEL).contract("registry")
            await contract.submit("Put", key, text, **arguments)

    asyncio.run(submit())


def get(network: Network, organization: str, key: str) -> str:
    """A public note as an organisation's own peer has it."""
    return _asked(network, organization, "registry", "Get", key)


def put_private(network: Network, chaincode: str, collection: str, key: str, text: str) -> None:
    """Keep a private note through the DSO's gateway."""

    async def submit() -> None:
        async with await profile.connect(network.profile("DSO")) as gateway:
            contract = gateway.network(CHANNEL).contract(chaincode)
            transient = {"text": text.encode()}
            await contract.submit("PutPrivate", collection, key, transient=transient)

    asyncio.run(submit())


def get_private(
    network: Network, organization: str, chaincode: str, collection: str, key: str
) -> str | None:
    """A private note as an organisation's own peer has it; None if it is refused or not there."""
    try:
        return _asked(network, organization, chaincode, "GetPrivate", collection, key) or None
    except AdminError:
        return None


def _asked(network: Network, organization: str, chaincode: str, name: str, *texts: str) -> str:
    """What this very peer answers; a gateway might ask another one."""

    async def ask() -> bytes:
        now = topology(network)
        async with Reach(now, State(network.state)) as reach:
            peer = reach.peer(now.peers(now.by_name(organization))[0])
            arguments = [each.encode() for each in texts]
            return await peer.query(chaincode, name, *arguments, channel=CHANNEL)

    return asyncio.run(ask()).decode()


def comes(read: Callable[[], str | None], text: str, seconds: float = 60) -> bool:
    """Whether what a peer reads becomes this: blocks, and private data after them, take time."""
    deadline = time.monotonic() + seconds
    while read() != text:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def hashes(network: Network) -> Mapping[str, bytes]:
    """Every peer's commit hash at the newest block that all of them have."""

    async def ask() -> dict[str, bytes]:
        now = topology(network)
        async with Reach(now, State(network.state)) as reach:
            peers = {each.name: reach.peer(each) for each in now.peers()}
            heights = [(await qscc.chain_info(each, CHANNEL)).height for each in peers.values()]
            return {
                name: commit_hash(await qscc.block_by_number(each, CHANNEL, min(heights) - 1))
                for name, each in peers.items()
            }

    return asyncio.run(ask())


def up_again(network: Network) -> None:
    """`up` as users call it on a network that is there: by its own topology."""
    replace(network, topology=network.state / "consortium.yaml").run("up")


def agree(network: Network, folder: Path, *definitions: Definition, package: str = "") -> None:
    """Bring definitions onto the channel, each the next sequence of its name or a new one."""
    now = topology(network)
    known = {each.definition.name: each for each in now.deployments}
    for each in definitions:
        label = known[each.name].package if each.name in known else package
        known[each.name] = Deployment(label, each)
    path = folder / "wanted.yaml"
    path.write_text(writer.text(replace(now, deployments=tuple(known.values()))))
    replace(network, topology=path).run("up")


def definition(network: Network, name: str) -> Definition:
    """A definition as the network's topology has it."""
    return next(
        each.definition for each in topology(network).deployments if each.definition.name == name
    )
