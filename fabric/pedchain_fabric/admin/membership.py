# SPDX-License-Identifier: Apache-2.0
"""An organisation's MSP as a channel holds it: which certificates are its members'."""

from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.msp.msp_config_pb2 import (
    FabricCryptoConfig,
    FabricMSPConfig,
    FabricNodeOUs,
    FabricOUIdentifier,
    MSPConfig,
)

from pedchain_fabric.admin.channel import Organization
from pedchain_fabric.admin.configvalue import get
from pedchain_fabric.wire.messages import parse, serialize

_FABRIC_MSP = 0


def msp_config(organization: Organization) -> MSPConfig:
    """The MSP's verifying half. Role identifiers name no CA certificate, so that a renewed CA's
    certificates keep their roles."""

    def role(name: str) -> FabricOUIdentifier:
        return FabricOUIdentifier(organizational_unit_identifier=name)

    return wrapped(
        FabricMSPConfig(
            name=organization.msp_id,
            root_certs=organization.root_certificates,
            intermediate_certs=organization.intermediate_certificates,
            revocation_list=organization.revocation_lists,
            tls_root_certs=organization.tls_root_certificates,
            tls_intermediate_certs=organization.tls_intermediate_certificates,
            crypto_config=FabricCryptoConfig(
                signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
            ),
            fabric_node_ous=FabricNodeOUs(
                enable=True,
                client_ou_identifier=role("client"),
                peer_ou_identifier=role("peer"),
                admin_ou_identifier=role("admin"),
                orderer_ou_identifier=role("orderer"),
            ),
        )
    )


def wrapped(msp: FabricMSPConfig) -> MSPConfig:
    """The MSP as a configuration value."""
    return MSPConfig(type=_FABRIC_MSP, config=serialize(msp))


def msp_of(organization: ConfigGroup) -> FabricMSPConfig:
    """The MSP of an organisation's group. Raises `WireError`."""
    return parse(FabricMSPConfig, get(organization, "MSP", MSPConfig).config)


def msp_id(organization: ConfigGroup) -> str:
    """The MSP id of an organisation's group. Raises `WireError`."""
    return msp_of(organization).name
