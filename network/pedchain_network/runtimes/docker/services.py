# SPDX-License-Identifier: Apache-2.0
"""What compose is told of each container.

Nobody runs as root (but the one that hands volumes over), nobody may gain rights or write but to
its volume, and each sees only its own keys: never a CA's, never an administrator's.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pedchain_network.runtimes import parts
from pedchain_network.runtimes.docker import images, places
from pedchain_network.topology.model import (
    CHAINCODE,
    PEER,
    Limit,
    Listener,
    Node,
    Organization,
    Topology,
)

Service = dict[str, object]

CONSORTIUM = "consortium"
VOLUMES = "volumes"
"""The service that makes volumes their nodes' own."""
GATEWAYS, AGENTS = "gateways", "agents"
KIND, ORGANIZATION = "pedchain.kind", "pedchain.organization"

USER = "${PED_UID:-1000}:${PED_GID:-1000}"
_STATE = "${PED_STATE:-./.pedchain}"
_SOURCE = "${PED_SOURCE:-.}"
_PERIOD_US = 100_000
_SMALL = Limit(millicpus=1000, memory_mb=256)


def network_of(organization: Organization) -> str:
    """The organisation's own network: its peers, their chaincode, its gateway."""
    return organization.name.lower()


def clients_of(organization: Organization) -> str:
    """Where its gateway meets those who send readings."""
    return f"{organization.name.lower()}-clients"


def volumes(topology: Topology, names: Sequence[str]) -> Service:
    """Runs once and ends: fresh volumes belong to root, and nodes do not run as root."""
    targets = [f"/volumes/{name}" for name in names]
    return {
        "image": images.fabrics("peer", topology.fabric),
        "user": "0:0",
        "command": ["chown", USER, *targets],
        "network_mode": "none",
        "volumes": [_volume(name, f"/volumes/{name}") for name in names],
        "read_only": True,
        # Over the image's own volumes, of which nameless ones would be left behind.
        "tmpfs": [places.CONFIG, places.DATA],
        "cap_drop": ["ALL"],
        "cap_add": ["CHOWN"],
        "security_opt": ["no-new-privileges:true"],
    }


def orderer(topology: Topology, node: Node) -> Service:
    """An ordering node."""
    return {
        **_fabric(topology, node, topology.resources.orderer),
        "networks": [CONSORTIUM],
        "ports": _published(node),
    }


def peer(topology: Topology, node: Node) -> Service:
    """A peer. Where its chaincode is and the keys to dial it come from a file, not from the
    container's configuration, which whoever asks the engine may read. What the builder made of
    them at the last start is made anew: keys may have been renewed since."""
    told = f'"$$(cat {places.CONFIG}/{places.BUILDER_FILE})"'
    start = (
        f"rm -rf {places.DATA}/externalbuilder/builds",
        f"export CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG={told}",
        "exec peer node start",
    )
    return {
        **_fabric(topology, node, topology.resources.peer),
        "command": ["bash", "-c", "; ".join(start)],
        "networks": [CONSORTIUM, network_of(node.member)],
        "ports": _published(node),
    }


def chaincode(topology: Topology, node: Node) -> Service:
    """The contracts, beside one peer. Nobody but that peer's organisation can reach it; the peer
    dials each package by the name of its slot, wherever that is served."""
    server = topology.node_name(CHAINCODE, node.member, node.index)
    aliases = [f"slot{each.slot}.{server}" for each in node.packages]
    return {
        **_ours(images.CHAINCODE, topology.resources.chaincode),
        "hostname": node.name,
        "entrypoint": list(topology.chaincode.command),
        "command": parts.serve_arguments(topology, node, places.ANYWHERE),
        "environment": parts.tls_environment(Path(places.TLS), Path(places.AUTHORITY)),
        "volumes": [
            _key(f"{node.organization}/{node.folder}/tls", places.TLS),
            _authority(node.member),
        ],
        "networks": {network_of(node.member): {"aliases": aliases}},
        "healthcheck": _listening(node.port()),
        "labels": _labels(node.kind, node.member),
    }


def gateway(topology: Topology, organization: Organization) -> Service:
    """The organisation's HTTP service, behind profile `gateways`."""
    name, port = gateway_name(topology, organization), organization.ports.gateway
    return {
        **_ours(images.GATEWAY, _SMALL),
        "profiles": [GATEWAYS],
        "hostname": name,
        "command": ["serve", "--config", f"{places.OWN_CONFIG}/gateway.toml"],
        "depends_on": {
            **_HANDED_OVER,
            topology.node(PEER, organization).name: {"condition": "service_started"},
        },
        "volumes": [
            _bind(f"config/{name}", places.OWN_CONFIG),
            _key(f"{organization.name}/gateway0/tls", places.TLS),
            _key(f"{organization.name}/users/gateway", places.USER),
            _authority(organization),
            _volume(name, places.OWN_DATA),
        ],
        "networks": [network_of(organization), clients_of(organization)],
        "ports": [f"{organization.listen}:{port}:{port}"],
        "healthcheck": {
            "test": ["CMD", "python", "/opt/pedchain/healthz.py", str(port), places.AUTHORITY],
            **_EVERY,
        },
        "labels": _labels("gateway", organization),
    }


def agent(topology: Topology, organization: Organization) -> Service:
    """Its agents, behind profile `agents`: homes, keys and outboxes in a folder of the state."""
    return {
        **_ours(images.AGENT, _SMALL),
        "profiles": [AGENTS],
        "hostname": f"agent0.{organization.name.lower()}.{topology.domain}",
        "command": ["run", "--config", f"{places.OWN_DATA}/agent.toml"],
        "environment": {"SSL_CERT_FILE": places.AUTHORITY},
        "volumes": [
            _bind(f"agents/{organization.name}", places.OWN_DATA, read_only=False),
            _authority(organization),
        ],
        "networks": [clients_of(organization)],
        "healthcheck": {
            "test": ["CMD", "emsagent", "status", "--config", f"{places.OWN_DATA}/agent.toml"],
            **_EVERY,
            "interval": "60s",
            "timeout": "20s",
        },
        "labels": _labels("agent", organization),
    }


def gateway_name(topology: Topology, organization: Organization) -> str:
    """The gateway's host name, which its certificate holds."""
    return f"gateway0.{organization.name.lower()}.{topology.domain}"


_HANDED_OVER = {VOLUMES: {"condition": "service_completed_successfully"}}

_EVERY: Mapping[str, object] = {
    "interval": "10s",
    "timeout": "5s",
    "retries": 3,
    "start_period": "30s",
}


def _fabric(topology: Topology, node: Node, limit: Limit) -> Service:
    return {
        "image": images.fabrics(node.kind, topology.fabric),
        **_confined(limit),
        "hostname": node.name,
        "depends_on": _HANDED_OVER,
        "environment": {
            "FABRIC_LOGGING_SPEC": "warn",
            "FABRIC_LOGGING_FORMAT": "%{level:.4s} %{module} %{message}",  # engines add the time
            "GOMEMLIMIT": f"{limit.memory_mb * 9 // 10}MiB",
        },
        "volumes": [
            _bind(f"config/{node.name}", places.CONFIG),
            _key(f"{node.organization}/{node.folder}", places.NODE),
            _volume(node.name, places.DATA),
        ],
        "healthcheck": _listening(node.port()),
        "labels": _labels(node.kind, node.member),
    }


def _ours(role: str, limit: Limit) -> Service:
    build = {"context": _SOURCE, "dockerfile": images.DOCKERFILE, "target": role}
    return {"image": images.own(role), "build": build, **_confined(limit)}


def _confined(limit: Limit) -> Service:
    """A share of the machine, as a quota: a number of CPUs above the machine's is refused."""
    return {
        "user": USER,
        "restart": "unless-stopped",
        "stop_grace_period": "10s",
        "read_only": True,
        "tmpfs": [places.SCRATCH],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": f"{limit.memory_mb}m",
        "cpu_period": _PERIOD_US,
        "cpu_quota": limit.millicpus * _PERIOD_US // 1000,
        "pids_limit": 512,
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }


def is_published(node: Node, listener: Listener) -> bool:
    """Chaincode is reached by its peer only. A peer's own `chaincode` listener is for chaincode
    that dials it; ours is dialled."""
    return node.kind != CHAINCODE and listener.role != "chaincode"


def _published(node: Node) -> list[str]:
    return [
        f"{each.bind}:{each.port}:{each.port}"
        for each in node.listeners
        if is_published(node, each)
    ]


def _listening(port: int) -> dict[str, object]:
    """Fabric's images have no curl, and connecting without TLS would fill the node's log: look
    into the kernel's tables for who listens (state 0A), in IPv4 or IPv6 as the node chose."""
    pattern = f":{port:04X} 0+:0000 0A"
    test = ["CMD", "grep", "-Eqs", pattern, "/proc/net/tcp", "/proc/net/tcp6"]
    return {"test": test, **_EVERY}


def _labels(kind: str, organization: Organization) -> dict[str, str]:
    return {KIND: kind, ORGANIZATION: organization.name}


def _key(path: str, target: str) -> Service:
    return _bind(f"crypto/{path}", target)


def _authority(organization: Organization) -> Service:
    return _key(f"{organization.name}/tlsca/cert.pem", places.AUTHORITY)


def _bind(path: str, target: str, *, read_only: bool = True) -> Service:
    source = f"{_STATE}/{path}"
    return {"type": "bind", "source": source, "target": target, "read_only": read_only}


def _volume(name: str, target: str) -> Service:
    return {"type": "volume", "source": name, "target": target}
