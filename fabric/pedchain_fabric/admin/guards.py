# SPDX-License-Identifier: Apache-2.0
"""Rules every change of a channel's configuration keeps, beside those its own edit keeps.

Some are Fabric's, told here in words before an orderer tells them in protobuf text; some are ours,
because Fabric would let a consortium lock itself out.
"""

from collections.abc import Iterator, Sequence

from fabric_protos.common.configtx_pb2 import Config, ConfigGroup
from fabric_protos.common.configuration_pb2 import Consenter as BftConsenter
from fabric_protos.common.configuration_pb2 import OrdererAddresses
from fabric_protos.common.policies_pb2 import Policy, SignaturePolicyEnvelope
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole, OrganizationUnit
from fabric_protos.orderer.configuration_pb2 import BatchSize

from pedchain_fabric.admin import configpolicy, consensus, revocation
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.configvalue import get
from pedchain_fabric.admin.consensus import BLOCK_VALIDATION, Entry
from pedchain_fabric.admin.limits import BATCH_BYTES_MAX, CONSENTERS_MIN
from pedchain_fabric.admin.refusal import EditRefused, Reason, refuse_if
from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse

HALVES = ("Application", "Orderer")


def check(current: ChannelConfig, wanted: Config) -> None:
    """Raise `EditRefused` unless the channel may become so."""
    before, after = current.config.channel_group, wanted.channel_group
    _check_organizations(half(after, "Application"), half(after, "Orderer"))
    _check_memberships(before, after)
    _check_named(before, after)
    _check_consenters(half(before, "Orderer"), half(after, "Orderer"))
    _check_batch(half(after, "Orderer"))
    try:
        read = ChannelConfig.from_config(current.channel_id, wanted)
    except WireError as error:
        raise EditRefused(Reason.BAD_VALUE, f"no peer would take it: {error}") from error
    _check_identities(read)


def _check_organizations(application: ConfigGroup, orderer: ConfigGroup) -> None:
    nobody = not application.groups or not orderer.groups
    refuse_if(
        nobody, Reason.LAST_ORGANIZATION, "a channel needs organisations, and one that orders"
    )
    for name, group in orderer.groups.items():
        addresses = get(group, "Endpoints", OrdererAddresses).addresses
        refuse_if(
            not addresses,
            Reason.BAD_VALUE,
            f"{name} orders and needs an orderer endpoint (channel capability V3_0)",
        )
    for side in (application, orderer):
        ids = [msp_id(group) for group in side.groups.values()]
        refuse_if(len(set(ids)) != len(ids), Reason.DUPLICATE, "two organisations share an MSP id")


def _check_memberships(before: ConfigGroup, after: ConfigGroup) -> None:
    """An organisation's MSP id is for ever (channelconfig.Bundle.ValidateNew)."""
    for side in HALVES:
        old = half(before, side).groups
        for name, group in half(after, side).groups.items():
            msp = msp_of(group)
            known = msp_of(old[name]) if name in old else FabricMSPConfig(name=msp.name)
            text = f"{name} cannot change its MSP id: remove it and add it anew"
            refuse_if(msp.name != known.name, Reason.BAD_VALUE, text)
            revocation.check(msp, known.revocation_list)


def _check_identities(wanted: ChannelConfig) -> None:
    """A consenter that is no valid member any more could sign no block that counts."""
    for each in wanted.consenters:
        identity = Identity(each.msp_id, each.identity)
        try:
            wanted.msps[each.msp_id].validate(identity)
        except IdentityError as error:
            text = f"consenter {each.host}:{each.port} would be no valid member: {error}"
            raise EditRefused(Reason.BAD_VALUE, text) from error


def _check_named(before: ConfigGroup, after: ConfigGroup) -> None:
    """A policy that newly names somebody outside the channel can never count on him."""
    known, members = set(_members(before)), set(_members(after))
    for path, name in sorted(set(_named(after, "/Channel")) - set(_named(before, "/Channel"))):
        unknown = name not in members
        text = f"policy {path} names {name}, which is not on the channel"
        refuse_if(unknown, Reason.UNKNOWN_ORGANIZATION, text)
    for path, name in sorted(set(_named(after, "/Channel"))):
        left = name in known and name not in members
        text = f"{name} is still named in policy {path}: change it in the same update"
        refuse_if(left, Reason.STILL_NAMED, text)


def _check_consenters(before: ConfigGroup, after: ConfigGroup) -> None:
    kind = consensus.kind(after)
    if kind is not consensus.kind(before):
        raise EditRefused(Reason.BAD_VALUE, "the kind of consensus cannot be changed")
    old, new = consensus.entries(before), consensus.entries(after)
    _check_distinct(new)
    _check_count(kind, len(old), len(new))
    changed = max(len(_only(old, new)), len(_only(new, old)))
    refuse_if(
        changed > 1,
        Reason.ONE_CONSENTER_AT_A_TIME,
        f"{changed} consenters would change: only one in an update, and the next when all "
        "orderers have caught up",
    )
    if kind is Consensus.SMARTBFT:
        _check_owners(after, new)
        _check_block_validation(after, new)


def _check_batch(group: ConfigGroup) -> None:
    """What an orderer checks (channelconfig/orderer.go), and what a peer could not receive."""
    size = get(group, "BatchSize", BatchSize)
    smallest = min(size.max_message_count, size.preferred_max_bytes, size.absolute_max_bytes)
    refuse_if(smallest <= 0, Reason.BAD_VALUE, "a batch needs room for messages and bytes")
    refuse_if(
        not size.preferred_max_bytes <= size.absolute_max_bytes <= BATCH_BYTES_MAX,
        Reason.BAD_VALUE,
        f"a batch's bytes: preferred <= absolute <= {BATCH_BYTES_MAX} must hold",
    )


def _check_distinct(consenters: tuple[Entry, ...]) -> None:
    addresses = [(each.host, each.port) for each in consenters]
    _check_unique("address", addresses)
    bft = [each for each in consenters if isinstance(each, BftConsenter)]
    _check_unique("id", [each.id for each in bft])
    _check_unique("certificate", [each.identity for each in bft])
    if not bft:
        _check_unique("TLS certificate", [each.server_tls_cert for each in consenters])


def _check_unique(what: str, values: Sequence[object]) -> None:
    refuse_if(len(set(values)) != len(values), Reason.DUPLICATE, f"two consenters share one {what}")


def _check_count(kind: Consensus, old: int, new: int) -> None:
    fewest = CONSENTERS_MIN[kind]
    refuse_if(
        new < min(old, fewest),
        Reason.TOO_FEW_CONSENTERS,
        f"{new} consenters: fewer than {fewest} would not survive the loss of one",
    )


def _only(some: tuple[Entry, ...], others: tuple[Entry, ...]) -> list[Entry]:
    return [each for each in some if each not in others]


def _check_owners(group: ConfigGroup, consenters: tuple[Entry, ...]) -> None:
    ordering = {msp_id(each) for each in group.groups.values()}
    for each in consenters:
        if isinstance(each, BftConsenter) and each.msp_id not in ordering:
            text = f"consenter {each.host}:{each.port} is of {each.msp_id}, which does not order"
            raise EditRefused(Reason.NOT_ORDERING, text)


def _check_block_validation(group: ConfigGroup, consenters: tuple[Entry, ...]) -> None:
    mapping = [each for each in consenters if isinstance(each, BftConsenter)]
    wanted = configpolicy.block_validation(mapping).policy
    refuse_if(
        BLOCK_VALIDATION not in group.policies or group.policies[BLOCK_VALIDATION].policy != wanted,
        Reason.BLOCK_VALIDATION,
        f"{BLOCK_VALIDATION} is not the quorum of exactly the consenters, in their order",
    )


def half(root: ConfigGroup, name: str) -> ConfigGroup:
    """The Application or Orderer group; empty if there is none, and then none is made."""
    return root.groups[name] if name in root.groups else ConfigGroup()


def msp_of(organization: ConfigGroup) -> FabricMSPConfig:
    """The MSP of an organisation's group. Raises `WireError`."""
    return parse(FabricMSPConfig, get(organization, "MSP", MSPConfig).config)


def msp_id(organization: ConfigGroup) -> str:
    """The MSP id of an organisation's group. Raises `WireError`."""
    return msp_of(organization).name


def _members(root: ConfigGroup) -> Iterator[str]:
    for side in HALVES:
        for group in half(root, side).groups.values():
            yield msp_id(group)


def _named(group: ConfigGroup, path: str) -> Iterator[tuple[str, str]]:
    for name, entry in group.policies.items():
        if entry.policy.type == Policy.SIGNATURE:
            envelope = parse(SignaturePolicyEnvelope, entry.policy.value)
            for principal in envelope.identities:
                yield f"{path}/{name}", _named_by(principal)
    for name, below in group.groups.items():
        yield from _named(below, f"{path}/{name}")


def _named_by(principal: MSPPrincipal) -> str:
    """The MSP id a principal is about, empty if about none."""
    if principal.principal_classification == MSPPrincipal.ROLE:
        return parse(MSPRole, principal.principal).msp_identifier
    if principal.principal_classification == MSPPrincipal.ORGANIZATION_UNIT:
        return parse(OrganizationUnit, principal.principal).msp_identifier
    if principal.principal_classification == MSPPrincipal.IDENTITY:
        return parse(SerializedIdentity, principal.principal).mspid
    return ""
