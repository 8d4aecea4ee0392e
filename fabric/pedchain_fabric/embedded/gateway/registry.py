# SPDX-License-Identifier: Apache-2.0
"""Which peers and orderers a gateway would use. Source: internal/pkg/gateway/registry.go."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from fabric_protos.peer.proposal_response_pb2 import ChaincodeInterest

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.discovery.plan import Descriptor, PlanImpossible, describe
from pedchain_fabric.embedded.gateway.layouts import Plan
from pedchain_fabric.embedded.orderer.node import Orderer
from pedchain_fabric.embedded.peer import Peer
from pedchain_fabric.wire.messages import serialize


@dataclass(frozen=True, slots=True)
class Registry:
    """The process's nodes, seen from one peer's gateway."""

    local: Peer
    peers: Sequence[Peer]
    orderers: Sequence[Orderer]
    known: dict[tuple[object, ...], Descriptor] = field(default_factory=dict, repr=False)

    def members(self, channel: Channel) -> list[Peer]:
        """Peers of the channel, the gateway's own first: all are at the same height."""
        joined = channel.members(self.peers)
        return sorted(joined, key=lambda peer: peer is not self.local)

    def offering(self, channel: Channel, chaincode: str) -> dict[str, list[Peer]]:
        """Peers that can run the chaincode, by organisation."""
        found: dict[str, list[Peer]] = {}
        for peer in self.members(channel):
            if peer.offers(channel.name, chaincode):
                found.setdefault(peer.msp_id, []).append(peer)
        return found

    def plan_for_organizations(
        self, channel: Channel, chaincode: str, msp_ids: Sequence[str]
    ) -> Plan:
        """One peer of each organisation. Raises PlanImpossible."""
        offering = self.offering(channel, chaincode)
        missing = [msp_id for msp_id in msp_ids if msp_id not in offering]
        if missing:
            raise PlanImpossible(
                f"failed to find any endorsing peers for org(s): {', '.join(missing)}"
            )
        groups = {msp_id: offering[msp_id] for msp_id in msp_ids}
        return Plan([dict.fromkeys(groups, 1)], groups)

    def plan(self, channel: Channel, interest: ChaincodeInterest, preferred: Peer | None) -> Plan:
        """Every layout that satisfies the policies, those with `preferred` first.

        Raises PlanImpossible.
        """
        members = self.members(channel)
        try:
            descriptor = self._describe(channel, interest, members)
        except PlanImpossible as error:
            raise PlanImpossible(
                "no combination of peers can be derived which satisfy the endorsement policy: "
                f"{error}"
            ) from error
        by_name = {peer.name: peer for peer in members}
        groups = {
            group: [by_name[name] for name in names] for group, names in descriptor.groups.items()
        }
        favoured = {
            group for group, names in descriptor.groups.items()
            if preferred is not None and preferred.name in names
        }  # fmt: skip
        layouts = list(descriptor.layouts)
        random.shuffle(layouts)
        layouts.sort(key=lambda layout: not favoured & layout.keys())
        return Plan(layouts, groups)

    def _describe(
        self, channel: Channel, interest: ChaincodeInterest, members: Sequence[Peer]
    ) -> Descriptor:
        """The same interest gets the same answer until something it depends on changes."""
        key = (
            channel.name,
            channel.config.sequence,
            channel.lifecycle_revision,
            tuple((peer.name, len(peer.packages)) for peer in members),
            serialize(interest),
        )
        found = self.known.get(key)
        if found is None:
            found = describe(channel, interest, members)
            if len(self.known) >= limits.REMEMBERED_PLANS:
                self.known.clear()
            self.known[key] = found
        return found

    def evaluators(self, channel: Channel, chaincode: str, msp_ids: Sequence[str]) -> Plan:
        """Peers that could answer a query, one is enough. Raises PlanImpossible."""
        offering = self.offering(channel, chaincode)
        wanted = msp_ids or list(offering)
        own = self.local.msp_id
        ordered = sorted((each for each in wanted if each in offering), key=lambda m: m != own)
        peers = [peer for msp_id in ordered for peer in offering[msp_id]]
        if not peers:
            raise PlanImpossible(
                f"no peers available to evaluate chaincode {chaincode} in channel {channel.name}"
            )
        return Plan([{"g1": 1}], {"g1": peers})
