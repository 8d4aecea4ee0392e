# SPDX-License-Identifier: Apache-2.0
"""`chaincode upgrade`: a definition's next version while the network works on.

New code is served by new processes beside the running ones, and peers find it by its package, so
nothing is restarted. A transaction that was endorsed under the old definition and is ordered after
the new one is invalid (it has read the definition), and a proposal that meets a peer between the
two is refused: clients repeat both, as our gateway does.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from pedchain_fabric.admin import configuration
from pedchain_network import files, limits
from pedchain_network.bringup.waiting import until
from pedchain_network.change import chaincode, chaincodeplan
from pedchain_network.change.chaincodestatus import WORKS, own_peers, try_endorse
from pedchain_network.change.live import Live, checked
from pedchain_network.change.reach import Reach
from pedchain_network.change.steps import Step, walk
from pedchain_network.channel.agreement import GOVERNANCE, rule
from pedchain_network.pki import crypto
from pedchain_network.topology import writer
from pedchain_network.topology.model import Deployment, Topology


async def upgrade(live: Live, name: str, wanted: Topology, *, regardless: bool = False) -> bool:
    """Lead one definition to what `wanted` has of it; False if others must approve it first.

    Called again it goes on where it stopped. Raises `NetworkError`; what never could be agreed is
    refused before anything has happened.
    """
    wanted = checked(wanted)
    deployment = chaincode.deployment_of(wanted, name)
    async with Reach(wanted, live.state) as reach:
        await chaincode.guard(reach, deployment)
        await _tell(live, reach, deployment)
        live.begin(f"chaincode upgrade {name}", wanted)
        await walk(_until_approved(live, reach, deployment), live.progress)
        waiting = await chaincode.still_lacking(reach, deployment)
        if waiting and not regardless:
            _tell_others(live, name, waiting, wanted)
            return False
        await walk(_until_in_force(live, reach, deployment, regardless), live.progress)
    await _tidy(live, wanted)
    return True


async def _tell(live: Live, reach: Reach, deployment: Deployment) -> None:
    """What changes, and by whose agreement chaincode and channel are changed at all."""
    peer = chaincode.peers_here(reach)[0]
    config = await configuration.from_peer(reach.peer(peer), reach.topology.channel)
    for word, path in GOVERNANCE.items():
        live.progress.step(f"{word}: {rule(config, path)}")
    name = deployment.definition.name
    stored = [each for each in live.topology.deployments if each.definition.name == name]
    before = stored[0].definition if stored else None
    for line in chaincodeplan.changes(before, deployment.definition):
        live.progress.step(line)


def _tell_others(live: Live, name: str, waiting: Mapping[str, str], wanted: Topology) -> None:
    path = live.state.root / "wanted.yaml"
    files.write(path, writer.text(wanted).encode())
    for msp_id, lack in waiting.items():
        live.progress.step(f"{msp_id} {lack}")
    live.progress.step(f"they run: ped-network chaincode upgrade {name} --topology {path.name}")
    live.progress.step(f"give them {path}; when they have, run this command again")


def _until_approved(live: Live, reach: Reach, deployment: Deployment) -> Sequence[Step]:
    peers = chaincode.peers_here(reach)
    label = deployment.package

    async def serve() -> bool:
        crypto.create(live.state.crypto, reach.topology)
        live.start(reach.topology)
        return reach.topology.chaincode != live.topology.chaincode

    async def install() -> bool:
        return await chaincode.install(reach, [label], peers) > 0

    async def approve() -> bool:
        return await chaincode.approve(reach, deployment, peers) > 0

    return (
        Step(f"package {label} is served", serve),
        Step(f"package {label} is installed on {len(peers)} peers", install),
        Step("every organisation that is here has approved", approve),
    )


def _until_in_force(
    live: Live, reach: Reach, deployment: Deployment, regardless: bool
) -> Sequence[Step]:
    async def commit() -> bool:
        return await chaincode.commit(reach, deployment, live.progress, regardless=regardless)

    async def endorse() -> bool:
        name = deployment.definition.name
        for peer in own_peers(reach):
            await until(partial(_endorsed, reach, peer.name, name), peer.name, f"endorse {name}")
        return True

    return (Step("agreed on", commit), Step("endorsed through every gateway", endorse))


async def _endorsed(reach: Reach, peer: str, name: str) -> bool:
    return await try_endorse(reach, reach.topology.find(peer), name) == WORKS


async def _tidy(live: Live, wanted: Topology) -> None:
    """On record from now on; servers of packages that nobody uses any more end.

    Not at once: calls that began under the old definition may still be running.
    """
    left = chaincodeplan.without_unused(wanted)
    live.finish(wanted)
    if left != wanted:
        await asyncio.sleep(limits.CHAINCODE_CALL_S)
        keep = {each.name for each in left.nodes()}
        gone = [each.name for each in wanted.servers() if each.name not in keep]
        parts = {each.name for each in live.runtime.parts(live.state, live.run)}
        if parts & set(gone):
            live.run = live.runtime.stop(
                live.state, live.run, live.progress, only=sorted(parts & set(gone))
            )
        live.finish(left)
