# SPDX-License-Identifier: Apache-2.0
"""Organisations of a channel: who is in, by which certificates, reached where.

Every function returns a changed copy; they may be applied one after the other and their sum
submitted as one update. An organisation is named as the channel names it.
"""

from collections.abc import Iterable, Sequence

from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import Consenter as BftConsenter
from fabric_protos.common.configuration_pb2 import OrdererAddresses
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig

from pedchain_fabric.admin import configgroup, consensus
from pedchain_fabric.admin.channel import Organization
from pedchain_fabric.admin.configvalue import get, put
from pedchain_fabric.admin.edit.draft import Draft
from pedchain_fabric.admin.membership import msp_config, msp_id, wrapped
from pedchain_fabric.admin.refusal import Reason, refuse_if
from pedchain_fabric.wire.messages import parse


def add(config: Config, organization: Organization) -> Config:
    """A new member, with peers only unless it `orders`. Raises `EditRefused`."""
    draft = Draft(config)
    name = organization.name
    taken = name in draft.application.groups or name in draft.orderer.groups
    refuse_if(taken, Reason.DUPLICATE, f"{name} is on the channel already")
    draft.application.groups[name].CopyFrom(configgroup.application_member(organization))
    if organization.orders:
        draft.orderer.groups[name].CopyFrom(configgroup.ordering_member(organization))
    return draft.config


def remove(config: Config, name: str) -> Config:
    """Without this member. Raises `EditRefused` while consenters are its own.

    Definitions of chaincodes that name it are not the channel's to know: change them before.
    """
    draft = Draft(config)
    list(draft.members(name))
    _check_no_consenters(draft, name)
    for half in (draft.application, draft.orderer):
        half.groups.pop(name, None)
    return draft.config


def join_ordering(config: Config, organization: Organization) -> Config:
    """A member with peers orders as well from now on. Raises `EditRefused`."""
    draft = Draft(config)
    name = organization.name
    draft.peer_owner(name)
    refuse_if(name in draft.orderer.groups, Reason.DUPLICATE, f"{name} orders already")
    draft.orderer.groups[name].CopyFrom(configgroup.ordering_member(organization))
    return draft.config


def leave_ordering(config: Config, name: str) -> Config:
    """A member with peers no longer orders. Raises `EditRefused` while consenters are its own."""
    draft = Draft(config)
    draft.peer_owner(name)
    draft.orderer_owner(name)
    _check_no_consenters(draft, name)
    del draft.orderer.groups[name]
    return draft.config


def set_membership(config: Config, organization: Organization) -> Config:
    """The organisation's certificates from now on (a new or a second CA, revocations), in both
    halves at once: Fabric refuses two versions of one MSP. Raises `EditRefused`."""
    draft = Draft(config)
    for group in draft.members(organization.name):
        other = msp_id(group) != organization.msp_id
        text = f"{organization.name} cannot change its MSP id"
        refuse_if(other, Reason.BAD_VALUE, text)
        put(group, "MSP", msp_config(organization))
    return draft.config


def revoke(config: Config, name: str, revocation_lists: Iterable[bytes]) -> Config:
    """With more revocation lists (PEM) of the organisation's CAs. Raises `EditRefused`."""
    draft = Draft(config)
    wanted = tuple(revocation_lists)
    for group in draft.members(name):
        msp = parse(FabricMSPConfig, get(group, "MSP", MSPConfig).config)
        new = [each for each in wanted if each not in msp.revocation_list]
        msp.revocation_list.extend(new)
        put(group, "MSP", wrapped(msp))
    return draft.config


def set_anchor_peers(config: Config, name: str, peers: Sequence[tuple[str, int]]) -> Config:
    """The peers, as (host, port), by which others find the organisation's; none: not found so.
    Raises `EditRefused`."""
    draft = Draft(config)
    group = draft.peer_owner(name)
    refuse_if(len(set(peers)) != len(peers), Reason.DUPLICATE, "one anchor peer is named twice")
    if peers:
        put(group, "AnchorPeers", configgroup.anchors(peers))
    else:
        group.values.pop("AnchorPeers", None)
    return draft.config


def set_endpoints(config: Config, name: str, endpoints: Sequence[str]) -> Config:
    """Where the organisation's orderers are reached, each `host:port`. Raises `EditRefused`."""
    draft = Draft(config)
    group = draft.orderer_owner(name)
    refuse_if(not endpoints, Reason.BAD_VALUE, f"{name} orders and needs an orderer endpoint")
    refuse_if(len(set(endpoints)) != len(endpoints), Reason.DUPLICATE, "one endpoint twice")
    put(group, "Endpoints", configgroup.endpoints(endpoints))
    return draft.config


def _check_no_consenters(draft: Draft, name: str) -> None:
    if name not in draft.orderer.groups:
        return
    group = draft.orderer.groups[name]
    addresses = set(get(group, "Endpoints", OrdererAddresses).addresses)
    owned = [
        f"{each.host}:{each.port}"
        for each in consensus.entries(draft.orderer)
        if _owns(msp_id(group), addresses, each)
    ]
    text = f"consenters {', '.join(owned)} are of {name}: remove them first"
    refuse_if(owned, Reason.OWNS_CONSENTERS, text)


def _owns(msp: str, addresses: set[str], consenter: consensus.Entry) -> bool:
    """Raft does not say whose a consenter is, so its address must tell."""
    if isinstance(consenter, BftConsenter):
        return consenter.msp_id == msp
    return f"{consenter.host}:{consenter.port}" in addresses
