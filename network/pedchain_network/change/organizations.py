# SPDX-License-Identifier: Apache-2.0
"""`org add` and `org remove`: members come and go while the network runs and keeps its state."""

from dataclasses import dataclass, replace
from functools import partial

from pedchain_network.change import configuring, leaving, named, nodes, orderers, pending
from pedchain_network.change.live import Live, checked, configuration_of
from pedchain_network.change.reach import Reach
from pedchain_network.change.refusal import Reason, refuse
from pedchain_network.change.steps import Step, walk
from pedchain_network.channel import edits, governance
from pedchain_network.pki import crypto
from pedchain_network.topology.model import (
    PORTS_PER_ORGANIZATION,
    Governance,
    Node,
    Organization,
    Topology,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """Governance as asked for; what is empty follows from the rule in force."""

    admins: str = ""
    lifecycle: str = ""


async def add(live: Live, organization: Organization, rules: Rules, command: str) -> None:
    """Make it a member, its nodes running and as able as the others.

    Raises `NetworkError`. Called again after it was broken off, it goes on.
    """
    wanted = extended(live.topology, organization, rules)
    live.begin(command, wanted)
    async with Reach(wanted, live.state) as reach:
        await walk(_Addition(live, wanted, organization, reach).steps(), live.progress)


def extended(topology: Topology, organization: Organization, rules: Rules) -> Topology:
    """The topology with one more member. Raises `ChangeRefusedError` or `TopologyError`."""
    for each in topology.organizations:
        if each.name.lower() == organization.name.lower():
            text = f"{each.name} is a member already"
            raise refuse(Reason.DUPLICATE_ORGANIZATION, text, "choose another name")
        if abs(each.ports.base - organization.ports.base) < PORTS_PER_ORGANIZATION:
            raise refuse(
                Reason.PORTS_OVERLAP,
                f"its ports overlap with those of {each.name}, which begin at {each.ports.base}",
                f"leave {PORTS_PER_ORGANIZATION} to each: --ports {free_ports(topology)}",
            )
    wider = checked(replace(topology, organizations=(*topology.organizations, organization)))
    now, msp_id = topology.governance, organization.msp_id
    governed = Governance(
        admins=rules.admins or governance.with_member(now.admins, msp_id),
        lifecycle=rules.lifecycle or governance.with_member(now.lifecycle, msp_id),
    )
    return checked(replace(wider, governance=governed))


def free_ports(topology: Topology) -> int:
    """The first ports after everybody's."""
    return max(each.ports.base for each in topology.organizations) + PORTS_PER_ORGANIZATION


@dataclass(frozen=True, slots=True)
class _Addition:
    """One member on its way in."""

    live: Live
    wanted: Topology
    organization: Organization
    reach: Reach

    def steps(self) -> tuple[Step, ...]:
        """From keys to a gateway that answers."""
        name, own = self.organization.name, self.wanted.nodes(self.organization)
        (peer,) = self.wanted.peers(self.organization)
        model = self.live.topology.peers()[0]
        genesis = self.live.state.genesis(self.wanted.channel).read_bytes()
        ordering = [
            Step(f"{each.name} takes part in ordering", partial(self._orders, each))
            for each in self.wanted.orderers(self.organization)
        ]
        return (
            Step(f"keys and certificates of {name}", partial(nodes.keys, self.live, self.wanted)),
            Step(f"{name}'s nodes run", partial(nodes.started, self.live, self.wanted, own)),
            Step(f"the channel has {name}, and every node knows", self._configured),
            *ordering,
            Step(
                f"{peer.name} holds what {model.name} holds, by its commit hash",
                partial(nodes.peer_joined, self.reach, peer, genesis, model),
            ),
            Step(f"{peer.name} has all packages", partial(nodes.installed, self.reach, peer)),
            Step(f"{name} approves all definitions", partial(nodes.approved, self.reach, peer)),
            Step(f"{peer.name} gets endorsements", partial(nodes.answers, self.reach, peer)),
            Step("profiles and topology say so", partial(nodes.written, self.live, self.wanted)),
        )

    async def _orders(self, orderer: Node) -> bool:
        model = self.live.topology.orderers()[0]
        return await nodes.orderer_joined(self.reach, orderer, model)

    async def _configured(self) -> bool:
        current = await configuration_of(self.reach, self.live.topology.orderers())
        if self.organization.name in current.application_orgs:
            return False
        if self.organization.orderer:
            await orderers.ready(self.live, self.reach, self.live.topology, self.wanted)
        await configuring.change(
            self.live,
            self.reach,
            lambda config: edits.govern(
                edits.add_organization(
                    config, self.wanted, self.live.state.crypto, self.organization
                ),
                self.wanted.governance,
            ),
            configuring.staying(self.live.topology, self.wanted),
        )
        return True


async def remove(live: Live, name: str, rules: Rules, command: str) -> None:
    """Let a member go: the channel forgets it, its nodes end, what they wrote is put aside.

    It also undoes an `org add` that was broken off. Raises `NetworkError`. Called again after it
    was broken off itself, it goes on.
    """
    begun = pending.load(live.state)
    if begun is not None and begun.command == command:
        before, wanted = begun.topologies()
    elif begun is not None and begun.command.startswith(f"org add {name} "):
        wanted, before = begun.topologies()
    else:
        before = live.topology
        wanted = reduced(before, live.organization(name), rules)
    async with Reach(before, live.state) as reach:
        job = _Removal(live, before, wanted, before.by_name(name), reach)
        await job.require_possible()
        live.begin(command, checked(wanted), before=before, undoes=f"org add {name} ")
        await walk(job.steps(), live.progress)


def reduced(topology: Topology, organization: Organization, rules: Rules) -> Topology:
    """The topology without a member; its definitions are not looked at.

    Raises `ChangeRefusedError`.
    """
    now, msp_id = topology.governance, organization.msp_id
    governed = Governance(
        admins=rules.admins or _without("admins", now.admins, msp_id),
        lifecycle=rules.lifecycle or _without("lifecycle", now.lifecycle, msp_id),
    )
    members = tuple(each for each in topology.organizations if each.name != organization.name)
    if not members:
        text = f"{organization.name} is the only member"
        raise refuse(Reason.LAST_ORGANIZATION, text, "ped-network clean ends the whole network")
    return replace(topology, organizations=members, governance=governed)


def _without(option: str, text: str, msp_id: str) -> str:
    left = governance.without_member(text, msp_id)
    if left is None:
        raise refuse(
            Reason.NOT_WORDED,
            f"{msp_id} has a place of its own in {text}: what holds without it is yours to say",
            f"give the new policy: --{option} POLICY",
        )
    return left


@dataclass(frozen=True, slots=True)
class _Removal:
    """One member on its way out, of the topology `before`."""

    live: Live
    before: Topology
    wanted: Topology
    organization: Organization
    reach: Reach

    async def require_possible(self) -> None:
        """Nothing on the ledger needs it. Raises `ChangeRefusedError`."""
        await named.require_unnamed(self.reach, self.organization, self.wanted.peers()[0])

    def steps(self) -> tuple[Step, ...]:
        """From the channel to the disk."""
        name, own = self.organization.name, self.before.nodes(self.organization)
        paths = [
            *leaving.ledgers(self.live.state, own),
            crypto.of(self.live.state.crypto, self.organization).root,
            self.live.state.profiles / f"{name}.json",
        ]
        leave = leaving.Leaving(
            self.live, self.before, self.wanted, name, own, paths, self._configured
        )
        return leave.steps()

    async def _configured(self) -> bool:
        current = await configuration_of(self.reach, self.wanted.orderers())
        if self.organization.name not in current.application_orgs:
            return False
        if self.organization.orderer:
            await orderers.ready(self.live, self.reach, self.before, self.wanted)
        await configuring.change(
            self.live,
            self.reach,
            lambda config: edits.remove_organization(
                edits.govern(config, self.wanted.governance), self.before, self.organization
            ),
            configuring.staying(self.before, self.wanted),
        )
        return True
