# SPDX-License-Identifier: Apache-2.0
"""The section `organizations`: names, nodes, hosts and ports that do not meet."""

import re
from collections.abc import Iterable
from itertools import pairwise

from pedchain_network import limits
from pedchain_network.topology import fields
from pedchain_network.topology.organization import PORTS_PER_ORGANIZATION, Organization, Ports
from pedchain_network.topology.yamlnode import Fields, Value

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,31}")


def read(value: Value, host: str) -> tuple[Organization, ...]:
    """All organisations; `host` is that of those that name none. Raises `TopologyError`."""
    found: list[Organization] = []
    for item in value.items():
        each = item.fields(("name", "ports"), ("peers", "orderer", "host", "listen", "own_ca"))
        name = fields.name(each["name"], _NAME, "letters and digits, a letter first")
        fields.unique(each["name"], name.lower(), (other.name.lower() for other in found))
        found.append(_organization(each, name, host))
    if not 1 <= len(found) <= limits.ORGANIZATIONS:
        raise value.fail("a consortium needs organisations", f"list 1 to {limits.ORGANIZATIONS}")
    _apart(value, found)
    return tuple(found)


def _organization(each: Fields, name: str, host: str) -> Organization:
    own_host = fields.host(each["host"]) if "host" in each.found else host
    return Organization(
        name=name,
        ports=Ports(each.integer("ports", 1024, 65_536 - PORTS_PER_ORGANIZATION)),
        peers=each.integer("peers", 1, limits.PEERS, default=1),
        orderer=each.flag("orderer", default=True),
        host=own_host,
        listen=_listen(each, own_host),
        own_ca=each.flag("own_ca", default=False),
    )


def _listen(each: Fields, host: str) -> str:
    if "listen" in each.found:
        return fields.listen(each["listen"])
    if host != "localhost" and not fields.is_address(host):
        raise each["name"].fail(
            f"nodes cannot bind the name {host}", "add `listen:` with an address of that host"
        )
    return host


def _apart(value: Value, organizations: Iterable[Organization]) -> None:
    """Also across hosts: a consortium tried on one machine is the same file."""
    for one, next_one in pairwise(sorted(organizations, key=lambda each: each.ports.base)):
        if next_one.ports.base - one.ports.base < PORTS_PER_ORGANIZATION:
            raise value.fail(
                f"ports of {one.name} and {next_one.name} overlap",
                f"keep {PORTS_PER_ORGANIZATION} ports between them",
            )
