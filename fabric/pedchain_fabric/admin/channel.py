# SPDX-License-Identifier: Apache-2.0
"""What a channel's configuration is made from: organisations, consenters, governance."""

from dataclasses import dataclass, field
from enum import StrEnum

from pedchain_fabric.admin.raft import RaftTimers
from pedchain_fabric.admin.smartbft import Batch, Timers


class Consensus(StrEnum):
    """How orderers agree: SmartBFT although some may lie, Raft although some may stop."""

    SMARTBFT = "smartbft"
    RAFT = "raft"


@dataclass(frozen=True, slots=True)
class Organization:
    """A member under one MSP: it has peers, and orders as well unless `orders` is false.

    Certificates and revocation lists are PEM bytes; endpoints are `host:port`, at least one if it
    orders; anchor peers are (host, port).
    """

    name: str
    msp_id: str
    root_certificates: tuple[bytes, ...]
    tls_root_certificates: tuple[bytes, ...]
    orderer_endpoints: tuple[str, ...]
    anchor_peers: tuple[tuple[str, int], ...]
    orders: bool = True
    intermediate_certificates: tuple[bytes, ...] = ()
    tls_intermediate_certificates: tuple[bytes, ...] = ()
    revocation_lists: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Consenter:
    """One orderer of the quorum. SmartBFT knows it by its enrolment certificate `identity`, Raft
    by its TLS certificate alone: it keeps neither `id` nor `msp_id` nor `identity`."""

    id: int
    host: str
    port: int
    msp_id: str
    identity: bytes
    tls_certificate: bytes


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel to be. `admins` and `lifecycle_endorsement` are policy texts, the root of trust:
    who may change the configuration, and who must agree to a chaincode's definition. `timers` are
    SmartBFT's, `raft` are Raft's."""

    channel_id: str
    organizations: tuple[Organization, ...]
    consenters: tuple[Consenter, ...]
    admins: str
    lifecycle_endorsement: str
    batch: Batch = field(default_factory=Batch)
    timers: Timers = field(default_factory=Timers)
    consensus: Consensus = Consensus.SMARTBFT
    raft: RaftTimers = field(default_factory=RaftTimers)
