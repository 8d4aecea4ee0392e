# SPDX-License-Identifier: Apache-2.0
"""State keys of settlement. A private key holds keyed hashes of accounts and tokens: nothing to be
guessed from its hash on the public ledger.

A document that must be found again stands in the collection under the same key as its public
marker, {kind, hash of its owner, id}: a transaction that writes may range over markers, never over
private data.
"""

import hmac
from typing import Final

from pedchain_fabric.shim import Stub

COLLECTION: Final = "book"


def setup(stub: Stub) -> str:
    """What the consortium has agreed about settlement."""
    return stub.create_composite_key("settlement", [])


def secret_marker(stub: Stub) -> str:
    """Which transaction made the secret of the book."""
    return stub.create_composite_key("book-secret", [])


def secret(stub: Stub, transaction: str) -> str:
    """The secret of the book, in the collection."""
    return stub.create_composite_key("secret", [transaction])


def tick(stub: Stub, organization: str) -> str:
    """An organisation's newest tick."""
    return stub.create_composite_key("tick", [organization])


def zone(stub: Stub, number: int) -> str:
    """A market zone by its number."""
    return stub.create_composite_key("zone", [str(number)])


def calendar(stub: Stub) -> str:
    """The local market days, as published for settlement."""
    return stub.create_composite_key("calendar", [])


def reference(stub: Stub, carrier: str) -> str:
    """The reference prices in force for a carrier."""
    return stub.create_composite_key("reference", [carrier])


def proposed(stub: Stub, carrier: str) -> str:
    """Reference prices that wait for a district to agree."""
    return stub.create_composite_key("reference-proposed", [carrier])


def session(stub: Stub, session_id: str) -> str:
    """A session: the key that every order for it reads."""
    return stub.create_composite_key("session", [session_id])


def debit(stub: Stub, period: int, transaction: str) -> str:
    """The debit that a transaction of a period carried out, as signed, in the collection."""
    return stub.create_composite_key("debit", [str(period), transaction])


def limit(stub: Stub, session_id: str) -> str:
    """What may flow between a session's zone and the one it is coupled with."""
    return stub.create_composite_key("limit", [session_id])


def tag(secret: bytes, *name: str | int) -> str:
    """What stands for a name in keys: HMAC-SHA256, hex."""
    spelt = "\x00".join(str(part) for part in name)
    return hmac.digest(secret, spelt.encode(), "sha256").hex()


def hidden(stub: Stub, secret: bytes, *name: str | int) -> str:
    """A private document that is read by its name."""
    return stub.create_composite_key("book", [tag(secret, *name)])


def marked(stub: Stub, kind: str, owner: str, identifier: str) -> str:
    """A private document and its public marker; `owner` is a tag, or a session's public id."""
    return stub.create_composite_key(kind, [owner, identifier])
