# SPDX-License-Identifier: Apache-2.0
"""State keys of the origin contract. A private one holds a keyed hash of the account and the
certificate's random id: nothing to be guessed from its hash on the public ledger."""

import hmac

from pedchain_fabric.shim import Stub

CERTIFICATE = "gc"


def issuing(stub: Stub) -> str:
    """The first and last day issued, and how far the open one has come."""
    return stub.create_composite_key("origin-issuing", [])


def issued(stub: Stub, day: str) -> str:
    """What was issued for a day, as far as rule C2 lets it be printed."""
    return stub.create_composite_key("origin", [day])


def debit_marker(stub: Stub, day: str, transaction_id: str) -> str:
    """That a debit was made while a day was the last one issued."""
    return stub.create_composite_key("origin-debit", [day, transaction_id])


def foreign(stub: Stub, registry: str) -> str:
    """A foreign registry and the key of its receipts."""
    return stub.create_composite_key("origin-foreign", [registry])


def left(stub: Stub, mark: str) -> str:
    """That certificates of a register's hour left; settlement says what stands for it."""
    return stub.create_composite_key("origin-left", [mark])


def followed(stub: Stub, day: str, cell: int) -> str:
    """That a cell's certificates of a day went with what was sold and shared of it."""
    return stub.create_composite_key("origin-followed", [day, str(cell)])


def owner(secret: bytes, account: str) -> str:
    """The part of a certificate's key that stands for its owner: HMAC-SHA256, hex."""
    return hmac.digest(secret, b"owner\x00" + account.encode(), "sha256").hex()


def certificate(stub: Stub, secret: bytes, account: str, identifier: str) -> str:
    """A certificate of an owner, or the pointer of whom it was cancelled for."""
    return stub.create_composite_key(CERTIFICATE, [owner(secret, account), identifier])
