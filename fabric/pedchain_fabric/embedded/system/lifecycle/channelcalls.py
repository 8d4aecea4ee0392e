# SPDX-License-Identifier: Apache-2.0
"""The calls of `_lifecycle` that concern a channel's definitions.

Source: core/chaincode/lifecycle/scc.go.
"""

from dataclasses import dataclass
from typing import Any

from fabric_protos.peer.collection_pb2 import CollectionConfigPackage
from fabric_protos.peer.lifecycle.lifecycle_pb2 import (
    ApproveChaincodeDefinitionForMyOrgArgs,
    ApproveChaincodeDefinitionForMyOrgResult,
    ChaincodeSource,
    CheckCommitReadinessArgs,
    CheckCommitReadinessResult,
    CommitChaincodeDefinitionArgs,
    CommitChaincodeDefinitionResult,
    QueryApprovedChaincodeDefinitionArgs,
    QueryApprovedChaincodeDefinitionResult,
    QueryApprovedChaincodeDefinitionsArgs,
    QueryApprovedChaincodeDefinitionsResult,
    QueryChaincodeDefinitionArgs,
    QueryChaincodeDefinitionResult,
    QueryChaincodeDefinitionsArgs,
    QueryChaincodeDefinitionsResult,
)
from google.protobuf.message import Message

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.system.lifecycle import definitions
from pedchain_fabric.embedded.system.lifecycle.collections import (
    check_definition,
    check_upgrade,
)
from pedchain_fabric.embedded.system.lifecycle.definitions import Approved, Proposed
from pedchain_fabric.embedded.system.lifecycle.records import Parameters, parameters_of
from pedchain_fabric.embedded.system.lifecycle.refusal import LifecycleRefused
from pedchain_fabric.embedded.system.lifecycle.states import OrganizationState, PublicState
from pedchain_fabric.wire.messages import parse, serialize

_DefinitionArgs = (
    ApproveChaincodeDefinitionForMyOrgArgs
    | CheckCommitReadinessArgs
    | CommitChaincodeDefinitionArgs
)


@dataclass(frozen=True, slots=True)
class ChannelCall:
    """Where a call reads and writes; `own` is the peer's own organisation."""

    channel: Channel
    public: PublicState
    own: OrganizationState
    organizations: tuple[OrganizationState, ...]


def approve(call: ChannelCall, payload: bytes) -> Message:
    """ApproveChaincodeDefinitionForMyOrg."""
    args = parse(ApproveChaincodeDefinitionForMyOrgArgs, payload)
    _check(call, args)
    proposed = definitions.with_defaults(_proposed(args), call.channel.config)
    package_id = ""
    if args.source.WhichOneof("Type") == "local_package":
        package_id = args.source.local_package.package_id
    definitions.approve(proposed, package_id, call.public, call.own)
    return ApproveChaincodeDefinitionForMyOrgResult()


def check_readiness(call: ChannelCall, payload: bytes) -> Message:
    """CheckCommitReadiness."""
    args = parse(CheckCommitReadinessArgs, payload)
    proposed = definitions.with_defaults(_proposed(args), call.channel.config)
    lacking = definitions.readiness(proposed, call.public, call.organizations)
    result = CheckCommitReadinessResult()
    for msp_id, items in lacking.items():
        result.approvals[msp_id] = not items
        if items:
            result.mismatches[msp_id].items.extend(items)
    return result


def commit(call: ChannelCall, payload: bytes) -> Message:
    """CommitChaincodeDefinition: endorsed only by peers whose organisation has approved it."""
    args = parse(CommitChaincodeDefinitionArgs, payload)
    _check(call, args)
    if call.own.msp_id not in {organization.msp_id for organization in call.organizations}:
        raise LifecycleRefused(
            "impossibly, this peer's org is processing requests for a channel it is not a member of"
        )
    proposed = definitions.with_defaults(_proposed(args), call.channel.config)
    lacking = definitions.readiness(proposed, call.public, call.organizations)
    definitions.commit(proposed, call.public)
    if lacking[call.own.msp_id]:
        raise LifecycleRefused(
            f"chaincode definition not agreed to by this org ({call.own.msp_id})"
        )
    return CommitChaincodeDefinitionResult()


def query_approved(call: ChannelCall, payload: bytes) -> Message:
    """QueryApprovedChaincodeDefinition."""
    args = parse(QueryApprovedChaincodeDefinitionArgs, payload)
    found = definitions.approved(call.channel.name, args.name, args.sequence, call.public, call.own)
    return QueryApprovedChaincodeDefinitionResult(
        sequence=found.sequence, source=_source(found), **_fields(found.parameters)
    )


def query_all_approved(call: ChannelCall, payload: bytes) -> Message:
    """QueryApprovedChaincodeDefinitions."""
    parse(QueryApprovedChaincodeDefinitionsArgs, payload)
    result = QueryApprovedChaincodeDefinitionsResult()
    for found in definitions.all_approved(call.own):
        result.approved_chaincode_definitions.add(
            name=found.name,
            sequence=found.sequence,
            source=_source(found),
            **_fields(found.parameters),
        )
    return result


def query_committed(call: ChannelCall, payload: bytes) -> Message:
    """QueryChaincodeDefinition, with who has approved it as it stands."""
    name = parse(QueryChaincodeDefinitionArgs, payload).name
    definition = definitions.committed(name, call.public)
    parameters = parameters_of(definition)
    proposed = Proposed(name, definition.sequence, parameters)
    lacking = definitions.mismatches(proposed, call.organizations)
    return QueryChaincodeDefinitionResult(
        sequence=definition.sequence,
        approvals={msp_id: not items for msp_id, items in lacking.items()},
        **_fields(parameters),
    )


def query_all_committed(call: ChannelCall, payload: bytes) -> Message:
    """QueryChaincodeDefinitions."""
    parse(QueryChaincodeDefinitionsArgs, payload)
    result = QueryChaincodeDefinitionsResult()
    for name in definitions.committed_names(call.public):
        definition = definitions.committed(name, call.public)
        result.chaincode_definitions.add(
            name=name, sequence=definition.sequence, **_fields(parameters_of(definition))
        )
    return result


def _check(call: ChannelCall, args: _DefinitionArgs) -> None:
    try:
        check_definition(args.name, args.version, args.collections, call.channel.config.msps)
        check_upgrade(args.collections, call.channel.ledger.definition(args.name))
    except LifecycleRefused as refused:
        raise LifecycleRefused(f"error validating chaincode definition: {refused}") from refused


def _proposed(args: _DefinitionArgs) -> Proposed:
    return Proposed(
        args.name,
        args.sequence,
        Parameters(
            args.version,
            args.endorsement_plugin,
            args.init_required,
            args.validation_plugin,
            args.validation_parameter,
            serialize(args.collections),
        ),
    )


def _fields(parameters: Parameters) -> dict[str, Any]:
    """What all results say of a definition."""
    return {
        "version": parameters.version,
        "endorsement_plugin": parameters.endorsement_plugin,
        "validation_plugin": parameters.validation_plugin,
        "validation_parameter": parameters.validation_parameter,
        "init_required": parameters.init_required,
        "collections": parse(CollectionConfigPackage, parameters.collections),
    }


def _source(found: Approved) -> ChaincodeSource:
    if not found.package_id:
        return ChaincodeSource(unavailable=ChaincodeSource.Unavailable())
    return ChaincodeSource(local_package=ChaincodeSource.Local(package_id=found.package_id))
