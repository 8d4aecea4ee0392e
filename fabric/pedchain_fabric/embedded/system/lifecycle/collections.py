# SPDX-License-Identifier: Apache-2.0
"""Names and collections a definition may have.

Source: core/chaincode/lifecycle/scc.go (validateInput and below).
"""

import re
from collections.abc import Sequence

from fabric_protos.common.policies_pb2 import SignaturePolicy
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole, OrganizationUnit
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage, StaticCollectionConfig

from pedchain_fabric.embedded.ledger import Definition
from pedchain_fabric.embedded.system.lifecycle.refusal import LifecycleRefused
from pedchain_fabric.errors import FabricError, PolicyError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.msp import Msps

_NAME = re.compile(r"[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*")
_VERSION = re.compile(r"[A-Za-z0-9_.+-]+")
_COLLECTION = re.compile(r"[A-Za-z0-9-]+([A-Za-z0-9_-]+)*")
_SYSTEM = {"cscc", "escc", "lscc", "qscc", "vscc"}


def check_definition(name: str, version: str, package: CollectionConfigPackage, msps: Msps) -> None:
    """Raises LifecycleRefused for what no definition may hold."""
    if not _NAME.fullmatch(name):
        raise LifecycleRefused(
            f"invalid chaincode name '{name}'. Names can only consist of alphanumerics, '_', and "
            "'-' and can only begin with alphanumerics"
        )
    if name in _SYSTEM:
        raise LifecycleRefused(f"chaincode name '{name}' is the name of a system chaincode")
    if not _VERSION.fullmatch(version):
        raise LifecycleRefused(
            f"invalid chaincode version '{version}'. Versions can only consist of alphanumerics, "
            "'_', '-', '+', and '.'"
        )
    seen: set[str] = set()
    for config in static_collections(package):
        _check_collection(config, seen, msps)


def static_collections(package: CollectionConfigPackage) -> Sequence[StaticCollectionConfig]:
    """The package's collections. Raises LifecycleRefused for one of another kind."""
    if not all(config.HasField("static_collection_config") for config in package.config):
        raise LifecycleRefused("collection config contains unexpected payload type: <nil>")
    return [config.static_collection_config for config in package.config]


def check_upgrade(package: CollectionConfigPackage, committed: Definition | None) -> None:
    """Collections stay, and keep their blockToLive. Raises LifecycleRefused."""
    if committed is None or not committed.collections:
        return
    proposed = {config.name: config for config in static_collections(package)}
    if not proposed:
        raise LifecycleRefused(
            "the proposed collection config does not contain previously defined collections"
        )
    for collection in committed.collections:
        found = proposed.get(collection.name)
        if found is None:
            raise LifecycleRefused(
                f"existing collection [{collection.name}] missing in the proposed collection "
                "configuration"
            )
        if found.block_to_live != collection.block_to_live:
            raise LifecycleRefused(
                f"the BlockToLive in an existing collection [{collection.name}] modified. "
                f"Existing value [{collection.block_to_live}]"
            )


def _check_collection(config: StaticCollectionConfig, seen: set[str], msps: Msps) -> None:
    name = config.name
    if not _COLLECTION.fullmatch(name):
        raise LifecycleRefused(
            f"invalid collection name '{name}'. Names can only consist of alphanumerics, '_', and "
            "'-' and cannot begin with '_'"
        )
    if name in seen:
        raise LifecycleRefused(
            f"collection-name: {name} -- found duplicate in collection configuration"
        )
    seen.add(name)
    required, maximum = config.required_peer_count, config.maximum_peer_count
    if maximum < required:
        raise LifecycleRefused(
            f"collection-name: {name} -- maximum peer count ({maximum}) cannot be less than the "
            f"required peer count ({required})"
        )
    if required < 0:
        raise LifecycleRefused(
            f"collection-name: {name} -- requiredPeerCount ({required}) cannot be less than zero"
        )
    _check_members(config, msps)


def _check_members(config: StaticCollectionConfig, msps: Msps) -> None:
    name = config.name
    if not config.HasField("member_orgs_policy"):
        raise LifecycleRefused(f"collection member policy is not set for collection '{name}'")
    if not config.member_orgs_policy.HasField("signature_policy"):
        raise LifecycleRefused(f"collection member org policy is empty for collection '{name}'")
    members = config.member_orgs_policy.signature_policy
    try:
        policy.check(members)
    except PolicyError as error:
        raise LifecycleRefused(
            f"invalid member org policy for collection '{name}': {error}"
        ) from error
    _check_alternatives(members.rule, name)
    for principal in members.identities:
        _check_member(principal, name, msps)


def _check_alternatives(rule: SignaturePolicy, name: str) -> None:
    """A member policy lists members: it is made of ORs only."""
    if rule.WhichOneof("Type") != "n_out_of":
        return
    if rule.n_out_of.n != 1:
        raise LifecycleRefused(
            f"collection-name: {name} -- error in member org policy: signature policy is not an "
            f"OR concatenation, NOutOf {rule.n_out_of.n}"
        )
    for inner in rule.n_out_of.rules:
        _check_alternatives(inner, name)


def _check_member(principal: MSPPrincipal, name: str, msps: Msps) -> None:
    kind = principal.principal_classification
    try:
        if kind == MSPPrincipal.ROLE:
            msp_id = parse(MSPRole, principal.principal).msp_identifier
        elif kind == MSPPrincipal.ORGANIZATION_UNIT:
            msp_id = parse(OrganizationUnit, principal.principal).msp_identifier
        elif kind == MSPPrincipal.IDENTITY:
            msp_id = Identity.from_creator(principal.principal).msp_id
        else:
            raise LifecycleRefused(
                f"collection-name: {name} -- principal type "
                f"{MSPPrincipal.Classification.Name(kind)} is not supported"
            )
    except FabricError as error:
        raise LifecycleRefused(
            f"collection-name: {name} -- cannot unmarshal identity bytes: {error}"
        ) from error
    if msp_id not in msps:
        raise LifecycleRefused(
            f"collection-name: {name} -- collection member '{msp_id}' is not part of the channel"
        )
