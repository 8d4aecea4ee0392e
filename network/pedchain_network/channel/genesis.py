# SPDX-License-Identifier: Apache-2.0
"""The consortium's channel: from topology and certificates to the genesis block."""

import secrets
import time
from pathlib import Path

from pedchain_fabric.admin.channel import Channel, Consenter
from pedchain_fabric.admin.channel import Organization as ChannelOrganization
from pedchain_fabric.admin.genesis import genesis_block
from pedchain_fabric.wire.messages import serialize
from pedchain_network import files
from pedchain_network.pki import crypto
from pedchain_network.topology.model import Node, Organization, Topology

_NONCE_BYTES = 24


def ensure_genesis(path: Path, topology: Topology, crypto_root: Path) -> bytes:
    """The genesis block's bytes, made once: a second block would be another channel."""
    if not path.exists():
        block = genesis_block(
            describe(topology, crypto_root),
            nonce=secrets.token_bytes(_NONCE_BYTES),
            timestamp_s=int(time.time()),
        )
        files.write(path, serialize(block))
    return path.read_bytes()


def describe(topology: Topology, crypto_root: Path) -> Channel:
    """What the channel is made from. Consenter ids count from 1 in the topology's order."""
    ordering = topology.ordering
    return Channel(
        channel_id=topology.channel,
        organizations=tuple(
            organization(topology, each, crypto_root) for each in topology.organizations
        ),
        consenters=tuple(
            consenter(number, topology, each, crypto_root)
            for number, each in enumerate(topology.orderers(), start=1)
        ),
        admins=topology.governance.admins,
        lifecycle_endorsement=topology.governance.lifecycle,
        batch=ordering.batch,
        timers=ordering.timers,
        consensus=ordering.consensus,
        raft=ordering.raft,
    )


def organization(
    topology: Topology, member: Organization, crypto_root: Path
) -> ChannelOrganization:
    """What the channel holds of a member: its authorities, orderers and anchor peers."""
    owned = crypto.of(crypto_root, member)
    return ChannelOrganization(
        name=member.name,
        msp_id=member.msp_id,
        root_certificates=(owned.authority("ca").read_bytes(),),
        intermediate_certificates=owned.intermediates("ca"),
        tls_root_certificates=(owned.authority("tlsca").read_bytes(),),
        tls_intermediate_certificates=owned.intermediates("tlsca"),
        orderer_endpoints=tuple(topology.dialled(each) for each in topology.orderers(member)),
        anchor_peers=tuple(
            (topology.dialled_host(each), each.port()) for each in topology.peers(member)
        ),
        orders=member.orderer,
    )


def consenter(number: int, topology: Topology, orderer: Node, crypto_root: Path) -> Consenter:
    """One orderer of the quorum."""
    owned = crypto.of(crypto_root, orderer.member)
    return Consenter(
        id=number,
        host=topology.dialled_host(orderer),
        port=orderer.port(),
        msp_id=orderer.member.msp_id,
        identity=(owned.msp(orderer) / "signcerts" / "cert.pem").read_bytes(),
        tls_certificate=next(files.pem_parts((owned.tls(orderer) / "cert.pem").read_bytes())),
    )
