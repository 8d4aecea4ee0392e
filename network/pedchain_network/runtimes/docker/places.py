# SPDX-License-Identifier: Apache-2.0
"""Where things lie inside of containers."""

from typing import Final

ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - inside a container; compose publishes on loopback
"""What containers bind: their networks and published ports decide who gets there."""

CONFIG: Final = "/etc/hyperledger/fabric"
"""Where Fabric's images look for `core.yaml` and `orderer.yaml`."""

DATA: Final = "/var/hyperledger"
"""Ledgers: a volume."""

BUILDER: Final = "/opt/hyperledger/ccaas_builder"
"""The builder of packages for chaincode as a service, part of Fabric's image."""

BUILDER_FILE: Final = "builder.json"
"""What that builder is told, beside the peer's configuration."""

TRUST_FILE: Final = "tlscas.pem"
"""Every organisation's TLS CA, beside the node's configuration."""

NODE: Final = "/etc/pedchain/node"
"""A node's own keys: `msp`, `tls`, and a peer's `chaincode`."""

AUTHORITY: Final = "/etc/pedchain/tlsca.pem"
"""The certificate of the organisation's TLS CA."""

TLS: Final = "/etc/pedchain/tls"
"""A server's certificate and key."""

USER: Final = "/etc/pedchain/user"
"""The certificate and key a gateway acts with."""

OWN_CONFIG: Final = "/etc/pedchain/config"
"""Configuration of our services."""

OWN_DATA: Final = "/var/lib/pedchain"
"""What our services keep."""

SCRATCH: Final = "/tmp"  # noqa: S108 - a container's own, in memory
"""All that may be written beside volumes."""
