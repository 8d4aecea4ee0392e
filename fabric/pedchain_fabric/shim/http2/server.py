# SPDX-License-Identifier: Apache-2.0
"""A gRPC server for streaming methods: its sockets and the connections on them."""

import asyncio
import ssl
from collections.abc import Mapping

from pedchain_fabric.shim.http2 import limits
from pedchain_fabric.shim.http2.listening import bind
from pedchain_fabric.shim.http2.protocol import GrpcProtocol, Method


class GrpcServer:
    """Serves methods by their paths (`/package.Service/Method`) at one address."""

    def __init__(self, methods: Mapping[str, Method], message_bytes: int) -> None:
        self._methods = methods
        self._message_bytes = message_bytes
        self._listening: list[asyncio.Server] = []
        self._connections: set[GrpcProtocol] = set()

    async def start(self, address: str, tls: ssl.SSLContext | None) -> int:
        """Listen; the port. Raises `OSError` if it is in use."""
        loop = asyncio.get_running_loop()
        # gRPC's C core never says goodbye in TLS: it waits until the socket is closed.
        handshake, goodbye = (
            (None, None) if tls is None else (limits.HANDSHAKE_SECONDS, limits.GOODBYE_SECONDS)
        )
        sockets = bind(address)
        for each in sockets:
            each.setblocking(False)
            made = await loop.create_server(
                self._connection,
                sock=each,
                ssl=tls,
                ssl_handshake_timeout=handshake,
                ssl_shutdown_timeout=goodbye,
            )
            self._listening.append(made)
        port = sockets[0].getsockname()[1]
        assert isinstance(port, int)
        return port

    async def stop(self, seconds: float) -> None:
        """Take no new connections and streams; wait until those that are open have ended, for so
        long at most."""
        for each in self._listening:
            each.close()
        open_ = list(self._connections)
        for connection in open_:
            connection.stop()
        try:
            async with asyncio.timeout(seconds):
                for connection in open_:
                    await connection.closed.wait()
        except TimeoutError:
            for connection in open_:
                connection.abort()

    def _connection(self) -> GrpcProtocol:
        return GrpcProtocol(self._methods, self._message_bytes, self._connections)
