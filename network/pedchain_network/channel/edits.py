# SPDX-License-Identifier: Apache-2.0
"""From the consortium to be to the configuration to be; several of these make one update."""

from pathlib import Path

from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.admin.edit import consenters, governance, organizations
from pedchain_network.channel import genesis
from pedchain_network.topology.model import Governance, Organization, Topology


def add_organization(
    config: Config, topology: Topology, crypto_root: Path, organization: Organization
) -> Config:
    """A new member and, unless it has peers only, its orderer among the consenters.

    Both at once, because an MSP that stands in two groups must change in both in one update.
    Raises `EditRefused`.
    """
    member = genesis.organization(topology, organization, crypto_root)
    config = organizations.add(config, member)
    if organization.orderer:
        config = _add_consenter(config, topology, crypto_root, organization)
    return config


def remove_organization(config: Config, topology: Topology, organization: Organization) -> Config:
    """Without the member, its orderer first. Raises `EditRefused`."""
    if organization.orderer:
        config = _remove_consenter(config, topology, organization)
    return organizations.remove(config, organization.name)


def add_orderer(
    config: Config, topology: Topology, crypto_root: Path, organization: Organization
) -> Config:
    """A member that had peers only orders as well. Raises `EditRefused`."""
    member = genesis.organization(topology, organization, crypto_root)
    config = organizations.join_ordering(config, member)
    return _add_consenter(config, topology, crypto_root, organization)


def remove_orderer(config: Config, topology: Topology, organization: Organization) -> Config:
    """A member orders no more. Raises `EditRefused`."""
    config = _remove_consenter(config, topology, organization)
    return organizations.leave_ordering(config, organization.name)


def govern(config: Config, rules: Governance) -> Config:
    """Governed by these policies. Raises `PolicyError`."""
    config = governance.set_admins(config, rules.admins)
    return governance.set_lifecycle_endorsement(config, rules.lifecycle)


def _add_consenter(
    config: Config, topology: Topology, crypto_root: Path, organization: Organization
) -> Config:
    (orderer,) = topology.orderers(organization)
    entry = genesis.consenter(consenters.next_id(config), topology, orderer, crypto_root)
    return consenters.add(config, entry)


def _remove_consenter(config: Config, topology: Topology, organization: Organization) -> Config:
    (orderer,) = topology.orderers(organization)
    return consenters.remove(config, topology.dialled_host(orderer), orderer.port())
