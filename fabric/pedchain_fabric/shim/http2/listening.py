# SPDX-License-Identifier: Apache-2.0
"""Sockets that listen, and TLS for them."""

import asyncio
import os
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pedchain_fabric.shim.http2.limits import BACKLOG

_ANY_IPV6: Final = "::"
_ANY: Final = _ANY_IPV6 if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 - as one asks
_PORT_MAX: Final = 65_535


def bind(address: str) -> list[socket.socket]:
    """Sockets that listen on `host:port`, on every address the host's name has.

    Port 0 takes a free one, the same for all. Raises `OSError` if the port is in use,
    `ValueError` if the address is none.
    """
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or _ANY
    number = int(port)
    if not 0 <= number <= _PORT_MAX:
        raise ValueError(f"{number} is no port")
    found: list[socket.socket] = []
    try:
        for family, _, _, _, place in socket.getaddrinfo(
            host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            made = _socket(family, (str(place[0]), number))
            found.append(made)
            number = made.getsockname()[1]
    except BaseException:
        for each in found:
            each.close()
        raise
    return found


def _socket(family: socket.AddressFamily, place: tuple[str, int]) -> socket.socket:
    both = place[0] == _ANY_IPV6 and socket.has_dualstack_ipv6()
    return socket.create_server(place, family=family, backlog=BACKLOG, dualstack_ipv6=both)


def at_once(transport: asyncio.BaseTransport) -> None:
    """Let a connection send what is written at once. asyncio does so only where the socket's
    protocol number says TCP, which `create_server` leaves 0: a message whose forerunner was not
    acknowledged would then wait for that, 40 ms."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):  # it is gone already
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def tls_context(certificate: bytes, key: bytes, client_ca: bytes | None) -> ssl.SSLContext:
    """TLS 1.2 and later, as Go's shim: ALPN says HTTP/2, and with `client_ca` a peer must show a
    certificate it signed. Raises `ValueError` for material that is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    try:
        with _file(certificate + b"\n" + key) as path:
            context.load_cert_chain(path)
        if client_ca is not None:
            context.load_verify_locations(cadata=client_ca.decode("ascii"))
            context.verify_mode = ssl.CERT_REQUIRED
            # As in Go, an authority that is given is trusted, be it a root or not.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise ValueError("the TLS certificate, key or authority is not usable") from error
    return context


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """The content under a path, which is all that OpenSSL reads; in memory where there is a way."""
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("tls"), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tls.pem"
            path.write_bytes(content)
            yield str(path)
