# SPDX-License-Identifier: Apache-2.0
"""Who listens where: nothing beyond loopback unless the topology says so."""

import ipaddress
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from pedchain_network.watch.doctor.finding import Finding, fail, ok

CHECK = "listeners"

_EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - recognised, not bound


@dataclass(frozen=True, slots=True)
class Socket:
    """A listening socket of this host and whose it is."""

    owner: str
    ip: str
    port: int


def judge(sockets: Iterable[Socket], allowed: Collection[str]) -> list[Finding]:
    """Every socket is on loopback or on one of the `allowed` addresses (those of the topology)."""
    all_sockets = list(sockets)
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
    where = "loopback" if not allowed else f"loopback and {', '.join(sorted(allowed))}"
    return findings or [ok(CHECK, f"{len(all_sockets)} sockets, all on {where}")]


def _may(ip: str, allowed: Collection[str]) -> bool:
    plain = ip.removeprefix("::ffff:")
    if set(allowed) & _EVERYWHERE or plain in allowed:
        return True
    try:
        return ipaddress.ip_address(plain).is_loopback
    except ValueError:
        return False


def of_ports(owners: dict[int, str]) -> list[Socket]:
    """Listening sockets of this host at these ports, whoever holds them."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return []
    return [
        Socket(owners[each.laddr.port], each.laddr.ip, each.laddr.port)
        for each in connections
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port in owners
    ]


def of_process(name: str, pid: int) -> list[Socket]:
    """Listening sockets of a process and of its children, at any port."""
    sockets = []
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            sockets += [
                Socket(name, each.laddr.ip, each.laddr.port)
                for each in one.net_connections("tcp")
                if each.status == psutil.CONN_LISTEN and each.laddr
            ]
    return sockets
