# SPDX-License-Identifier: Apache-2.0
"""Who listens where: nothing beyond loopback unless the topology says so."""

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pedchain_network.watch import sockets
from pedchain_network.watch.doctor.finding import Finding, fail, ok

CHECK = "listeners"

_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - recognised, not bound


@dataclass(frozen=True, slots=True)
class Owned:
    """A listening socket of this host and whose it is."""

    owner: str
    ip: str
    port: int


def judge(found: Iterable[Owned], allowed: Collection[str]) -> list[Finding]:
    """Every socket is on loopback or on one of the `allowed` addresses (those of the topology)."""
    all_sockets = list(found)
    beyond = [each for each in all_sockets if not _may(each.ip, allowed)]
    findings = [
        fail(
            CHECK,
            each.owner,
            f"listens on {each.ip}:{each.port}, which the topology does not ask for",
            "set the organisation's `listen`, or end that process",
        )
        for each in sorted(beyond, key=lambda each: each.port)
    ]
    asked = sorted(each for each in allowed if not _may(each, ()))
    where = " and ".join(["loopback", *asked])
    return findings or [ok(CHECK, f"{len(all_sockets)} sockets, all on {where}")]


def _may(ip: str, allowed: Collection[str]) -> bool:
    if set(allowed) & _EVERYWHERE or ip in allowed:
        return True
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False


def look(ports: Mapping[int, str], processes: Mapping[int, str]) -> list[Owned]:
    """Listening sockets at the topology's ports (by port: the node's name), whoever holds them,
    and at any port of the network's own processes (by pid: the part's name)."""
    families = {pid: name for root, name in processes.items() for pid in sockets.family(root)}
    return [
        Owned(families.get(each.pid or 0) or ports[each.port], each.ip, each.port)
        for each in sockets.listening()
        if each.port in ports or each.pid in families
    ]
