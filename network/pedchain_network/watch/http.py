# SPDX-License-Identifier: Apache-2.0
"""One question to a node's operations interface, answered within a bound or not at all."""

import asyncio
import ssl

from pedchain_network.limits import OPERATIONS_BYTES


class NoAnswer(Exception):  # noqa: N818 - what was found, not what went wrong here
    """Nobody answered in time, or not with what was asked for."""


async def get(
    address: str, path: str, timeout_s: float, tls: ssl.SSLContext | None = None
) -> bytes:
    """The body of `http://address/path`, or https with `tls`. Raises `NoAnswer`.

    HTTP/1.0, so that the answer is neither chunked nor kept open.
    """
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, int(port), ssl=tls)
            try:
                request = f"GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                answer = await _all(reader)
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise NoAnswer(f"{address}{path}: {str(error) or 'no answer in time'}") from error
    return _body(answer, f"{address}{path}")


async def _all(reader: asyncio.StreamReader) -> bytes:
    """Up to the end of the stream, as much as we take."""
    parts: list[bytes] = []
    size = 0
    while size < OPERATIONS_BYTES and (part := await reader.read(1 << 16)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _body(answer: bytes, asked: str) -> bytes:
    head, found, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].split()
    if not found or len(status) < 2 or not status[0].startswith(b"HTTP/"):
        raise NoAnswer(f"{asked}: what came is not HTTP")
    if status[1] != b"200":
        raise NoAnswer(f"{asked}: status {status[1].decode('latin-1')}")
    return body
