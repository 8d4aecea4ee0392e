# SPDX-License-Identifier: Apache-2.0
"""A small HTTP/1.1 server for the operations and participation interfaces."""

import asyncio
import json
import logging
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.config import Address, TlsFiles

_log = logging.getLogger("comm.http")
_LENGTH_DIGITS = 20

_REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 302: "Found", 400: "Bad Request",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    409: "Conflict", 411: "Length Required", 413: "Content Too Large",
    431: "Request Header Fields Too Large", 500: "Internal Server Error",
    503: "Service Unavailable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case, the path is unquoted."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One response. Content-Length and Connection are added when it is written."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]


class BadRequest(Exception):  # noqa: N818 - it names an answer, not a fault
    """What came cannot be read as a request we serve; answered with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(_REASONS[status])
        self.status = status


def json_response(status: int, document: object, **headers: str) -> Response:
    """JSON as Go's encoder writes it: no spaces, a newline at the end."""
    body = json.dumps(document, separators=(",", ":")).encode() + b"\n"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, body, "application/json", named)


def server_context(tls: TlsFiles) -> ssl.SSLContext:
    """A TLS 1.2+ server context; demands client certificates when `tls.client_ca` is set."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.pem"  # the ssl module reads certificates from files only
        chain.touch(mode=0o600)
        chain.write_bytes(tls.key + b"\n" + tls.certificate)
        context.load_cert_chain(chain)
    if tls.client_ca is not None:
        context.load_verify_locations(cadata=tls.client_ca.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def listen(
    address: Address, handler: Handler, context: ssl.SSLContext | None
) -> asyncio.Server:
    """Serves `handler` on `address` until the returned server is closed. Raises OSError."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _converse(reader, writer, handler)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError):
            _log.debug("connection ended", exc_info=True)
        finally:
            writer.close()

    return await asyncio.start_server(
        connected,
        address.host,
        address.port,
        ssl=context,
        limit=limits.MAX_HTTP_HEADER_BYTES,
    )


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler
) -> None:
    while True:
        try:
            request = await asyncio.wait_for(_read(reader), limits.HTTP_IDLE_S)
        except BadRequest as refusal:
            await _write(writer, Response(refusal.status), keep=False)
            return
        if request is None:
            return
        keep = request.headers.get("connection", "").lower() != "close"
        await _write(writer, await handler(request), keep=keep)
        if not keep:
            return


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request, or None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadRequest(400) from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest(431) from error
    lines = head.decode("latin-1").split("\r\n")
    method, target = _request_line(lines[0])
    headers = dict(_header(line) for line in lines[1:] if line)
    body = await reader.readexactly(_content_length(headers))
    return Request(method, _path(target), headers, body)


def _path(target: str) -> str:
    try:
        return unquote(urlsplit(target).path)
    except ValueError as error:  # a host in brackets that is no address
        raise BadRequest(400) from error


def _request_line(line: str) -> tuple[str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest(400)
    return parts[0], parts[1]


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise BadRequest(400)
    return name.lower(), value.strip()


def _content_length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise BadRequest(411)
    text = headers.get("content-length", "0")
    if not text.isascii() or not text.isdigit():
        raise BadRequest(400)
    # A form's own wrapping may exceed the block it carries a little. Python reads no integer of
    # thousands of digits.
    if len(text) > _LENGTH_DIGITS or int(text) > 2 * limits.MAX_JOIN_BODY_BYTES:
        raise BadRequest(413)
    return int(text)


async def _write(writer: asyncio.StreamWriter, response: Response, *, keep: bool) -> None:
    reason = _REASONS.get(response.status, "")
    lines = [f"HTTP/1.1 {response.status} {reason}"]
    if response.content_type:
        lines.append(f"Content-Type: {response.content_type}")
    if response.status != 204:
        lines.append(f"Content-Length: {len(response.body)}")
    lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + response.body)
    await writer.drain()
