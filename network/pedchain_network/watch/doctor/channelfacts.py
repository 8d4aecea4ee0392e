# SPDX-License-Identifier: Apache-2.0
"""What the channel's configuration holds of certificates, and whether nodes still use those.

A consenter renewed on disk but not in the channel cannot sign blocks (SmartBFT, identity) or is
refused by the others (TLS).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.orderer.etcdraft.configuration_pb2 import ConfigMetadata

from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse
from pedchain_network.pki import crypto
from pedchain_network.topology.model import Node, Topology
from pedchain_network.watch.doctor import expiry
from pedchain_network.watch.doctor.expiry import Dated
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn

CHECK = "consenters"

_MSP = "MSP"
_FIX = "put the renewed certificate into the channel: ped-network cert renew does both"


@dataclass(frozen=True, slots=True)
class Consenter:
    """An orderer as the channel knows it: where it is dialled, and its certificates by use, PEM."""

    address: str
    certificates: Mapping[str, bytes]


def consenters(config: ChannelConfig) -> list[Consenter]:
    """All of the channel's, whatever the kind of agreement. Raises `WireError`."""
    if config.consenters:
        return [
            Consenter(
                f"{each.host}:{each.port}",
                {
                    "identity": each.identity,
                    "client TLS": each.client_tls_cert,
                    "server TLS": each.server_tls_cert,
                },
            )
            for each in config.consenters
        ]
    return [
        Consenter(
            f"{each.host}:{each.port}",
            {"client TLS": each.client_tls_cert, "server TLS": each.server_tls_cert},
        )
        for each in parse(ConfigMetadata, config.consensus_metadata).consenters
    ]


def dated(config: ChannelConfig) -> list[Dated]:
    """Every certificate and revocation list in the configuration. Raises `WireError`."""
    found = []
    for place, data in _msps(config):
        found += expiry.read(data, f"channel: {place}")
    for each in consenters(config):
        for use, data in each.certificates.items():
            found += expiry.read(data, f"channel: consenter {each.address} {use}")
    return found


def judge(
    listed: Mapping[str, Mapping[str, str]], used: Mapping[str, Mapping[str, str]]
) -> list[Finding]:
    """By orderer and use, digests of the certificates: those in the channel are those in use."""
    findings = [
        fail(CHECK, name, f"its {use} certificate is not the one in the channel", _FIX)
        for name, own in used.items()
        for use, digest in own.items()
        if listed.get(name, {}).get(use, digest) != digest
    ]
    findings += [
        warn(CHECK, name, "is in the topology and not in the channel", "ped-network orderer add")
        for name in used
        if name not in listed
    ]
    findings += [
        warn(CHECK, name, "is in the channel and not in the topology", "ped-network orderer remove")
        for name in listed
        if name not in used and ":" in name
    ]
    what = f"{len(listed)} orderers use the certificates that the channel lists"
    return findings or [ok(CHECK, what)]


def listed(config: ChannelConfig, topology: Topology) -> dict[str, dict[str, str]]:
    """By orderer's name (`host:port` if the topology has none there) the digests in the channel."""
    names = {topology.dialled(node): node.name for node in topology.orderers()}
    return {
        names.get(each.address, each.address): {
            use: _digest(data) for use, data in each.certificates.items()
        }
        for each in consenters(config)
    }


def used(topology: Topology, root: Path) -> dict[str, dict[str, str]]:
    """The same of the files that the orderers use, as far as they are here."""
    return {
        node.name: {
            use: _digest(path.read_bytes()) for use, path in _files(root, node) if path.exists()
        }
        for node in topology.orderers()
    }


def _files(root: Path, node: Node) -> Iterator[tuple[str, Path]]:
    owned = crypto.of(root, node.member)
    yield "identity", owned.msp(node) / "signcerts" / "cert.pem"
    yield "client TLS", owned.tls(node) / "cert.pem"
    yield "server TLS", owned.tls(node) / "cert.pem"


def _msps(config: ChannelConfig) -> Iterator[tuple[str, bytes]]:
    """Each PEM text in the organisations' membership rules, and what it is."""
    root = config.config.channel_group
    for section in ("Application", "Orderer"):
        groups: Mapping[str, ConfigGroup] = root.groups[section].groups
        for name in sorted(groups):
            rules = parse(MSPConfig, groups[name].values[_MSP].value)
            found = parse(FabricMSPConfig, rules.config)
            for use, texts in (
                ("CA", found.root_certs),
                ("intermediate CA", found.intermediate_certs),
                ("listed admin", found.admins),
                ("TLS CA", found.tls_root_certs),
                ("intermediate TLS CA", found.tls_intermediate_certs),
                ("revocation list", found.revocation_list),
            ):
                for text in texts:
                    yield f"{section} {name} {use}", text


def _digest(data: bytes) -> str:
    return x509.load_pem_x509_certificate(data).fingerprint(hashes.SHA256()).hex()
