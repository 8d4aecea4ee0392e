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
from pedchain_network.topology.model import Organization, Topology

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
    return Channel(
        channel_id=topology.channel,
        organizations=tuple(
            _organization(topology, each, crypto_root) for each in topology.organizations
        ),
        consenters=tuple(
            _consenter(number, topology, each, crypto_root)
            for number, each in enumerate(topology.organizations, start=1)
        ),
        admins=topology.governance.admins,
        lifecycle_endorsement=topology.governance.lifecycle,
        batch=topology.batch,
        timers=topology.timers,
    )


def _organization(
    topology: Topology, organization: Organization, crypto_root: Path
) -> ChannelOrganization:
    files_of = crypto.of(crypto_root, organization)
    return ChannelOrganization(
        name=organization.name,
        msp_id=organization.msp_id,
        root_certificates=(files_of.authority("ca").read_bytes(),),
        tls_root_certificates=(files_of.authority("tlsca").read_bytes(),),
        orderer_endpoints=(topology.address(organization.ports.orderer),),
        anchor_peers=((topology.host, organization.ports.peer),),
    )


def _consenter(
    number: int, topology: Topology, organization: Organization, crypto_root: Path
) -> Consenter:
    files_of = crypto.of(crypto_root, organization)
    return Consenter(
        id=number,
        host=topology.host,
        port=organization.ports.orderer,
        msp_id=organization.msp_id,
        identity=(files_of.node_msp("orderer") / "signcerts" / "cert.pem").read_bytes(),
        tls_certificate=(files_of.node_tls("orderer") / "cert.pem").read_bytes(),
    )
