# SPDX-License-Identifier: Apache-2.0
"""Hands each connection's client certificate to the application: uvicorn itself does not."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from pedchain_gateway.devices.binding import PEER


class Connection(H11Protocol):
    """One connection; requests on it carry the certificate in their scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's own narrowing
        """The handshake is over: its certificate holds for all requests to come."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        peer = tls.getpeercert(binary_form=True) if tls is not None else None
        app: Any = self.app

        async def bound(scope: Any, receive: Any, send: Any) -> None:
            scope[PEER] = peer
            await app(scope, receive, send)

        self.app = bound
