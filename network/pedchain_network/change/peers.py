# SPDX-License-Identifier: Apache-2.0
"""`peer add` and `peer remove`: a member's second and third peer, each with its own ledger."""

from dataclasses import replace
from functools import partial

from pedchain_network.change import leaving, nodes
from pedchain_network.change.live import Live, checked, configuration_of
from pedchain_network.change.reach import Reach
from pedchain_network.change.refusal import Reason, refuse
from pedchain_network.change.steps import Step, walk
from pedchain_network.limits import PEERS
from pedchain_network.topology.model import Node, Organization, Topology


async def add(live: Live, name: str, command: str) -> None:
    """One more peer for a member. The channel's configuration need not change for it.

    Raises `NetworkError`. Called again after it was broken off, it goes on.
    """
    organization = live.organization(name)
    if organization.peers >= PEERS:
        text = f"{name} has {organization.peers} peers, as many as its ports have room for"
        raise refuse(Reason.TOO_MANY_PEERS, text, "give larger hosts to those it has")
    wanted = checked(counting(live.topology, organization, organization.peers + 1))
    live.begin(command, wanted)
    async with Reach(wanted, live.state) as reach:
        await walk(_addition(live, wanted, wanted.by_name(name), reach), live.progress)


async def remove(live: Live, name: str, command: str) -> None:
    """The member's newest peer goes.

    Raises `NetworkError`. Called again after it was broken off, it goes on.
    """
    organization = live.organization(name)
    if organization.peers == 1:
        text = f"{name} has one peer, without which it takes no part"
        raise refuse(
            Reason.LAST_PEER, text, f"let the organisation go: ped-network org remove {name}"
        )
    peer = live.topology.peers(organization)[-1]
    async with Reach(live.topology, live.state) as reach:
        await _require_no_anchor(live, reach, peer)
    wanted = checked(counting(live.topology, organization, organization.peers - 1))
    live.begin(command, wanted)
    await walk(_removal(live, wanted, peer), live.progress)


def counting(topology: Topology, organization: Organization, peers: int) -> Topology:
    """The topology in which a member has that many peers."""
    changed = replace(organization, peers=peers)
    members = tuple(changed if each == organization else each for each in topology.organizations)
    return replace(topology, organizations=members)


def _addition(
    live: Live, wanted: Topology, organization: Organization, reach: Reach
) -> tuple[Step, ...]:
    model, *_, peer = wanted.peers(organization)
    own = [peer, *wanted.servers_of(peer)]
    genesis = live.state.genesis(wanted.channel).read_bytes()
    return (
        Step(f"keys of {peer.name}", partial(nodes.keys, live, wanted)),
        Step(f"{peer.name} runs", partial(nodes.started, live, wanted, own)),
        Step(
            f"{peer.name} holds what {model.name} holds, by its commit hash",
            partial(nodes.peer_joined, reach, peer, genesis, model),
        ),
        Step(f"{peer.name} has all packages", partial(nodes.installed, reach, peer)),
        Step(f"{peer.name} gets endorsements", partial(nodes.answers, reach, peer)),
        Step("profiles and topology say so", partial(nodes.written, live, wanted)),
    )


def _removal(live: Live, wanted: Topology, peer: Node) -> tuple[Step, ...]:
    own = [peer, *live.topology.servers_of(peer)]
    traces = leaving.traces(live.state, live.topology, own)
    return (
        Step(f"{peer.name} runs no more", partial(leaving.ended, live, live.topology, wanted, own)),
        Step(
            f"what {peer.name} wrote is put aside",
            partial(leaving.put_aside, live.state, peer.name, traces),
        ),
        Step("profiles and topology say so", partial(nodes.written, live, wanted)),
    )


async def _require_no_anchor(live: Live, reach: Reach, peer: Node) -> None:
    """Others must not look for it where it no longer is. Raises `ChangeRefusedError`."""
    current = await configuration_of(reach, live.topology.orderers())
    anchors = current.application_orgs[peer.organization].anchor_peers
    if (live.topology.dialled_host(peer), peer.port()) in anchors:
        first = live.topology.peers(live.topology.by_name(peer.organization))[0]
        raise refuse(
            Reason.ANCHOR,
            f"{peer.name} is an anchor peer, by which others find {peer.organization}",
            f"name another one first: ped-network channel update --anchor "
            f"{peer.organization}={live.topology.dialled(first)}",
        )
