# SPDX-License-Identifier: Apache-2.0
"""Reading the body of `POST /v1/readings`: bounded in bytes, time and depth before it is parsed."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.service.problems import Problem, ProblemError

_JSON = canonical.Limits(size=limits.BODY_BYTES_MAX, depth=limits.BODY_DEPTH_MAX)
_GZIP = 31  # zlib's window of 15 bits, with gzip's header
_MEMBERS = frozenset({"district", "records"})


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted: the district and its records, as received."""

    district: str
    records: list[bytes]


async def received(stream: AsyncIterator[bytes], encoding: str) -> bytes:
    """The whole body, unpacked. Raises `ProblemError` for too large, too slow, unknown coding."""
    if encoding not in ("", "identity", "gzip"):
        raise ProblemError(Problem.UNSUPPORTED_ENCODING, "gzip is")
    data = bytearray()
    try:
        async with asyncio.timeout(limits.BODY_READ_S):
            async for chunk in stream:
                data += chunk
                if len(data) > limits.BODY_BYTES_MAX:
                    raise _too_large()
    except TimeoutError as error:
        raise ProblemError(Problem.BODY_TOO_SLOW) from error
    return gunzip(bytes(data)) if encoding == "gzip" else bytes(data)


def gunzip(packed: bytes) -> bytes:
    """Unpack one complete gzip member of bounded size, with nothing after it."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        data = unpacker.decompress(packed, limits.BODY_BYTES_MAX + 1)
    except zlib.error as error:
        raise ProblemError(Problem.MALFORMED_REQUEST, "the body is not gzip") from error
    if len(data) > limits.BODY_BYTES_MAX:
        raise _too_large()
    if not unpacker.eof or unpacker.unused_data:
        raise ProblemError(Problem.MALFORMED_REQUEST, "the gzip stream is not whole")
    return data


def posted(data: bytes, media_type: str, district: str | None) -> Posted:
    """The records of a body: JSON, or plain text with one record per line."""
    if media_type == "application/json":
        found = _json(data)
    elif media_type == "text/plain":
        found = Posted(district or "", _lines(data))
    else:
        raise ProblemError(Problem.UNSUPPORTED_MEDIA_TYPE, "application/json and text/plain are")
    if not found.district or district not in (None, found.district):
        raise ProblemError(Problem.MALFORMED_REQUEST, "one district must be named")
    if not found.records:
        raise ProblemError(Problem.MALFORMED_REQUEST, "there are no records")
    if len(found.records) > limits.RECORDS_PER_REQUEST_MAX:
        raise ProblemError(
            Problem.TOO_MANY_RECORDS, f"at most {limits.RECORDS_PER_REQUEST_MAX} are taken"
        )
    return found


def _lines(data: bytes) -> list[bytes]:
    return [line.rstrip(b"\r") for line in data.split(b"\n") if line not in (b"", b"\r")]


def _json(data: bytes) -> Posted:
    try:
        document = canonical.decode(data, _JSON)
    except canonical.CanonicalError as error:
        raise ProblemError(Problem.MALFORMED_REQUEST, reason=str(error.reason)) from error
    if not isinstance(document, dict) or not document.keys() <= _MEMBERS:
        raise ProblemError(Problem.MALFORMED_REQUEST, "only district and records belong here")
    district, records = document.get("district"), document.get("records")
    if not isinstance(district, str) or not isinstance(records, list):
        raise ProblemError(Problem.MALFORMED_REQUEST, "district is a text, records is a list")
    return Posted(district, [_record(record) for record in records])


def _record(record: canonical.Value) -> bytes:
    if not isinstance(record, str):
        raise ProblemError(Problem.MALFORMED_REQUEST, "a record is a text")
    return record.encode()


def _too_large() -> ProblemError:
    return ProblemError(Problem.BODY_TOO_LARGE, f"at most {limits.BODY_BYTES_MAX} bytes are taken")
