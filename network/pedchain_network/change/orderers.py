# SPDX-License-Identifier: Apache-2.0
"""`orderer add` and `orderer remove`: a member begins to order, or leaves it to the others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from pedchain_fabric.errors import AdminError
from pedchain_network import limits
from pedchain_network.change import configuring, leaving, nodes
from pedchain_network.change.live import Live, checked, configuration_of
from pedchain_network.change.reach import Reach
from pedchain_network.change.refusal import Reason, refuse
from pedchain_network.change.steps import Step, walk
from pedchain_network.channel import edits, quorum
from pedchain_network.topology.model import Node, Organization, Topology


async def add(live: Live, name: str, command: str) -> None:
    """Let a member that has peers only order as well.

    Raises `NetworkError`. Called again after it was broken off, it goes on.
    """
    organization = live.organization(name)
    if organization.orderer:
        text = f"{name} has an orderer already"
        raise refuse(Reason.ORDERS_ALREADY, text, "nothing is to do: ped-network channel show")
    wanted = checked(ordering(live.topology, organization, True))
    live.begin(command, wanted)
    async with Reach(wanted, live.state) as reach:
        await walk(_Addition(live, wanted, wanted.by_name(name), reach).steps(), live.progress)


async def remove(live: Live, name: str, command: str) -> None:
    """Let a member order no more; its peers stay.

    Raises `NetworkError`. Called again after it was broken off, it goes on.
    """
    organization = live.organization(name)
    if not organization.orderer:
        text = f"{name} has no orderer"
        raise refuse(Reason.ORDERS_NOT, text, "nothing is to do: ped-network channel show")
    wanted = ordering(live.topology, organization, False)
    require_enough(live.topology, wanted)
    live.begin(command, checked(wanted))
    async with Reach(live.topology, live.state) as reach:
        await walk(_Removal(live, wanted, organization, reach).steps(), live.progress)


def ordering(topology: Topology, organization: Organization, orders: bool) -> Topology:
    """The topology in which a member orders, or does not."""
    changed = replace(organization, orderer=orders)
    members = tuple(changed if each == organization else each for each in topology.organizations)
    return replace(topology, organizations=members)


def require_enough(before: Topology, wanted: Topology) -> None:
    """As many orderers stay as the topology's own tolerance needs. Raises `ChangeRefusedError`."""
    kind, faults = wanted.ordering.consensus, wanted.ordering.faults
    stay = len(wanted.orderers())
    if stay < 1 or quorum.tolerated(kind, stay) < faults:
        raise refuse(
            Reason.TOO_FEW_ORDERERS,
            f"{stay} of {len(before.orderers())} orderers would stay: too few for {faults} to fail",
            "let another organisation order first: ped-network orderer add",
        )


async def ready(live: Live, reach: Reach, before: Topology, wanted: Topology) -> None:
    """The orderers that stay are healthy, and people know what the change is worth.

    Raises `ChangeRefusedError`.
    """
    names = {each.name for each in wanted.orderers()}
    staying = [each for each in before.orderers() if each.name in names]
    await require_healthy(reach, staying)
    numbers = len(before.orderers()), len(wanted.orderers())
    live.progress.step(quorum.advice(wanted.ordering.consensus, *numbers))


@dataclass(frozen=True, slots=True)
class _Addition:
    """One orderer on its way in."""

    live: Live
    wanted: Topology
    organization: Organization
    reach: Reach

    def steps(self) -> tuple[Step, ...]:
        """From keys to a consenter that is up to date."""
        (own,) = self.wanted.orderers(self.organization)
        model = self.live.topology.orderers()[0]
        return (
            Step(f"keys of {own.name}", partial(nodes.keys, self.live, self.wanted)),
            Step(f"{own.name} runs", partial(nodes.started, self.live, self.wanted, [own])),
            Step(f"the channel has {own.name}, and every node knows", self._configured),
            Step(
                f"{own.name} takes part in ordering",
                partial(nodes.orderer_joined, self.reach, own, model),
            ),
            Step("profiles and topology say so", partial(nodes.written, self.live, self.wanted)),
        )

    async def _configured(self) -> bool:
        current = await configuration_of(self.reach, self.live.topology.orderers())
        if self.organization.name in current.orderer_orgs:
            return False
        await ready(self.live, self.reach, self.live.topology, self.wanted)
        crypto_root = self.live.state.crypto
        await configuring.change(
            self.live,
            self.reach,
            lambda config: edits.add_orderer(config, self.wanted, crypto_root, self.organization),
            configuring.staying(self.live.topology, self.wanted),
        )
        return True


@dataclass(frozen=True, slots=True)
class _Removal:
    """One orderer on its way out."""

    live: Live
    wanted: Topology
    organization: Organization
    reach: Reach

    def steps(self) -> tuple[Step, ...]:
        """From the channel to the disk."""
        before, state = self.live.topology, self.live.state
        own = before.orderers(self.organization)
        paths = leaving.traces(state, before, own)
        leave = leaving.Leaving(
            self.live, before, self.wanted, own[0].name, own, paths, self._configured
        )
        return leave.steps()

    async def _configured(self) -> bool:
        current = await configuration_of(self.reach, self.wanted.orderers())
        if self.organization.name not in current.orderer_orgs:
            return False
        before = self.live.topology
        await ready(self.live, self.reach, before, self.wanted)
        await configuring.change(
            self.live,
            self.reach,
            lambda config: edits.remove_orderer(config, before, self.organization),
            configuring.staying(before, self.wanted),
        )
        return True


async def require_healthy(reach: Reach, orderers: Sequence[Node]) -> None:
    """Each of these orderers takes part and is up to date, as a change of their number demands.

    Between configuration and join a new orderer counts as failed, so none may be failed already.
    Raises `ChangeRefusedError`, naming those that are.
    """
    deadline = asyncio.get_running_loop().time() + limits.HEALTHY_TIMEOUT_S
    while True:
        ill = await _ill(reach, orderers)
        if not ill:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise refuse(
                Reason.NOT_HEALTHY,
                f"orderers change only while all are healthy: {'; '.join(ill)}",
                "ped-network up, then look again: ped-network status",
            )
        await asyncio.sleep(limits.PAUSE_S)


async def _ill(reach: Reach, orderers: Sequence[Node]) -> list[str]:
    """What is wrong with each orderer that is not healthy."""
    seen = await asyncio.gather(*(_height(reach, each) for each in orderers))
    highest = max((each for each in seen if isinstance(each, int)), default=0)
    ill = []
    for orderer, height in zip(orderers, seen, strict=True):
        if isinstance(height, str):
            ill.append(f"{orderer.name} {height}")
        elif height + limits.HEALTHY_LAG_BLOCKS < highest:
            ill.append(f"{orderer.name} is at block {height} of {highest}")
    return ill


async def _height(reach: Reach, orderer: Node) -> int | str:
    """Its height, or why it does not count."""
    try:
        info = await reach.orderer(orderer).info(reach.topology.channel)
    except AdminError as error:
        return str(error)
    if (info.relation, info.status) != ("consenter", "active"):
        return f"is {info.relation}, {info.status}"
    return info.height
