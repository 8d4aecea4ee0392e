# SPDX-License-Identifier: Apache-2.0
"""Ports: is one free, does somebody answer, who has it."""

import asyncio
import contextlib
import socket
from collections.abc import Iterable

import psutil

from pedchain_network.errors import PortBusyError


def require_free(listeners: Iterable[tuple[str, str]]) -> None:
    """Every (label, `host:port`) can be bound now. Raises `PortBusyError`, naming who has it."""
    for label, address in listeners:
        host, _, port = address.rpartition(":")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, int(port)))
            except OSError as error:
                raise PortBusyError(
                    f"{address}, wanted for {label}, is taken{_owner(int(port))}",
                    "end it, or choose other ports in the topology",
                ) from error


async def answers(address: str, timeout_s: float = 1.0) -> bool:
    """Does anybody accept a connection at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _owner(port: int) -> str:
    """`by NAME (pid N)`, as far as we may see."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return ""
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr
        if listens and listens.port == port:
            with contextlib.suppress(psutil.Error):
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
