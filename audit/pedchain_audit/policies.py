# SPDX-License-Identifier: Apache-2.0
"""Which endorsement policy each write of a transaction had to meet, by the ledger at that time.

A key's own policy comes first, then its collection's, then its chaincode's; the chaincode's is
asked as well where no policy was (Fabric: core/common/validation/statebased/v20.go). Definitions
are read from the replayed `_lifecycle` state, never from a peer's answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fabric_protos.common import policies_pb2
from fabric_protos.peer import collection_pb2, policy_pb2
from fabric_protos.peer.lifecycle import db_pb2, lifecycle_pb2
from google.protobuf.message import DecodeError
from pedchain_fabric.wire import policy as wire_policy
from pedchain_fabric.wire.channelconfig import ChannelConfig

from pedchain_audit.world import World

LIFECYCLE = "_lifecycle"
IMPLICIT_PREFIX = "_implicit_org_"
LIFECYCLE_POLICY = "/Channel/Application/LifecycleEndorsement"

#: (creator, signed message, signature) of each endorsement.
SignedData = list[tuple[bytes, bytes, bytes]]
#: Says whether endorsements satisfy one policy.
Policy = Callable[[SignedData], bool]


@dataclass(frozen=True, slots=True)
class Definition:
    """A committed chaincode definition: what validates its namespace and its collections."""

    name: str
    sequence: int
    version: str
    validation: bytes
    collections: tuple[collection_pb2.StaticCollectionConfig, ...]


def definition(world: World, name: str) -> Definition | None:
    """The definition in force, from the fields that `_lifecycle` keeps; None when there is none."""
    sequence = field(world, name, "Sequence")
    if sequence is None:
        return None
    endorsement = field(world, name, "EndorsementInfo") or db_pb2.StateData()
    validation = field(world, name, "ValidationInfo") or db_pb2.StateData()
    collections = field(world, name, "Collections") or db_pb2.StateData()
    info = lifecycle_pb2.ChaincodeEndorsementInfo.FromString(endorsement.bytes)
    rules = lifecycle_pb2.ChaincodeValidationInfo.FromString(validation.bytes)
    package = collection_pb2.CollectionConfigPackage.FromString(collections.bytes)
    return Definition(
        name,
        sequence.int64,
        info.version,
        rules.validation_parameter,
        tuple(item.static_collection_config for item in package.config),
    )


def field(world: World, name: str, wanted: str) -> db_pb2.StateData | None:
    value = world.value(LIFECYCLE, f"namespaces/fields/{name}/{wanted}")
    return None if value is None else db_pb2.StateData.FromString(value)


def chaincode_policy(world: World, config: ChannelConfig, name: str) -> Policy | None:
    """The policy of a namespace; None where the namespace has no definition."""
    if name == LIFECYCLE:
        return config.policy(LIFECYCLE_POLICY).satisfied_by
    found = definition(world, name)
    return None if found is None else application_policy(found.validation, config)


def collection_policy(
    world: World, config: ChannelConfig, name: str, collection: str
) -> Policy | None:
    """A collection's own policy; None where it has none and the chaincode's applies.

    An organisation's implicit collection is that organisation's own affair.
    """
    if collection.startswith(IMPLICIT_PREFIX):
        owner = collection.removeprefix(IMPLICIT_PREFIX)
        return signature_policy(wire_policy.parse(f"OR('{owner}.member')"), config)
    found = definition(world, name)
    for item in found.collections if found else ():
        if item.name == collection and item.HasField("endorsement_policy"):
            return application_policy(item.endorsement_policy.SerializeToString(), config)
    return None


def application_policy(raw: bytes, config: ChannelConfig) -> Policy | None:
    """A definition's validation parameter: a signature policy, or a reference into the channel."""
    try:
        policy = policy_pb2.ApplicationPolicy.FromString(raw)
    except DecodeError:
        return None
    if policy.HasField("signature_policy"):
        return signature_policy(policy.signature_policy, config)
    reference = policy.channel_config_policy_reference
    return config.policy(reference).satisfied_by if reference else None


def key_policy(raw: bytes, config: ChannelConfig) -> Policy | None:
    """A key's own policy from its metadata; None where the bytes are no policy."""
    try:
        envelope = policies_pb2.SignaturePolicyEnvelope.FromString(raw)
    except DecodeError:
        return None
    return signature_policy(envelope, config)


def signature_policy(
    envelope: policies_pb2.SignaturePolicyEnvelope, config: ChannelConfig
) -> Policy:
    return config.signature_policy(envelope).satisfied_by
