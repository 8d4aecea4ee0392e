# SPDX-License-Identifier: Apache-2.0
"""Rules every change of a channel's configuration keeps, beside those its own edit keeps.

Some are Fabric's, told here in words before an orderer tells them in protobuf text; some are ours,
because Fabric would let a consortium lock itself out.
"""

from collections.abc import Iterator

from fabric_protos.common.configtx_pb2 import Config, ConfigGroup
from fabric_protos.common.configuration_pb2 import OrdererAddresses
from fabric_protos.common.policies_pb2 import Policy, SignaturePolicyEnvelope
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole, OrganizationUnit

from pedchain_fabric.admin import ordererguards, revocation
from pedchain_fabric.admin.configvalue import get
from pedchain_fabric.admin.membership import msp_id, msp_of
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
    ordererguards.check_consenters(half(before, "Orderer"), half(after, "Orderer"))
    ordererguards.check_batch(half(after, "Orderer"))
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


def half(root: ConfigGroup, name: str) -> ConfigGroup:
    """The Application or Orderer group; empty if there is none, and then none is made."""
    return root.groups[name] if name in root.groups else ConfigGroup()


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
