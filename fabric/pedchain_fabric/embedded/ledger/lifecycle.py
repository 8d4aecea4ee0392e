# SPDX-License-Identifier: Apache-2.0
"""Committed chaincode definitions, read from the `_lifecycle` namespace.

Layout as Fabric writes it (core/chaincode/lifecycle/serializer.go): for a chaincode `name`
`namespaces/metadata/<name>` holds a StateMetadata, `namespaces/fields/<name>/<Field>` a
StateData each for Sequence, EndorsementInfo, ValidationInfo, Collections.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole, OrganizationUnit
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage, StaticCollectionConfig
from fabric_protos.peer.lifecycle.chaincode_definition_pb2 import (
    ChaincodeEndorsementInfo,
    ChaincodeValidationInfo,
)
from fabric_protos.peer.lifecycle.db_pb2 import StateData, StateMetadata

from pedchain_fabric.wire.messages import parse

NAMESPACE: Final = "_lifecycle"
NAMESPACES: Final = "namespaces"
CHAINCODE_SOURCES: Final = "chaincode-sources"
FIELDS: Final = ("Sequence", "EndorsementInfo", "ValidationInfo", "Collections")
DEFINITION_TYPE: Final = "ChaincodeDefinition"
IMPLICIT_PREFIX: Final = "_implicit_org_"

# Reads a key of the `_lifecycle` namespace.
Get = Callable[[str], bytes | None]


def metadata_key(namespace: str, name: str) -> str:
    """The key under which the type and field names of `name` stand."""
    return f"{namespace}/metadata/{name}"


def field_key(namespace: str, name: str, field: str) -> str:
    """The key under which one field of `name` stands."""
    return f"{namespace}/fields/{name}/{field}"


def implicit_collection(msp_id: str) -> str:
    """The collection every chaincode has for this organisation alone."""
    return IMPLICIT_PREFIX + msp_id


def implicit_owner(collection: str) -> str | None:
    """The MSP id whose implicit collection this is, None for another collection."""
    if not collection.startswith(IMPLICIT_PREFIX):
        return None
    return collection.removeprefix(IMPLICIT_PREFIX)


@dataclass(frozen=True, slots=True)
class Collection:
    """A private data collection of a definition.

    `members` are MSP ids; `endorsement_policy` a serialized ApplicationPolicy, empty if the
    definition's own holds; `block_to_live` 0 is for ever.
    """

    name: str
    members: frozenset[str]
    member_only_read: bool
    member_only_write: bool
    block_to_live: int
    required_peers: int
    maximum_peers: int
    endorsement_policy: bytes
    config: StaticCollectionConfig


@dataclass(frozen=True, slots=True)
class Definition:
    """What the organisations agreed a chaincode is. `collections` are the explicit ones."""

    name: str
    sequence: int
    version: str
    endorsement_plugin: str
    init_required: bool
    validation_plugin: str
    validation_parameter: bytes
    collections: tuple[Collection, ...]
    collection_package: bytes

    def collection(self, name: str) -> Collection | None:
        """The explicit collection of this name."""
        return next((one for one in self.collections if one.name == name), None)


def sequence(get: Get, name: str) -> int:
    """The committed sequence of a definition, 0 if there is none.

    An endorser reads it through its simulator: so an upgrade invalidates what was endorsed
    before it (lifecycle/endorsement_info.go). Raises `WireError` on bytes of another layout.
    """
    return _field(get, name, "Sequence").Int64


def read_definition(get: Get, name: str) -> Definition | None:
    """The committed definition, None if there is none (lifecycle.go ChaincodeDefinitionIfDefined).

    Raises `WireError` on bytes of another layout.
    """
    metadata = get(metadata_key(NAMESPACES, name))
    if metadata is None or parse(StateMetadata, metadata).datatype != DEFINITION_TYPE:
        return None
    endorsement = parse(ChaincodeEndorsementInfo, _field(get, name, "EndorsementInfo").Bytes)
    validation = parse(ChaincodeValidationInfo, _field(get, name, "ValidationInfo").Bytes)
    package = _field(get, name, "Collections").Bytes
    return Definition(
        name,
        sequence(get, name),
        endorsement.version,
        endorsement.endorsement_plugin,
        endorsement.init_required,
        validation.validation_plugin,
        validation.validation_parameter,
        _collections(package),
        package,
    )


def _field(get: Get, name: str, field: str) -> StateData:
    return parse(StateData, get(field_key(NAMESPACES, name, field)) or b"")


def _collections(package: bytes) -> tuple[Collection, ...]:
    configs = parse(CollectionConfigPackage, package).config
    return tuple(
        collection_of(config.static_collection_config)
        for config in configs
        if config.HasField("static_collection_config")
    )


def collection_of(config: StaticCollectionConfig) -> Collection:
    """The collection a configuration describes; members are the MSPs its policy names."""
    policy = config.member_orgs_policy.signature_policy
    has_policy = config.HasField("endorsement_policy")
    return Collection(
        config.name,
        frozenset(_msp_ids(policy.identities)),
        config.member_only_read,
        config.member_only_write,
        config.block_to_live,
        config.required_peer_count,
        config.maximum_peer_count,
        config.endorsement_policy.SerializeToString(deterministic=True) if has_policy else b"",
        config,
    )


def _msp_ids(principals: Iterable[MSPPrincipal]) -> list[str]:
    """The organisations that principals name (core/common/privdata, getMemberOrgs)."""
    found = []
    for principal in principals:
        kind = principal.principal_classification
        if kind == MSPPrincipal.ROLE:
            found.append(parse(MSPRole, principal.principal).msp_identifier)
        elif kind == MSPPrincipal.ORGANIZATION_UNIT:
            found.append(parse(OrganizationUnit, principal.principal).msp_identifier)
        elif kind == MSPPrincipal.IDENTITY:
            found.append(parse(SerializedIdentity, principal.principal).mspid)
    return found
