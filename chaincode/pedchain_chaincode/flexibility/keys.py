# SPDX-License-Identifier: Apache-2.0
"""State keys of demand response in a district's definition, and of orders in settlement's."""

from typing import Final

from pedchain_fabric.shim import Stub

COLLECTION: Final = "flex"


def secret_marker(stub: Stub) -> str:
    """Which transaction made the secret of the store."""
    return stub.create_composite_key("flex-secret", [])


def secret(stub: Stub, transaction: str) -> str:
    """The secret, in the collection."""
    return stub.create_composite_key("flex-secret", [transaction])


def hidden(stub: Stub, tag: str) -> str:
    """A private document by the keyed hash of its name."""
    return stub.create_composite_key("flex", [tag])


def moved(stub: Stub) -> str:
    """That private documents may stand under their second key."""
    return stub.create_composite_key("flex-moved", [])


def kept(stub: Stub, kind: str) -> str:
    """Up to which day documents of a kind (`days`, `orders`) were purged."""
    return stub.create_composite_key("flex-kept", [kind])


def erasure(stub: Stub, transaction: str) -> str:
    """That a transaction erased something."""
    return stub.create_composite_key("flex-erased", [transaction])


def share(stub: Stub, day: str) -> str:
    """How far the sharing of a day has come, and by which run it was done."""
    return stub.create_composite_key("flex-share", [day])


def live(stub: Stub, day: str, identifier: str) -> str:
    """That an order of settlement is accepted, by the day (UTC) it begins on."""
    return stub.create_composite_key("flex-live", [day, identifier])


def order(stub: Stub, identifier: str) -> str:
    """An order of settlement, public."""
    return stub.create_composite_key("flex-order", [identifier])
