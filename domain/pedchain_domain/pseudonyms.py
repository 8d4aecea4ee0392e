# SPDX-License-Identifier: Apache-2.0
"""Pseudonyms: what stands on the public ledger in the place of an operator's own names.

    pseudonym = "p." + first 128 bits of HMAC-SHA256(the district's key, name), hex

The key is derived from a secret in the district's private collection, so a meter's serial number
or a connection's code can be looked up by the collection's members and guessed by nobody else, and
the same name gives unrelated pseudonyms in two districts. A pseudonym stands for itself.
"""

import hmac
import re
from typing import Any, Final

Document = dict[str, Any]
_FORM = re.compile(r"p\.[0-9a-f]{32}\Z")
_LABEL: Final = b"pseudonyms"

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "site/1": ("id",),
    "point/1": ("id", "site", "parent"),
    "device/1": ("id", "point"),
    "rotate/1": ("device",),
    "revoke/1": ("device",),
    "suspend/1": ("device",),
    "resume/1": ("device",),
    "exchange/1": ("point", "old", "new"),
    "participation/1": ("site",),
    "occupancy/1": ("member", "site"),
    "vacate/1": ("member", "site"),
    "leave/1": ("member",),
}
"""The fields of each document that hold a name."""


def naming_key(secret: bytes) -> bytes:
    """The key of a district's pseudonyms, from the secret in its collection."""
    return hmac.digest(secret, _LABEL, "sha256")


def is_pseudonym(text: str) -> bool:
    """Whether the text has the form of a pseudonym."""
    return _FORM.match(text) is not None


def pseudonym(key: bytes, name: str) -> str:
    """The pseudonym of a name; of a pseudonym itself."""
    if is_pseudonym(name):
        return name
    return "p." + hmac.digest(key, name.encode(), "sha256").hex()[:32]


def member_name(spki_hex: str) -> str:
    """What a member's pseudonym is made of: the key that the member signs with."""
    return f"member {spki_hex}"


def translated(key: bytes, document: Document) -> Document:
    """A checked document with every name in it replaced by its pseudonym."""
    changed = {
        field: pseudonym(key, document[field])
        for field in NAMES.get(document["schema"], ())
        if document[field] is not None
    }
    return {**document, **changed}
