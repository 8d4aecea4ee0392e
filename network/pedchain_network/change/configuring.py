# SPDX-License-Identifier: Apache-2.0
"""A change of the channel's configuration by the administrators whose keys are here."""

from collections.abc import Callable, Sequence
from pathlib import Path

from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.admin import configupdate, configuration
from pedchain_fabric.admin.configupdate import SignedUpdate
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_network import files
from pedchain_network.change.live import Live, configuration_of
from pedchain_network.change.reach import Reach
from pedchain_network.change.refusal import Reason, refuse, translated
from pedchain_network.channel import agreement
from pedchain_network.errors import PartError
from pedchain_network.progress import Progress
from pedchain_network.state import State
from pedchain_network.topology.model import ORDERER, PEER, Node, Topology


async def change(
    live: Live, reach: Reach, edit: Callable[[Config], Config], nodes: Sequence[Node]
) -> None:
    """Agree on the edit, submit it to those of `nodes` that order, wait until all have it.

    Raises `ChangeRefusedError`; with SIGNATURES_MISSING the update lies in a file to be signed.
    """
    current = await configuration_of(reach, orderers_of(nodes))
    with translated():
        update = configupdate.prepare(current, edit(current.config))
    tell(live.progress, current, update)
    update = agreement.signed(update, members(reach, current).values())
    require_agreed(current, update, live.state)
    await submit(reach, current, update, nodes)


async def submit(
    reach: Reach, current: ChannelConfig, update: SignedUpdate, nodes: Sequence[Node]
) -> None:
    """Send an update that all who must have agreed to; return once all nodes have it.

    Nodes tell their configuration only to their own administrators: others are not waited for.
    Raises `ChangeRefusedError`, or `PartError` if orderers refuse it or a node does not follow.
    """
    admins = members(reach, current)
    if not admins:
        text = "no administrator's key of any member is here"
        raise refuse(Reason.SIGNATURES_MISSING, text, "submit it where there is one")
    orderers = [reach.orderer(each) for each in reach.own(orderers_of(nodes))]
    peers = [
        reach.peer(each) for each in nodes if each.kind == PEER and each.organization in admins
    ]
    channel = reach.topology.channel
    try:
        with translated():
            sequence = await configuration.submit(orderers, update, next(iter(admins.values())))
        await configuration.in_force(sequence, channel, orderers=orderers, peers=peers)
    except AdminError as error:
        fix = "ped-network up restarts an orderer that stands still; then once more"
        raise PartError("channel", str(error), fix=fix) from error


def members(reach: Reach, current: ChannelConfig) -> dict[str, SigningIdentity]:
    """The administrators whose keys are here and whom the channel knows already, by name."""
    known = current.application_orgs
    return {name: admin for name, admin in reach.admins().items() if name in known}


def orderers_of(nodes: Sequence[Node]) -> list[Node]:
    """Those of them that order."""
    return [each for each in nodes if each.kind == ORDERER]


def tell(progress: Progress, current: ChannelConfig, update: SignedUpdate) -> None:
    """Every change on a line of its own, and the policies that govern before and after.

    Raises `ChangeRefusedError` if the update was made from another configuration.
    """
    with translated():
        for line in agreement.lines(current, update):
            progress.step(line)


def require_agreed(current: ChannelConfig, update: SignedUpdate, state: State) -> None:
    """Every policy is satisfied. Raises `ChangeRefusedError` that names who has not signed; the
    update is kept in a file then, for them to sign."""
    with translated():
        lacking = agreement.missing(current, update)
    if not lacking:
        return
    path = update_file(state)
    files.write(path, update.to_bytes())
    raise refuse(
        Reason.SIGNATURES_MISSING,
        f"signatures are missing: {'; '.join(lacking)}",
        f"have them run `ped-network channel sign {path} --organization NAME`, then "
        f"`ped-network channel submit {path}`, then call this command again",
    )


def update_file(state: State) -> Path:
    """Where an update waits for signatures."""
    return state.root / "channel" / "update.pb"


def staying(before: Topology, after: Topology) -> tuple[Node, ...]:
    """Peers and orderers that are in both topologies: those that a change must reach."""
    names = {each.name for each in after.nodes()}
    nodes = (*before.orderers(), *before.peers())
    return tuple(each for each in nodes if each.name in names)
