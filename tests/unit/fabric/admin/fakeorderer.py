# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that plays an orderer's participation interface."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pedchain_fabric.admin.participation import Participation

INFO = {
    "name": "ped",
    "url": "/participation/v1/channels/ped",
    "consensusRelation": "consenter",
    "status": "active",
    "height": 12,
}


class Orderer(ThreadingHTTPServer):
    """Answers each `METHOD path` by what `answers` holds, and keeps bodies by request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.after: dict[str, tuple[str, bytes]] = {}
        """By request: another, and what is answered to that from then on."""
        self.bodies: list[bytes] = []
        self.requests: list[str] = []

    @property
    def client(self) -> Participation:
        """Asks it."""
        return Participation(f"127.0.0.1:{self.server_address[1]}", None)

    def answer(self, request: str, status: int, document: object = None) -> None:
        """From now on, to `METHOD path`; bytes as they are, anything else as JSON."""
        body = document if isinstance(document, bytes) else b""
        if document is not None and not isinstance(document, bytes):
            body = json.dumps(document).encode()
        self.answers[request] = (status, body)


class Handler(BaseHTTPRequestHandler):
    server: Orderer

    def __getattr__(self, name: str) -> Callable[[], None]:
        """`do_GET` and its kind, all alike."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        self.server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        asked = f"{self.command} {self.path}"
        status, body = self.server.answers[asked]
        if asked in self.server.after:
            other, then = self.server.after[asked]
            self.server.answer(other, 200, then)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Silent."""


@contextmanager
def running() -> Iterator[Orderer]:
    """The server, listening on a port of its own."""
    with Orderer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
