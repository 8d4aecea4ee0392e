# SPDX-License-Identifier: Apache-2.0
"""Integers, hex, base64 and identifiers read by ASCII patterns.

Python's own readers accept more than the formats do (`int` takes other scripts' digits, `fromhex`
takes spaces, `b64decode` drops junk), and differ between versions; on a ledger two readers must
never disagree. Each function returns None for text that is not exactly of its form.
"""

import base64
import re

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+\Z")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]*\Z")


def integer(text: str, digits: int) -> int | None:
    """A decimal integer without leading zeros, at most `digits` long."""
    if len(text) - text.startswith("-") > digits or not _INTEGER.match(text) or text == "-0":
        return None
    return int(text)


def from_hex(text: str) -> bytes | None:
    """Bytes of an even number of hex digits, either case, nothing else."""
    return bytes.fromhex(text) if _HEX.match(text) else None


def hex_bytes(text: str) -> bytes:
    """Bytes of hex we wrote ourselves; ValueError if it is not hex after all."""
    data = from_hex(text)
    if data is None:
        raise ValueError("not hex")
    return data


def from_base64(text: str) -> bytes | None:
    """Bytes of padded standard base64 in its one canonical spelling."""
    if not text or not _BASE64.match(text):
        return None
    data = base64.b64decode(text)
    return data if base64.b64encode(data) == text.encode() else None


def is_id(text: str, length: int) -> bool:
    """Whether text is ASCII letters, digits and `._:@-`, starting with a letter or digit."""
    return 0 < len(text) <= length and _ID.match(text) is not None
