# SPDX-License-Identifier: Apache-2.0
"""Gzip without compression: bytes that no version of zlib can change.

A package's id is the hash of its bytes, and compressors differ between builds; stored blocks
(RFC 1951, 3.2.4) leave them no choice.
"""

import struct
import zlib

_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # RFC 1952: deflate, no flags, no time, no system
_STORED_MAX = 0xFFFF
_WORD = 0xFFFFFFFF


def store(data: bytes) -> bytes:
    """`data` as a gzip file."""
    blocks = [data[at : at + _STORED_MAX] for at in range(0, len(data), _STORED_MAX)] or [b""]
    body = b"".join(
        struct.pack("<BHH", block is blocks[-1], len(block), len(block) ^ 0xFFFF) + block
        for block in blocks
    )
    return _HEADER + body + struct.pack("<II", zlib.crc32(data), len(data) & _WORD)
