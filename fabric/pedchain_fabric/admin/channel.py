# SPDX-License-Identifier: Apache-2.0
"""What a channel's configuration is made from: organisations, consenters, governance."""

from dataclasses import dataclass, field

from pedchain_fabric.admin.smartbft import Batch, Timers


@dataclass(frozen=True, slots=True)
class Organization:
    """A member that owns a peer and an orderer under one MSP.

    Certificates are PEM bytes; endpoints are `host:port`; anchor peers are (host, port).
    """

    name: str
    msp_id: str
    root_certificates: tuple[bytes, ...]
    tls_root_certificates: tuple[bytes, ...]
    orderer_endpoints: tuple[str, ...]
    anchor_peers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Consenter:
    """One orderer of the quorum. Fabric knows it by its enrolment certificate `identity`."""

    id: int
    host: str
    port: int
    msp_id: str
    identity: bytes
    tls_certificate: bytes


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel to be. `admins` and `lifecycle_endorsement` are policy texts, the root of trust:
    who may change the configuration, and who must agree to a chaincode's definition."""

    channel_id: str
    organizations: tuple[Organization, ...]
    consenters: tuple[Consenter, ...]
    admins: str
    lifecycle_endorsement: str
    batch: Batch = field(default_factory=Batch)
    timers: Timers = field(default_factory=Timers)
