# SPDX-License-Identifier: Apache-2.0
"""Reading `consortium.yaml`: every mistake is named with its line and what to do."""

import re
from pathlib import Path

from pedchain_network import limits
from pedchain_network.topology import (
    fields,
    policytext,
    readchaincode,
    readordering,
    readorganizations,
    yamlnode,
)
from pedchain_network.topology.model import (
    FABRIC,
    Governance,
    Lifetimes,
    Limit,
    Resources,
    Topology,
)
from pedchain_network.topology.organization import LOOPBACK, Organization
from pedchain_network.topology.yamlnode import Fields, Value

SCHEMA = "consortium/1"

_CHANNEL = re.compile(r"[a-z][a-z0-9.-]{0,248}")  # configtx/validator.go
_FABRIC = re.compile(r"3\.1\.[0-9]{1,3}")
_NEEDED = (
    "schema",
    "channel",
    "domain",
    "organizations",
    "governance",
    "ordering",
    "chaincode",
    "definitions",
)
_OPTIONAL = ("host", "lifetimes", "fabric", "resources", "dial_names")
_KINDS = ("peer", "orderer", "chaincode")


def reference() -> Path:
    """The reference consortium's file, installed with this package."""
    return Path(__file__).with_name("consortium.yaml")


def highly_available() -> Path:
    """The same consortium with a second peer of the DSO, without whom nothing is endorsed."""
    return Path(__file__).with_name("consortium-ha.yaml")


def load(path: Path) -> Topology:
    """The topology in a file. Raises `TopologyError`."""
    return _topology(yamlnode.read(path))


def parse(text: str, where: str) -> Topology:
    """The topology in a text; errors are told as in the file `where`. Raises `TopologyError`."""
    return _topology(yamlnode.parse(text.encode(), where))


def _topology(root: Value) -> Topology:
    top = root.fields(_NEEDED, _OPTIONAL)
    if top.text("schema") != SCHEMA:
        raise top["schema"].fail("unknown schema", f"write {SCHEMA}")
    host = fields.host(top["host"]) if "host" in top.found else LOOPBACK
    organizations = readorganizations.read(top["organizations"], host)
    chaincode = readchaincode.read(top["chaincode"])
    return Topology(
        channel=fields.name(top["channel"], _CHANNEL, "lower-case letters, digits, '.' and '-'"),
        domain=fields.name(top["domain"], fields.DNS_NAME, "a DNS name such as ped"),
        host=host,
        organizations=organizations,
        governance=_governance(top["governance"], organizations),
        ordering=readordering.read(top["ordering"], sum(each.orderer for each in organizations)),
        chaincode=chaincode,
        deployments=readchaincode.definitions(top["definitions"], organizations, chaincode),
        lifetimes=_lifetimes(top),
        fabric=_fabric(top),
        resources=_resources(top),
        dial_names=top.flag("dial_names", default=False),
    )


def _governance(value: Value, organizations: tuple[Organization, ...]) -> Governance:
    each = value.fields(("admins", "lifecycle"))
    return Governance(
        admins=policytext.check(each["admins"], organizations, "admin"),
        lifecycle=policytext.check(each["lifecycle"], organizations, "peer"),
    )


def _lifetimes(top: Fields) -> Lifetimes:
    """Certificates may not outlive the authority that signs them."""
    default = Lifetimes()
    if "lifetimes" not in top.found:
        return default
    each = top["lifetimes"].fields((), ("authorities_days", "nodes_days", "users_days", "tls_days"))
    authorities = each.integer("authorities_days", 1, limits.MOST_DAYS, default.authorities_days)
    nodes = each.integer("nodes_days", 1, limits.MOST_DAYS, default.nodes_days)
    users = each.integer("users_days", 1, limits.MOST_DAYS, default.users_days)
    tls = each.integer("tls_days", 1, limits.MOST_DAYS, default.tls_days)
    longest = max(nodes, users, tls)
    if longest > authorities:
        raise top["lifetimes"].fail(
            f"certificates of {longest} days would outlive their authority's {authorities}",
            f"write `authorities_days: {longest}` or more, or shorten the others",
        )
    return Lifetimes(authorities, nodes, users, tls)


def _fabric(top: Fields) -> str:
    if "fabric" not in top.found:
        return FABRIC
    return fields.name(top["fabric"], _FABRIC, 'a release of Fabric 3.1 such as "3.1.5"')


def _resources(top: Fields) -> Resources:
    default = Resources()
    if "resources" not in top.found:
        return default
    each = top["resources"].fields((), _KINDS)
    return Resources(
        peer=_limit(each, "peer", default.peer),
        orderer=_limit(each, "orderer", default.orderer),
        chaincode=_limit(each, "chaincode", default.chaincode),
    )


def _limit(parent: Fields, kind: str, default: Limit) -> Limit:
    if kind not in parent.found:
        return default
    each = parent[kind].fields((), ("millicpus", "memory_mb"))
    return Limit(
        each.integer("millicpus", 50, 1_000_000, default.millicpus),
        each.integer("memory_mb", 64, 1 << 20, default.memory_mb),
    )
