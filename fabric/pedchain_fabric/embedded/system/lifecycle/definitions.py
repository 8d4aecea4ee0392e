# SPDX-License-Identifier: Apache-2.0
"""Approving and committing chaincode definitions.

Source: core/chaincode/lifecycle/lifecycle.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fabric_protos.peer.lifecycle.db_pb2 import StateData, StateMetadata
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from pedchain_fabric.embedded.ledger import Definition
from pedchain_fabric.embedded.ledger.lifecycle import (
    CHAINCODE_SOURCES,
    NAMESPACES,
    metadata_key,
    read_definition,
    sequence,
)
from pedchain_fabric.embedded.system.lifecycle.records import (
    DEFINITION,
    LOCAL_PACKAGE,
    PARAMETERS,
    Parameters,
    Record,
    package_fields,
    parameters_of,
    read_parameters,
)
from pedchain_fabric.embedded.system.lifecycle.refusal import LifecycleRefused, NotFound
from pedchain_fabric.embedded.system.lifecycle.states import OrganizationState, PublicState
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.policytree import NoSuchPolicy

_DEFAULT_POLICY = "/Channel/Application/Endorsement"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A definition somebody approves, checks or commits."""

    name: str
    sequence: int
    parameters: Parameters

    @property
    def private_name(self) -> str:
        """Its name in organisations' collections."""
        return f"{self.name}#{self.sequence}"


@dataclass(frozen=True, slots=True)
class Approved:
    """What an organisation approved; an empty package id means it does not run it."""

    name: str
    sequence: int
    parameters: Parameters
    package_id: str


def with_defaults(proposed: Proposed, config: ChannelConfig) -> Proposed:
    """Plugins and policy where none are named. Raises LifecycleRefused."""
    parameters = proposed.parameters
    policy = parameters.validation_parameter
    if not policy:
        if isinstance(config.policy(_DEFAULT_POLICY), NoSuchPolicy):
            raise LifecycleRefused(
                f"policy '{_DEFAULT_POLICY}' must be defined for channel '{config.channel_id}' "
                "before chaincode operations can be attempted"
            )
        policy = serialize(ApplicationPolicy(channel_config_policy_reference=_DEFAULT_POLICY))
    filled = replace(
        parameters,
        endorsement_plugin=parameters.endorsement_plugin or "escc",
        validation_plugin=parameters.validation_plugin or "vscc",
        validation_parameter=policy,
    )
    return replace(proposed, parameters=filled)


def approve(
    proposed: Proposed, package_id: str, public: PublicState, own: OrganizationState
) -> None:
    """Writes the organisation's approval into its collection. Raises LifecycleRefused."""
    current = sequence(public.get, proposed.name)
    _check_sequence(proposed.sequence, current)
    if proposed.sequence == current:
        _check_same_as_committed(proposed, public)
    if _is_unchanged(proposed, package_id, own):
        raise LifecycleRefused(_unchanged(proposed, current))
    record = Record(NAMESPACES, proposed.private_name, PARAMETERS)
    record.write(proposed.parameters.fields(), own)
    source = Record(CHAINCODE_SOURCES, proposed.private_name, LOCAL_PACKAGE)
    source.write(package_fields(package_id), own)


def _check_sequence(requested: int, current: int) -> None:
    if requested == current == 0:
        raise LifecycleRefused("requested sequence is 0, but first definable sequence number is 1")
    if requested < current:
        raise LifecycleRefused(
            f"currently defined sequence {current} is larger than requested sequence {requested}"
        )
    if requested > current + 1:
        raise LifecycleRefused(
            f"requested sequence {requested} is larger than the next available sequence number "
            f"{current + 1}"
        )


def _check_same_as_committed(proposed: Proposed, public: PublicState) -> None:
    committed = read_definition(public.get, proposed.name)
    if committed is None:
        raise LifecycleRefused(
            f"missing metadata for currently committed sequence number ({proposed.sequence})"
        )
    difference = parameters_of(committed).difference(proposed.parameters)
    if difference:
        raise LifecycleRefused(
            f"attempted to redefine the current committed sequence ({proposed.sequence}) for "
            f"namespace {proposed.name} with different parameters: {difference}"
        )


def _is_unchanged(proposed: Proposed, package_id: str, own: OrganizationState) -> bool:
    """Whether the very same was approved before: then there would be nothing to write."""
    record = Record(NAMESPACES, proposed.private_name, PARAMETERS)
    if record.read_metadata(own) is None:
        return False
    if read_parameters(record, own).difference(proposed.parameters):
        return False
    source = Record(CHAINCODE_SOURCES, proposed.private_name, LOCAL_PACKAGE)
    return source.read_metadata(own) is not None and _package_id(source, own) == package_id


def _unchanged(proposed: Proposed, current: int) -> str:
    if proposed.sequence == current:
        return (
            f"attempted to redefine the current committed sequence ({current}) for namespace "
            f"{proposed.name}"
        )
    return (
        f"attempted to redefine uncommitted sequence ({proposed.sequence}) for namespace "
        f"{proposed.name} with unchanged content"
    )


def _package_id(source: Record, own: OrganizationState) -> str:
    return parse(StateData, own.get(source.field("PackageID")) or b"").String


def readiness(
    proposed: Proposed, public: PublicState, organizations: Sequence[OrganizationState]
) -> Mapping[str, list[str]]:
    """What each organisation's approval lacks, by MSP id. Raises LifecycleRefused."""
    current = sequence(public.get, proposed.name)
    if proposed.sequence != current + 1:
        raise LifecycleRefused(
            f"requested sequence is {proposed.sequence}, but new definition must be sequence "
            f"{current + 1}"
        )
    return mismatches(proposed, organizations)


def mismatches(
    proposed: Proposed, organizations: Sequence[OrganizationState]
) -> Mapping[str, list[str]]:
    """Fields each organisation has not approved as proposed, by MSP id."""
    record = Record(NAMESPACES, proposed.private_name, PARAMETERS)
    fields = proposed.parameters.fields()
    return {org.msp_id: record.mismatches(fields, org.hash_of) for org in organizations}


def commit(proposed: Proposed, public: PublicState) -> None:
    """Writes the definition into public state."""
    fields = {
        "Sequence": StateData(Int64=proposed.sequence),
        **proposed.parameters.fields(),
    }
    Record(NAMESPACES, proposed.name, DEFINITION).write(fields, public)


def committed(name: str, public: PublicState) -> Definition:
    """The committed definition. Raises NotFound."""
    definition = read_definition(public.get, name)
    if definition is None:
        raise NotFound(f"namespace {name} is not defined")
    return definition


def committed_names(public: PublicState) -> list[str]:
    """Names of all committed definitions."""
    return [
        name
        for name, metadata in public.names(metadata_key(NAMESPACES, ""))
        if parse(StateMetadata, metadata).datatype == DEFINITION
    ]


def approved(
    channel: str, name: str, wanted: int, public: PublicState, own: OrganizationState
) -> Approved:
    """What the organisation approved; with `wanted` 0 its latest. Raises LifecycleRefused."""
    if wanted == 0:
        current = sequence(public.get, name)
        following = Record(NAMESPACES, f"{name}#{current + 1}", PARAMETERS)
        wanted = current + 1 if following.read_metadata(own) is not None else current
    record = Record(NAMESPACES, f"{name}#{wanted}", PARAMETERS)
    if record.read_metadata(own) is None:
        raise LifecycleRefused(
            f"could not fetch approved chaincode definition (name: '{name}', sequence: "
            f"'{wanted}') on channel '{channel}'"
        )
    return _approved(name, wanted, own)


def all_approved(own: OrganizationState) -> list[Approved]:
    """Everything the organisation approved on the channel."""
    found = []
    for private_name, _ in own.names(metadata_key(NAMESPACES, "")):
        name, _, number = private_name.partition("#")
        found.append(_approved(name, int(number), own))
    return found


def _approved(name: str, number: int, own: OrganizationState) -> Approved:
    private_name = f"{name}#{number}"
    parameters = read_parameters(Record(NAMESPACES, private_name, PARAMETERS), own)
    source = Record(CHAINCODE_SOURCES, private_name, LOCAL_PACKAGE)
    if source.read_metadata(own) is None:
        raise LifecycleRefused(f"could not fetch chaincode-source metadata for {private_name}")
    return Approved(name, number, parameters, _package_id(source, own))
