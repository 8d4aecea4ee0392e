# SPDX-License-Identifier: Apache-2.0
"""The small HTTP server and the operations interface on it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from pedchain_fabric.embedded import http, limits
from pedchain_fabric.embedded.config import Address
from pedchain_fabric.embedded.operations import LogSpec, Operations, Sample

SAMPLES = [
    Sample("height", "gauge", 3, (("channel", "ped"),)),
    Sample("height", "gauge", 4, (("channel", "other"),)),
    Sample("calls", "counter", 1e9),
]


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    root = logging.getLogger().level
    yield
    logging.getLogger().setLevel(root)
    logging.getLogger("gateway").setLevel(logging.NOTSET)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    operations = Operations("1", LogSpec(), lambda: SAMPLES)
    server = await http.listen(Address("127.0.0.1", 0), operations.handle, None)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def say(port: int, *requests: bytes) -> list[tuple[int, bytes]]:
    """Sends all at once on one connection; statuses and bodies until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(requests))
    answers = []
    while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
        fields = dict(
            line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
        )
        body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        answers.append((int(head.split(b" ")[1]), body))
        if fields[b"connection"] == b"close":
            break
    writer.close()
    await writer.wait_closed()
    return answers


def request(method: str, path: str, body: bytes = b"", *, headers: str = "") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{length}{headers}\r\n"
    return head.encode() + body


LAST = "Connection: close\r\n"


async def test_several_requests_may_follow_on_one_connection(port: int) -> None:
    answers = await say(
        port,
        request("GET", "/healthz"),
        request("GET", "/version?x=1"),
        request("GET", "/nowhere", headers=LAST),
        request("GET", "/healthz"),
    )
    assert [status for status, _ in answers] == [200, 200, 404]
    assert json.loads(answers[0][1])["status"] == "OK"
    assert json.loads(answers[1][1])["Version"] == "1"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GET /healthz\r\n\r\n", 400),
        (b"GET /healthz SMTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nA : b\r\n\r\n", 400),
        (b"PUT /logspec HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT /logspec HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"PUT /logspec HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"PUT /logspec HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * (limits.MAX_HTTP_HEADER_BYTES + 1) + b"\r\n\r\n", 431),
    ],
)
async def test_what_is_no_request_ends_the_connection(port: int, raw: bytes, status: int) -> None:
    assert await say(port, raw) == [(status, b"")]
    assert (await say(port, request("GET", "/healthz", headers=LAST)))[0][0] == 200


async def test_a_silent_client_is_hung_up_on(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HTTP_IDLE_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\n")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    await writer.wait_closed()


async def test_metrics_are_in_prometheus_text(port: int) -> None:
    [(status, body)] = await say(port, request("GET", "/metrics", headers=LAST))
    assert status == 200
    assert body.decode().splitlines() == [
        "# TYPE calls counter",
        "calls 1000000000",
        "# TYPE height gauge",
        'height{channel="other"} 4',
        'height{channel="ped"} 3',
    ]


async def spec(port: int, text: str) -> tuple[int, bytes]:
    body = json.dumps({"spec": text}).encode()
    [answer] = await say(port, request("PUT", "/logspec", body, headers=LAST))
    return answer


async def test_log_levels_are_set_by_logger(port: int) -> None:
    assert await spec(port, "gateway,http=debug:warn") == (204, b"")
    assert logging.getLogger("gateway").level == logging.DEBUG
    assert logging.getLogger().level == logging.WARNING
    [(_, body)] = await say(port, request("GET", "/logspec", headers=LAST))
    assert json.loads(body) == {"spec": "gateway,http=debug:warn"}


@pytest.mark.parametrize("text", ["loud", "gateway=", "a=b=c", "info:"])
async def test_another_log_specification_changes_nothing(port: int, text: str) -> None:
    before = logging.getLogger().level
    status, body = await spec(port, text)
    assert (status, "bad segment" in body.decode()) == (400, True)
    assert logging.getLogger().level == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b'{"spec":1}'])
async def test_a_log_specification_comes_as_an_object(port: int, body: bytes) -> None:
    [(status, _)] = await say(port, request("PUT", "/logspec", body, headers=LAST))
    assert status == 400


async def test_operations_answer_reading_methods_only(port: int) -> None:
    answers = await say(
        port,
        request("POST", "/version"),
        request("DELETE", "/logspec"),
        request("POST", "/healthz", headers=LAST),
    )
    assert [status for status, _ in answers] == [400, 400, 405]
