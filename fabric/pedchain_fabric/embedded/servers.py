# SPDX-License-Identifier: Apache-2.0
"""The servers of one node: its gRPC listener, its HTTP interfaces."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import grpc.aio

from pedchain_fabric.embedded import http, rpc
from pedchain_fabric.embedded.config import Address, TlsFiles
from pedchain_fabric.embedded.rpc import Service

_GRACE_S = 0.1


@dataclass(frozen=True, slots=True)
class Interface:
    """An HTTP interface; `tls` None serves plain text."""

    address: Address
    handler: http.Handler
    tls: TlsFiles | None = None


class Servers:
    """Listens once started. Raises OSError if it cannot, and then nothing of it listens."""

    def __init__(
        self,
        address: Address,
        tls: TlsFiles,
        services: Iterable[Service],
        interfaces: Iterable[Interface],
    ) -> None:
        self._grpc: grpc.aio.Server = rpc.serve(address, tls, services)
        self._interfaces = tuple(interfaces)
        self._http: list[asyncio.Server] = []

    async def start(self) -> None:
        """Begins to listen."""
        try:
            for each in self._interfaces:
                tls = None if each.tls is None else http.server_context(each.tls)
                self._http.append(await http.listen(each.address, each.handler, tls))
            await self._grpc.start()
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends all streams and listens no more."""
        for server in self._http:
            server.close()
        await self._grpc.stop(_GRACE_S)
