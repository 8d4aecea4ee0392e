# SPDX-License-Identifier: Apache-2.0
"""How `_lifecycle` lays a structure out in state: a metadata key, and a key for each field.

Source: core/chaincode/lifecycle/serializer.go, lifecycle.go. Unchanged fields are not written
again, so that read-write sets hold only what changes.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fabric_protos.peer.collection_pb2 import CollectionConfigPackage
from fabric_protos.peer.lifecycle.chaincode_definition_pb2 import (
    ChaincodeEndorsementInfo,
    ChaincodeValidationInfo,
)
from fabric_protos.peer.lifecycle.db_pb2 import StateData, StateMetadata

from pedchain_fabric.embedded.ledger import Definition
from pedchain_fabric.embedded.ledger.lifecycle import field_key, metadata_key
from pedchain_fabric.wire.messages import parse, serialize


class State(Protocol):
    """Readable and writable keys: public state or one collection."""

    def get(self, key: str) -> bytes | None:
        """The committed value."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Writes a value."""
        ...

    def delete(self, key: str) -> None:
        """Deletes a key."""
        ...


Hash = Callable[[str], bytes | None]
"""SHA-256 of a key's value, as anyone on the channel can see it."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What organisations approve; `collections` is a serialised CollectionConfigPackage."""

    version: str
    endorsement_plugin: str
    init_required: bool
    validation_plugin: str
    validation_parameter: bytes
    collections: bytes

    def fields(self) -> Mapping[str, StateData]:
        """By name, in Fabric's order."""
        endorsement = ChaincodeEndorsementInfo(
            version=self.version,
            endorsement_plugin=self.endorsement_plugin,
            init_required=self.init_required,
        )
        validation = ChaincodeValidationInfo(
            validation_plugin=self.validation_plugin,
            validation_parameter=self.validation_parameter,
        )
        return {
            "EndorsementInfo": StateData(Bytes=serialize(endorsement)),
            "ValidationInfo": StateData(Bytes=serialize(validation)),
            "Collections": StateData(Bytes=self.collections),
        }

    def difference(self, other: "Parameters") -> str:
        """What differs from `other` in Fabric's words; empty if nothing does."""
        pairs = (
            ("Version", self.version, other.version),
            ("EndorsementPlugin", self.endorsement_plugin, other.endorsement_plugin),
            ("InitRequired", _bool(self.init_required), _bool(other.init_required)),
            ("ValidationPlugin", self.validation_plugin, other.validation_plugin),
            (
                "ValidationParameter",
                self.validation_parameter.hex(),
                other.validation_parameter.hex(),
            ),
        )
        for name, expected, passed in pairs:
            if expected != passed:
                return f"expected {name} '{expected}' does not match passed {name} '{passed}'"
        same = parse(CollectionConfigPackage, self.collections) == parse(
            CollectionConfigPackage, other.collections
        )
        return "" if same else "Collections do not match"


def parameters_of(definition: Definition) -> Parameters:
    """The part of a committed definition that organisations approve."""
    return Parameters(
        definition.version,
        definition.endorsement_plugin,
        definition.init_required,
        definition.validation_plugin,
        definition.validation_parameter,
        definition.collection_package,
    )


PARAMETERS = "ChaincodeParameters"
DEFINITION = "ChaincodeDefinition"
LOCAL_PACKAGE = "ChaincodeLocalPackage"


def package_fields(package_id: str) -> Mapping[str, StateData]:
    """The fields of a ChaincodeLocalPackage."""
    return {"PackageID": StateData(String=package_id)}


@dataclass(frozen=True, slots=True)
class Record:
    """A structure's place: `namespace` is the sub-namespace, such as "namespaces"."""

    namespace: str
    name: str
    datatype: str

    def field(self, field: str) -> str:
        """The key of one field."""
        return field_key(self.namespace, self.name, field)

    @property
    def metadata(self) -> str:
        """The key of the metadata."""
        return metadata_key(self.namespace, self.name)

    def read_metadata(self, state: State) -> StateMetadata | None:
        """The metadata as it stands."""
        found = state.get(self.metadata)
        return None if found is None else parse(StateMetadata, found)

    def write(self, fields: Mapping[str, StateData], state: State) -> None:
        """Writes what changed, and removes fields the structure no longer has."""
        metadata = self.read_metadata(state) or StateMetadata()
        existing = {self.field(name): state.get(self.field(name)) for name in metadata.fields}
        for name, value in fields.items():
            encoded = serialize(value)
            if existing.pop(self.field(name), None) != encoded:
                state.put(self.field(name), encoded)
        if existing or metadata.datatype != self.datatype or len(metadata.fields) != len(fields):
            state.put(self.metadata, self._encoded_metadata(fields))
        for key in existing:
            state.delete(key)

    def mismatches(self, fields: Mapping[str, StateData], hash_of: Hash) -> list[str]:
        """Names of fields whose hashes differ; the datatype's name if it is not there at all."""
        if hash_of(self.metadata) != _sha256(self._encoded_metadata(fields)):
            return [self.datatype]
        return [
            name
            for name, value in fields.items()
            if hash_of(self.field(name)) != _sha256(serialize(value))
        ]

    def _encoded_metadata(self, fields: Mapping[str, StateData]) -> bytes:
        return serialize(StateMetadata(datatype=self.datatype, fields=list(fields)))


def read_parameters(record: Record, state: State) -> Parameters:
    """The approved parameters kept under `record`. Raises WireError on another layout."""

    def field(name: str) -> bytes:
        return parse(StateData, state.get(record.field(name)) or b"").Bytes

    endorsement = parse(ChaincodeEndorsementInfo, field("EndorsementInfo"))
    validation = parse(ChaincodeValidationInfo, field("ValidationInfo"))
    return Parameters(
        endorsement.version,
        endorsement.endorsement_plugin,
        endorsement.init_required,
        validation.validation_plugin,
        validation.validation_parameter,
        field("Collections"),
    )


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _bool(value: bool) -> str:
    return "true" if value else "false"
