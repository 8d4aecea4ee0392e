# SPDX-License-Identifier: Apache-2.0
"""A chaincode's definition: what organisations agree to before it runs on the channel."""

from collections.abc import Iterator
from dataclasses import dataclass

from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from fabric_protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)
from fabric_protos.peer.lifecycle import lifecycle_pb2
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import parse, serialize

_ENDORSEMENT_PLUGIN = "escc"
_VALIDATION_PLUGIN = "vscc"


@dataclass(frozen=True, slots=True)
class Collection:
    """Private data of `members` (MSP ids). Empty `endorsement` means the definition's policy.

    `required_peers` of the other members must have received a value before it is endorsed, at
    most `max_peers` are sent it then. `blocks_to_live` counts blocks, can never be changed, and 0
    keeps for ever: erase by purge instead.
    """

    name: str
    members: tuple[str, ...]
    endorsement: str = ""
    required_peers: int = 1
    max_peers: int = 3
    blocks_to_live: int = 0
    member_only_read: bool = True
    member_only_write: bool = True

    def membership(self) -> str:
        """The policy text that says who is a member: clients too, so roles stay open."""
        return "OR(" + ", ".join(f"'{member}.member'" for member in self.members) + ")"

    def to_proto(self) -> CollectionConfig:
        """As lifecycle carries it. Raises `PolicyError`."""
        members = CollectionPolicyConfig(signature_policy=policy.parse(self.membership()))
        config = StaticCollectionConfig(
            name=self.name,
            member_orgs_policy=members,
            required_peer_count=self.required_peers,
            maximum_peer_count=self.max_peers,
            block_to_live=self.blocks_to_live,
            member_only_read=self.member_only_read,
            member_only_write=self.member_only_write,
        )
        if self.endorsement:
            config.endorsement_policy.CopyFrom(_application_policy(self.endorsement))
        return CollectionConfig(static_collection_config=config)


@dataclass(frozen=True, slots=True)
class Definition:
    """One name on the channel, the code `version` behind it and who must endorse it.

    `sequence` grows by 1 with every agreed change of the name.
    """

    name: str
    version: str
    sequence: int
    endorsement: str
    collections: tuple[Collection, ...] = ()

    def organizations(self) -> frozenset[str]:
        """MSP ids that any of its policies names, memberships included."""
        texts = [self.endorsement]
        for collection in self.collections:
            texts += [collection.membership(), collection.endorsement]
        return frozenset(msp_id for text in texts if text for msp_id in _named(text))

    def approval(self, package_id: str) -> lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs:
        """What one organisation's approval carries: the definition, and its own package."""
        local = lifecycle_pb2.ChaincodeSource.Local(package_id=package_id)
        arguments = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(
            source=lifecycle_pb2.ChaincodeSource(local_package=local)
        )
        arguments.MergeFromString(serialize(self.to_proto()))
        return arguments

    def to_proto(self) -> lifecycle_pb2.CommitChaincodeDefinitionArgs:
        """The definition as a commit carries it. Raises `PolicyError`.

        Approval, readiness and commit share field numbers up to here (lifecycle.proto).
        """
        return lifecycle_pb2.CommitChaincodeDefinitionArgs(
            name=self.name,
            version=self.version,
            sequence=self.sequence,
            endorsement_plugin=_ENDORSEMENT_PLUGIN,
            validation_plugin=_VALIDATION_PLUGIN,
            validation_parameter=serialize(_application_policy(self.endorsement)),
            collections=CollectionConfigPackage(
                config=[collection.to_proto() for collection in self.collections]
            )
            if self.collections
            else None,
        )


def _application_policy(text: str) -> ApplicationPolicy:
    return ApplicationPolicy(signature_policy=policy.parse(text))


def _named(text: str) -> Iterator[str]:
    for principal in policy.parse(text).identities:
        if principal.principal_classification == MSPPrincipal.ROLE:
            yield parse(MSPRole, principal.principal).msp_identifier
