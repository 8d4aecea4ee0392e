# SPDX-License-Identifier: Apache-2.0
"""Goal: an orderer's own words reach us. Method: an HTTP server that plays the orderer."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pedchain_fabric.admin.limits import PARTICIPATION_BODY_BYTES
from pedchain_fabric.admin.participation import ChannelInfo, Participation
from pedchain_fabric.errors import AdminError

INFO = {
    "name": "ped",
    "url": "/participation/v1/channels/ped",
    "consensusRelation": "consenter",
    "status": "active",
    "height": 12,
}


class Orderer(ThreadingHTTPServer):
    """Answers each `METHOD path` by what `answers` holds, and keeps bodies."""

    daemon_threads = True
    answers: dict[str, tuple[int, bytes]]
    bodies: list[bytes]


class Handler(BaseHTTPRequestHandler):
    server: Orderer

    def __getattr__(self, name: str) -> Callable[[], None]:
        """`do_GET` and its kind, all alike."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        status, body = self.server.answers[f"{self.command} {self.path}"]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Silent."""


@pytest.fixture
def orderer() -> Iterator[Orderer]:
    server = Orderer(("127.0.0.1", 0), Handler)
    server.answers, server.bodies = {}, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(orderer: Orderer) -> Participation:
    return Participation(f"127.0.0.1:{orderer.server_address[1]}", None)


def answer(orderer: Orderer, request: str, status: int, document: object = None) -> None:
    body = b"" if document is None else json.dumps(document).encode()
    orderer.answers[request] = (status, body)


@pytest.mark.parametrize(
    ("listed", "names"), [(None, set()), ([], set()), ([{"name": "ped", "url": "/x"}], {"ped"})]
)
async def test_channels_are_listed(
    orderer: Orderer, client: Participation, listed: object, names: set[str]
) -> None:
    document = {"systemChannel": None, "channels": listed}
    answer(orderer, "GET /participation/v1/channels", 200, document)
    assert await client.channels() == names


async def test_a_channels_state_is_read(orderer: Orderer, client: Participation) -> None:
    answer(orderer, "GET /participation/v1/channels/ped", 200, INFO)
    assert await client.info("ped") == ChannelInfo("ped", "consenter", "active", 12)


async def test_joining_posts_the_block_as_a_form(orderer: Orderer, client: Participation) -> None:
    answer(orderer, "POST /participation/v1/channels", 201, INFO)
    assert (await client.join(b"\r\nblock\x00")).status == "active"
    (body,) = orderer.bodies
    assert b'name="config-block"' in body
    assert b"\r\n\r\n\r\nblock\x00\r\n--" in body


async def test_leaving_is_a_delete_without_answer(orderer: Orderer, client: Participation) -> None:
    answer(orderer, "DELETE /participation/v1/channels/ped", 204)
    await client.remove("ped")


async def test_a_refusal_carries_status_and_text(orderer: Orderer, client: Participation) -> None:
    refusal = {"error": "cannot join: channel already exists"}
    answer(orderer, "POST /participation/v1/channels", 409, refusal)
    with pytest.raises(AdminError, match="channel already exists") as raised:
        await client.join(b"block")
    assert raised.value.status == 409


@pytest.mark.parametrize("body", [b"<html>", b"[1]"])
async def test_an_answer_that_is_no_object_is_refused(
    orderer: Orderer, client: Participation, body: bytes
) -> None:
    orderer.answers["GET /participation/v1/channels"] = (200, body)
    with pytest.raises(AdminError, match="JSON"):
        await client.channels()


async def test_a_block_larger_than_orderers_take_is_not_sent(client: Participation) -> None:
    with pytest.raises(AdminError) as raised:
        await client.join(bytes(PARTICIPATION_BODY_BYTES + 1))
    assert raised.value.status == 413


async def test_no_orderer_is_an_admin_error() -> None:
    with pytest.raises(AdminError) as raised:
        await Participation("127.0.0.1:1", None).channels()
    assert raised.value.status == "UNAVAILABLE"
