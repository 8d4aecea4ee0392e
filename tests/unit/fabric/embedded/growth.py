# SPDX-License-Identifier: Apache-2.0
"""A town that changes: its channel's configuration, and the nodes its process plays."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.admin import configupdate, configuration
from pedchain_fabric.admin.channel import Consenter
from pedchain_fabric.admin.channel import Organization as Described
from pedchain_fabric.embedded.config import parse
from pedchain_fabric.embedded.ledger import Ledger
from pedchain_fabric.embedded.node import Reloaded
from pedchain_network.bringup import members
from pedchain_network.bringup.members import Member
from pedchain_network.channel import genesis
from pedchain_network.pki import crypto
from pedchain_network.topology.model import Organization, Ports, Topology
from tests import ports
from tests.parity.target import CHANNEL
from tests.unit.fabric.embedded import town as towns
from tests.unit.fabric.embedded.town import Town

NEW = "DistrictC"
ADMINS = ("DSO", "DistrictA", "DistrictB")
Edit = Callable[[Config], Config]


@dataclass
class Growth:
    """A town and the organisation that may join it."""

    town: Town
    topology: Topology
    organization: Organization
    newcomer: Member

    @property
    def ledger(self) -> Ledger:
        """The channel's, which all nodes of the process share."""
        return self.town.network.channels[CHANNEL].ledger

    @property
    def described(self) -> Described:
        """The newcomer as the channel would hold it."""
        return genesis.organization(self.topology, self.organization, self.town.state.crypto)

    @property
    def peer_only(self) -> Described:
        """The same without its orderer."""
        return replace(self.described, orders=False, orderer_endpoints=())

    def consenter(self, number: int) -> Consenter:
        """The newcomer's orderer."""
        (orderer,) = self.topology.orderers(self.organization)
        return genesis.consenter(number, self.topology, orderer, self.town.state.crypto)

    async def change(self, edit: Edit, signers: Sequence[str] = ADMINS) -> int:
        """Make the edit, signed by these organisations' administrators; the sequence reached."""
        current = await configuration.from_orderer(self.orderers[0], CHANNEL)
        update = configupdate.prepare(current, edit(current.config))
        known = {each.organization.name: each for each in (*self.town.members, self.newcomer)}
        for name in signers:
            update = update.signed_by(known[name].peer.identity)
        submitter = self.town.members[0].peer.identity
        sequence = await configuration.submit(self.orderers, update, submitter)
        peers = [each.peer for each in self.town.members]
        await configuration.in_force(sequence, CHANNEL, orderers=self.orderers, peers=peers)
        return sequence

    @property
    def orderers(self) -> list[Any]:
        """The participation interfaces of the first four organisations."""
        return [each.orderer for each in self.town.members]

    def config(self, *kinds: str) -> dict[str, Any]:
        """CONFIG.json with the newcomer's nodes of these kinds."""
        whole = towns.configuration(self.topology, self.town.state)
        grown = {**self.town.config}
        for kind in ("peers", "orderers"):
            new = [each for each in whole[kind] if NEW.lower() in each["name"]]
            grown[kind] = [*self.town.config[kind], *(new if kind in kinds else [])]
        return grown

    async def reload(self, document: dict[str, Any]) -> Reloaded:
        """As the process does on SIGHUP."""
        return await self.town.network.reload(parse(document, self.town.state.root))


@asynccontextmanager
async def of(town: Town) -> AsyncIterator[Growth]:
    """The town with a fifth organisation's keys at hand, its nodes not started."""
    with ports.free() as base:
        organization = Organization(NEW, Ports(base))
        topology = replace(
            town.topology, organizations=(*town.topology.organizations, organization)
        )
        crypto.create(town.state.crypto, topology)
        async with members.connect(topology, town.state) as connected:
            yield Growth(town, topology, organization, connected[-1])
