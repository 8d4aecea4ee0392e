# SPDX-License-Identifier: Apache-2.0
"""`up` of one organisation's part, on a host of its own: as far as it gets by itself.

Its nodes start and join. Approvals need a quorum of orderers, and a commit needs those whom the
definition names: what is missing of the others is said, and the next `up` goes on from there.
"""

import asyncio
from functools import partial

from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.admin.participation import Participation
from pedchain_fabric.errors import AdminError, CommitError, GatewayError
from pedchain_network import profiles
from pedchain_network.bringup import joining
from pedchain_network.bringup.waiting import until
from pedchain_network.change import chaincode
from pedchain_network.change.chaincodestatus import WORKS, own_peers, try_endorse
from pedchain_network.change.reach import Reach
from pedchain_network.errors import ChangeRefusedError, PartError
from pedchain_network.limits import NODE_TIMEOUT_S
from pedchain_network.pki import ownership
from pedchain_network.progress import Progress
from pedchain_network.runtimes import listeners
from pedchain_network.runtimes.runtime import by_name
from pedchain_network.state import Run, State
from pedchain_network.topology.model import Topology

_QUORUM_TIMEOUT_S = 5.0
"""How long an approval is tried before we say that the others are not up: a leader takes 2 s."""
_ORDERED_TIMEOUT_S = 40.0
"""The same once something was ordered: then enough of them are up, and it is slow (ADR 20)."""

_GOSSIP_TIMEOUT_S, _AGAIN_S = 10.0, 0.3
"""How long a peer may take to hear of the others', and how often it is asked."""


async def up(topology: Topology, state: State, run: Run, progress: Progress) -> Run:
    """Bring this host's part up. Returns also when the others are not there yet.

    The caller holds the state's lock. Raises `NetworkError`.
    """
    ours = sorted(ownership.here(state.crypto, topology))
    progress.step(f"this is the part of {', '.join(ours)}")
    profiles.write(topology, state, run.runtime)
    runtime = by_name(run.runtime)
    run = runtime.start(topology, state, run, progress)
    await asyncio.gather(
        *(
            until(partial(listeners.answers, address), part.name, "listen", NODE_TIMEOUT_S)
            for part in runtime.parts(state, run)
            for address in part.listens.values()
        )
    )
    genesis = state.genesis(topology.channel).read_bytes()
    async with Reach(topology, state) as reach:
        await _join(reach, genesis)
        peers = own_peers(reach)
        labels = [each.label for each in topology.chaincode.packages]
        await chaincode.install(reach, labels, peers)
        progress.step(f"joined {topology.channel}, {len(labels)} packages installed")
        await _agree(reach, progress)
    return run


async def _join(reach: Reach, genesis: bytes) -> None:
    ours, channel = reach.admins(), reach.topology.channel

    async def order(orderer: Participation) -> bool:
        await joining.orderer_joined(orderer, channel, genesis)
        return (await orderer.info(channel)).status in {"active", "onboarding"}

    async def follow(peer: Endorser) -> bool:
        await joining.peer_joined(peer, channel, genesis)
        return True

    for node in reach.topology.orderers():
        if node.organization in ours:
            await until(partial(order, reach.orderer(node)), node.name, f"join {channel}")
    for node in own_peers(reach):
        await until(partial(follow, reach.peer(node)), node.name, f"join {channel}")


async def _agree(reach: Reach, progress: Progress) -> None:
    """Approve, and commit what everybody named has approved; say what is left."""
    patience, hearing = _QUORUM_TIMEOUT_S, _GOSSIP_TIMEOUT_S
    for deployment in reach.topology.deployments:
        name = deployment.definition.name
        try:
            async with asyncio.timeout(patience):
                if await chaincode.approve(reach, deployment, own_peers(reach)):
                    patience = _ORDERED_TIMEOUT_S
        except (TimeoutError, PartError):
            progress.step(f"{name}: nothing is ordered yet: not enough of the others are up")
            return
        try:
            await chaincode.commit(reach, deployment, progress)
        except ChangeRefusedError as refused:
            progress.step(f"waits: {refused.message}")
            continue
        except (AdminError, GatewayError, CommitError, PartError) as error:
            progress.step(f"waits: {name}: {error}")
            continue
        said = await _endorsed(reach, name, hearing)
        hearing = 0.0 if said else hearing
        progress.step(f"{name} is agreed on" + (f", not yet endorsed: {said}" if said else ""))


async def _endorsed(reach: Reach, name: str, seconds: float) -> dict[str, str]:
    """Nothing once every peer here endorses; else by peer why it does not yet: one that has just
    come up must first hear of the others' peers."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        told = {each.name: await try_endorse(reach, each, name) for each in own_peers(reach)}
        said = {peer: word for peer, word in told.items() if word != WORKS}
        if not said or asyncio.get_running_loop().time() > end:
            return said
        await asyncio.sleep(_AGAIN_S)
