# SPDX-License-Identifier: Apache-2.0
"""A channel whose organisations have real certificates."""

from dataclasses import replace
from functools import cache

from fabric_protos.common.common_pb2 import Block
from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.admin.channel import Channel, Consensus, Consenter, Organization
from pedchain_fabric.admin.genesis import genesis_block
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import certificate_pem
from tests.unit.fabric.embedded_ledger.organizations import organization as keys

CHANNEL = "ped"
NAMES = ("DSO", "DistrictA", "DistrictB", "Aggregator")
NEW = "DistrictC"
ADMINS = (
    "AND('DSOMSP.admin', OutOf(2, 'DistrictAMSP.admin', 'DistrictBMSP.admin', "
    "'AggregatorMSP.admin'))"
)
LIFECYCLE = "AND('DSOMSP.peer', 'DistrictAMSP.peer')"

__all__ = ["keys"]


def organization(name: str, *, orders: bool = True, port: int = 7000) -> Organization:
    """A member with one peer and, if it orders, one orderer."""
    return Organization(
        name=name,
        msp_id=f"{name}MSP",
        root_certificates=(certificate_pem(keys(name).authority),),
        tls_root_certificates=(certificate_pem(keys(name).authority),),
        orderer_endpoints=(f"127.0.0.1:{port + 50}",) if orders else (),
        anchor_peers=(("127.0.0.1", port + 51),),
        orders=orders,
    )


def consenter(name: str, number: int, port: int) -> Consenter:
    """The organisation's orderer."""
    identity = keys(name).orderer.certificate
    return Consenter(number, "127.0.0.1", port + 50, f"{name}MSP", identity, identity)


@cache
def channel(consensus: Consensus = Consensus.SMARTBFT, names: tuple[str, ...] = NAMES) -> Channel:
    """Four organisations that all order."""
    ports = {name: 7000 + 100 * number for number, name in enumerate(names)}
    return Channel(
        channel_id=CHANNEL,
        organizations=tuple(organization(name, port=ports[name]) for name in names),
        consenters=tuple(
            consenter(name, number, ports[name]) for number, name in enumerate(names, start=1)
        ),
        admins=ADMINS,
        lifecycle_endorsement=LIFECYCLE,
        consensus=consensus,
    )


def with_peer_only() -> Channel:
    """The same with a fifth organisation that orders nothing and has two anchor peers."""
    fifth = replace(
        organization(NEW, orders=False), anchor_peers=(("127.0.0.1", 1), ("127.0.0.1", 2))
    )
    return replace(channel(), organizations=(*channel().organizations, fifth))


def first_block(described: Channel) -> Block:
    """A channel's block 0."""
    return genesis_block(described, nonce=bytes(24), timestamp_s=1_700_000_000)


def genesis(consensus: Consensus = Consensus.SMARTBFT) -> Block:
    """The usual channel's block 0."""
    return first_block(channel(consensus))


@cache
def current(consensus: Consensus = Consensus.SMARTBFT) -> ChannelConfig:
    """Its configuration at the beginning. Not to be changed."""
    return ChannelConfig.from_block(genesis(consensus))


def config(consensus: Consensus = Consensus.SMARTBFT) -> Config:
    """A copy of it to edit."""
    copied = Config()
    copied.CopyFrom(current(consensus).config)
    return copied
