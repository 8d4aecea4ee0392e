# SPDX-License-Identifier: Apache-2.0
"""An agreed chaincode definition, read from the ledger whoever committed it."""

from collections.abc import Mapping
from dataclasses import dataclass

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.collection_pb2 import CollectionConfig
from fabric_protos.peer.lifecycle.lifecycle_pb2 import QueryChaincodeDefinitionResult
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import parse
from pedchain_network.channel.governance import names_in

_UNWORDED = "a policy that has no text form"


@dataclass(frozen=True, slots=True)
class AgreedCollection:
    """Private data. `members` are MSP ids; `endorsement` is empty for the definition's own."""

    name: str
    members: tuple[str, ...]
    endorsement: str
    required_peers: int
    max_peers: int
    blocks_to_live: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """A committed definition; `approvals` says by MSP id who approved it as it stands."""

    name: str
    version: str
    sequence: int
    endorsement: str
    collections: tuple[AgreedCollection, ...]
    approvals: Mapping[str, bool]


def read(name: str, result: QueryChaincodeDefinitionResult) -> Agreed:
    """The definition of `name`. Raises `WireError`."""
    return Agreed(
        name=name,
        version=result.version,
        sequence=result.sequence,
        endorsement=_text(parse(ApplicationPolicy, result.validation_parameter)),
        collections=tuple(_collection(each) for each in result.collections.config),
        approvals=dict(result.approvals),
    )


def _collection(config: CollectionConfig) -> AgreedCollection:
    static = config.static_collection_config
    return AgreedCollection(
        name=static.name,
        members=tuple(sorted(names_in(static.member_orgs_policy.signature_policy))),
        endorsement=_text(static.endorsement_policy),
        required_peers=static.required_peer_count,
        max_peers=static.maximum_peer_count,
        blocks_to_live=static.block_to_live,
    )


def _text(application: ApplicationPolicy) -> str:
    """A policy's text, or the path of the channel's policy that it refers to."""
    if application.channel_config_policy_reference:
        return application.channel_config_policy_reference
    if not application.HasField("signature_policy"):
        return ""
    return _signature_text(application.signature_policy)


def _signature_text(envelope: SignaturePolicyEnvelope) -> str:
    try:
        return policy.format(envelope)
    except PolicyError:
        return _UNWORDED
