# SPDX-License-Identifier: Apache-2.0
"""Listening sockets of this host, looked up rather than connected to.

A connection that says nothing is an error line in a node's log, every time somebody looks.
"""

import asyncio
import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psutil

from pedchain_network.runtimes import listeners

_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - recognised, not bound


@dataclass(frozen=True, slots=True)
class Socket:
    """A listening socket: its address, and the process that holds it if we may know."""

    ip: str
    port: int
    pid: int | None = None


def listening() -> list[Socket]:
    """All of this host; none if we may not look."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return []
    return [
        Socket(each.laddr.ip.removeprefix("::ffff:"), each.laddr.port, each.pid)
        for each in connections
        if each.status == psutil.CONN_LISTEN and each.laddr
    ]


def family(pid: int) -> frozenset[int]:
    """A process and its children; nobody if it does not run."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return frozenset()
    return frozenset({pid, *(child.pid for child in children)})


async def answering(addresses: Iterable[str], timeout_s: float) -> set[str]:
    """Those of the `host:port` where somebody listens: by looking on this host, else by asking."""
    wanted = list(addresses)
    known = await asyncio.to_thread(listening)
    asked = [each for each in wanted if not known or not _is_local(each)]
    answers = await asyncio.gather(*(listeners.answers(each, timeout_s) for each in asked))
    here = {each for each in wanted if each not in asked and _is_open(each, known)}
    return here | {each for each, answer in zip(asked, answers, strict=True) if answer}


def _is_local(address: str) -> bool:
    host, _, _ = address.rpartition(":")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_open(address: str, sockets: Collection[Socket]) -> bool:
    host, _, port = address.rpartition(":")
    hosts = {host, *_EVERYWHERE} | ({"127.0.0.1", "::1"} if host == "localhost" else set())
    return any(each.port == int(port) and each.ip in hosts for each in sockets)
