# SPDX-License-Identifier: Apache-2.0
"""`compose.yaml` from a topology: the same text for the same topology, for compose v2 and v1.29."""

from collections.abc import Collection, Iterator

import yaml

from pedchain_network.runtimes.docker import services
from pedchain_network.runtimes.docker.services import Service
from pedchain_network.topology.model import Organization, Topology

FILE = "compose.yaml"

_HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# Made from the topology by `ped-network compose`; changes belong there.
#
# `ped-network up --runtime docker` makes keys and configuration in the state directory and starts
# the network; gateways and agents are started beside it by their profiles:
#   docker compose --env-file .pedchain/config/.env --profile gateways up -d
# From the environment: PED_STATE (the state directory), PED_UID and PED_GID (who owns the keys in
# it), PED_SOURCE (the repository, where our images are built).

"""


class _Plain(yaml.SafeDumper):
    """Without anchors: who reads one service should not have to look elsewhere."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand deeper than their names."""
        super().increase_indent(flow, False)


def text(topology: Topology, organizations: Collection[str] = ()) -> str:
    """The file for the whole consortium, or for the organisations named alone."""
    chosen = [
        each for each in topology.organizations if not organizations or each.name in organizations
    ]
    document = _document(topology, chosen)
    return _HEAD + yaml.dump(
        document, Dumper=_Plain, sort_keys=False, width=100, default_flow_style=None
    )


def districts(topology: Topology) -> tuple[Organization, ...]:
    """The organisations whose members send readings: those with a definition of their own."""
    names = {each.definition.name for each in topology.deployments}
    return tuple(
        each
        for each in topology.organizations
        if any(name.endswith(f"-{each.name}") for name in names)
    )


def _document(topology: Topology, organizations: list[Organization]) -> dict[str, object]:
    served = [each for each in organizations if each in districts(topology)]
    nodes = [
        node for each in organizations for node in (*topology.orderers(each), *topology.peers(each))
    ]
    gateways = [services.gateway_name(topology, each) for each in served]
    kept = [*(node.name for node in nodes), *gateways]
    return {
        "services": {
            services.VOLUMES: services.volumes(topology, kept),
            **{
                name: service
                for each in organizations
                for name, service in _services(topology, each, each in served)
            },
        },
        "networks": {
            services.CONSORTIUM: {},
            **{services.network_of(each): {"internal": True} for each in organizations},
            **{services.clients_of(each): {} for each in served},
        },
        "volumes": {name: {} for name in kept},
    }


def _services(
    topology: Topology, organization: Organization, served: bool
) -> Iterator[tuple[str, Service]]:
    for node in topology.orderers(organization):
        yield node.name, services.orderer(topology, node)
    for node in topology.peers(organization):
        yield node.name, services.peer(topology, node)
    for node in topology.servers(organization):
        yield node.name, services.chaincode(topology, node)
    if served:
        name = services.gateway_name(topology, organization)
        yield name, services.gateway(topology, organization)
        yield name.replace("gateway0", "agent0", 1), services.agent(topology, organization)
