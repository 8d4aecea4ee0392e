# SPDX-License-Identifier: Apache-2.0
"""The little DER (X.690) Fabric needs: block headers, ECDSA signatures, certificate bodies."""

from pedchain_fabric.errors import WireError

INTEGER, BIT_STRING, OCTET_STRING, SEQUENCE = 0x02, 0x03, 0x04, 0x30


def encode(tag: int, content: bytes) -> bytes:
    """One element: tag, definite length in the fewest bytes, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int) -> bytes:
    """A non-negative INTEGER in the fewest bytes, with room for the sign bit."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octet_string(value: bytes) -> bytes:
    """An OCTET STRING."""
    return encode(OCTET_STRING, value)


def sequence(*elements: bytes) -> bytes:
    """A SEQUENCE of elements already encoded."""
    return encode(SEQUENCE, b"".join(elements))


def read(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Split one element of `tag` off `data`: its content, and what follows it.

    Raises `WireError` on another tag, a truncated element, or a length not in DER's form.
    """
    if len(data) < 2 or data[0] != tag:
        raise WireError("DER: unexpected tag or end of data")
    size, start = data[1], 2
    if size >= 0x80:
        width = size & 0x7F
        start = 2 + width
        size = int.from_bytes(data[2:start], "big")
        if not 0 < width <= 4 or len(data) < start or size < 0x80 or data[2] == 0:
            raise WireError("DER: length is not in its shortest form")
    if len(data) < start + size:
        raise WireError("DER: truncated element")
    return data[start : start + size], data[start + size :]


def read_integer(data: bytes) -> tuple[int, bytes]:
    """Split an INTEGER in its shortest form off `data`: its value, and what follows it."""
    content, rest = read(data, INTEGER)
    padded = len(content) > 1 and (content[0], content[1] >> 7) in ((0x00, 0), (0xFF, 1))
    if not content or padded:
        raise WireError("DER: integer is not in its shortest form")
    return int.from_bytes(content, "big", signed=True), rest


def read_signature(data: bytes) -> tuple[int, int]:
    """The (r, s) of an ECDSA signature, as Go's `encoding/asn1` reads it in Fabric.

    Bytes after s or after the sequence are tolerated, because Fabric's committers tolerate
    them (fabric-lib-go bccsp/utils/ecdsa.go): an auditor that refused them would call blocks
    wrong that every peer holds valid.
    """
    body, _ = read(data, SEQUENCE)
    r, rest = read_integer(body)
    s, _ = read_integer(rest)
    if r <= 0 or s <= 0:
        raise WireError("ECDSA signature with r or s not above zero")
    return r, s


def signature(r: int, s: int) -> bytes:
    """An ECDSA signature's bytes."""
    return sequence(integer(r), integer(s))
