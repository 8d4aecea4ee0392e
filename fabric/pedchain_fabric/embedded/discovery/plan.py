# SPDX-License-Identifier: Apache-2.0
"""Which peers could endorse a transaction: groups of peers, and layouts over the groups.

Source: discovery/endorsement/endorsement.go, collection.go, discovery/support/chaincode/support.go,
core/chaincode/lifecycle/metadata_provider.go.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from fabric_protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.discovery.principals import (
    Principal,
    PrincipalSet,
    merge,
    satisfying,
    signature_policy,
)
from pedchain_fabric.embedded.ledger.lifecycle import NAMESPACE
from pedchain_fabric.errors import FabricError
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import serialize

LIFECYCLE_POLICY = "/Channel/Application/LifecycleEndorsement"


class PlanImpossible(Exception):  # noqa: N818 - it names an answer, not a fault
    """No peers can endorse; the text is Fabric's."""


class Candidate(Protocol):
    """A peer that may endorse."""

    @property
    def name(self) -> str:
        """Unique in the process."""
        ...

    @property
    def identity(self) -> Identity:
        """Who it is."""
        ...

    def offers(self, channel: str, chaincode: str) -> bool:
        """Whether it can run the chaincode now."""
        ...


@dataclass(frozen=True, slots=True)
class Descriptor:
    """`groups` name peers by group; each layout says how many of which groups are needed."""

    chaincode: str
    groups: Mapping[str, tuple[str, ...]]
    layouts: tuple[Mapping[str, int], ...]


def describe(
    channel: Channel, interest: ChaincodeInterest, peers: Sequence[Candidate]
) -> Descriptor:
    """Every way to get the transaction endorsed. Raises PlanImpossible."""
    authorized = [peer for peer in peers if _may_read(channel, interest, peer)]
    sets = _principal_sets(channel, interest)
    names = _group_names(sets)
    fitting = {
        group: [peer for peer in authorized if _fits(channel, peer, principal)]
        for principal, group in names.items()
    }
    layouts = [_layout(each, names) for each in sets]
    layouts = [each for each in layouts if _is_covered(each, fitting)]
    if not layouts:
        raise PlanImpossible("no peer combination can satisfy the endorsement policy")
    offering = _offering(channel, interest, fitting)
    layouts = [each for each in layouts if _is_covered(each, offering)]
    if not layouts:
        raise PlanImpossible("required chaincodes are not installed on sufficient peers")
    used = {group for layout in layouts for group in layout}
    groups = {group: tuple(peer.name for peer in offering[group]) for group in sorted(used)}
    return Descriptor(interest.chaincodes[0].name, groups, tuple(layouts))


def _group_names(sets: Sequence[PrincipalSet]) -> Mapping[Principal, str]:
    principals = dict.fromkeys(principal for each in sets for principal in each)
    return {principal: f"G{number}" for number, principal in enumerate(principals)}


def _layout(principals: PrincipalSet, names: Mapping[Principal, str]) -> Mapping[str, int]:
    return Counter(names[principal] for principal in principals)


def _is_covered(layout: Mapping[str, int], groups: Mapping[str, Sequence[Candidate]]) -> bool:
    return all(len(groups.get(group, ())) >= quantity for group, quantity in layout.items())


def _fits(channel: Channel, peer: Candidate, principal: Principal) -> bool:
    return channel.config.msps.satisfies(peer.identity, principal.message)


def _offering(
    channel: Channel, interest: ChaincodeInterest, groups: Mapping[str, list[Candidate]]
) -> Mapping[str, list[Candidate]]:
    """Only peers that can run every chaincode of the interest."""
    names = {call.name for call in interest.chaincodes}
    return {
        group: [peer for peer in peers if all(peer.offers(channel.name, name) for name in names)]
        for group, peers in groups.items()
    }


def _may_read(channel: Channel, interest: ChaincodeInterest, peer: Candidate) -> bool:
    """Peers that execute private reads must be members of the collections."""
    for call in interest.chaincodes:
        if call.no_private_reads:
            continue
        for name in call.collection_names:
            collection = channel.ledger.collection(call.name, name)
            if collection is None:
                raise PlanImpossible(
                    f"collection {name} doesn't exist in collection config for chaincode "
                    f"{call.name}"
                )
            members = collection.config.member_orgs_policy.signature_policy.identities
            if not any(channel.config.msps.satisfies(peer.identity, each) for each in members):
                return False
    return True


def _principal_sets(channel: Channel, interest: ChaincodeInterest) -> list[PrincipalSet]:
    try:
        found = [
            satisfying(signature_policy(policy, channel.config))
            for call in interest.chaincodes
            for policy in _policies(channel, call)
        ]
        found += _key_policies(interest)
    except FabricError as error:
        raise PlanImpossible(str(error)) from error
    if not found:
        raise PlanImpossible("no principal sets remained after filtering")
    return _merged(found)


def _key_policies(interest: ChaincodeInterest) -> list[list[PrincipalSet]]:
    """All key-level policies must hold together, so they are merged first."""
    sets = [satisfying(policy) for call in interest.chaincodes for policy in call.key_policies]
    return [_merged(sets)] if sets else []


def _merged(sets: Sequence[list[PrincipalSet]]) -> list[PrincipalSet]:
    merged = sets[0]
    for each in sets[1:]:
        merged = merge(merged, each)
    return merged


def _policies(channel: Channel, call: ChaincodeCall) -> list[bytes]:
    """The ApplicationPolicies a call needs: the chaincode's, or its collections'."""
    own = _chaincode_policy(channel, call.name)
    if call.disregard_namespace_policy:
        if not call.key_policies and not call.collection_names:
            raise PlanImpossible(
                f"requested to disregard chaincode {call.name}'s policy but key and collection "
                "policies are missing, either disable DisregardNamespacePolicy or specify at "
                "least one key policy or at least one collection policy"
            )
        if not call.collection_names:
            return []
    if not call.collection_names:
        return [own]
    policies = [_collection_policy(channel, call.name, name, own) for name in call.collection_names]
    return list(dict.fromkeys(policies))


def _chaincode_policy(channel: Channel, name: str) -> bytes:
    if name == NAMESPACE:
        return serialize(ApplicationPolicy(channel_config_policy_reference=LIFECYCLE_POLICY))
    definition = channel.ledger.definition(name)
    if definition is None:
        raise PlanImpossible(
            f"No metadata was found for chaincode {name} in channel {channel.name}"
        )
    return definition.validation_parameter


def _collection_policy(channel: Channel, chaincode: str, name: str, own: bytes) -> bytes:
    collection = channel.ledger.collection(chaincode, name)
    if collection is None:
        return own
    if name.startswith("_implicit_org_"):
        members = collection.config.member_orgs_policy.signature_policy
        return serialize(ApplicationPolicy(signature_policy=members))
    return collection.endorsement_policy or own
