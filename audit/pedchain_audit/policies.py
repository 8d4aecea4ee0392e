# SPDX-License-Identifier: Apache-2.0
"""Which endorsement policy a write had to meet, by the ledger as it was before its block.

Definitions are read from the replayed `_lifecycle` state, never from a peer's answer (Fabric:
core/chaincode/lifecycle/deployedcc_infoprovider.go, ValidationInfo and CollectionValidationInfo).
"""

from dataclasses import dataclass
from functools import lru_cache

from fabric_protos.peer.collection_pb2 import CollectionConfigPackage, StaticCollectionConfig
from fabric_protos.peer.lifecycle.chaincode_definition_pb2 import (
    ChaincodeEndorsementInfo,
    ChaincodeValidationInfo,
)
from fabric_protos.peer.lifecycle.db_pb2 import StateData
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from pedchain_audit.world import World
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.policytree import Policy, SignatureRule

LIFECYCLE = "_lifecycle"
LIFECYCLE_POLICY = "/Channel/Application/LifecycleEndorsement"
IMPLICIT_PREFIX = "_implicit_org_"
FIELDS = ("Sequence", "EndorsementInfo", "ValidationInfo", "Collections")
DEFINITIONS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Definition:
    """A committed chaincode definition: what validates its namespace and its collections."""

    name: str
    sequence: int
    version: str
    validation_parameter: bytes
    collections: tuple[StaticCollectionConfig, ...]


def definition(world: World, name: str) -> Definition | None:
    """The definition in force, from the fields that `_lifecycle` keeps; None without one."""
    fields = (f"namespaces/fields/{name}/{wanted}" for wanted in FIELDS)
    return read_definition(name, *(world.value(LIFECYCLE, field) or b"" for field in fields))


@lru_cache(DEFINITIONS_KEPT)
def read_definition(name: str, *fields: bytes) -> Definition | None:
    """A definition from its fields as they stand in the state, in the order of `FIELDS`."""
    sequence, endorsement, validation, collections = (parse(StateData, raw) for raw in fields)
    if not sequence.Int64:
        return None
    version = parse(ChaincodeEndorsementInfo, endorsement.Bytes).version
    rules = parse(ChaincodeValidationInfo, validation.Bytes)
    package = parse(CollectionConfigPackage, collections.Bytes)
    configs = tuple(item.static_collection_config for item in package.config)
    return Definition(name, sequence.Int64, version, rules.validation_parameter, configs)


def chaincode_policy(world: World, config: ChannelConfig, name: str) -> Policy | None:
    """The policy of a namespace; None where the namespace has no definition."""
    if name == LIFECYCLE:
        return config.policy(LIFECYCLE_POLICY)
    found = definition(world, name)
    return None if found is None else application_policy(found.validation_parameter, config)


def collection_policy(
    world: World, config: ChannelConfig, name: str, collection: str
) -> Policy | None:
    """A collection's policy: its own, else its chaincode's; None where there is no such one.

    An implicit collection is its organisation's own affair: that organisation's endorsement
    policy decides, whatever the chaincode's says.
    """
    if collection.startswith(IMPLICIT_PREFIX):
        return owner_policy(config, collection.removeprefix(IMPLICIT_PREFIX))
    found = definition(world, name)
    for item in found.collections if found else ():
        if item.name == collection:
            if item.HasField("endorsement_policy"):
                return application_policy(item.endorsement_policy.SerializeToString(), config)
            return chaincode_policy(world, config, name)
    return None


def owner_policy(config: ChannelConfig, msp_id: str) -> Policy | None:
    for organisation in config.application_orgs.values():
        if organisation.msp_id == msp_id:
            path = f"/Channel/Application/{organisation.name}/Endorsement"
            return config.policy(path)
    return None


def application_policy(raw: bytes, config: ChannelConfig) -> Policy:
    """A definition's validation parameter: a signature policy, or a reference into the channel.

    Raises `WireError` where it is neither.
    """
    policy = parse(ApplicationPolicy, raw)
    if policy.HasField("signature_policy"):
        return SignatureRule(policy.signature_policy, config.msps)
    return config.policy(policy.channel_config_policy_reference)
