# SPDX-License-Identifier: Apache-2.0
"""A record's form: what the gateway reads of it before anyone verifies its signature.

The natural key of a record is (district, device, pagination); equality is equality of payload
bytes, never of signatures, because anyone can make a second valid signature of the same payload.
"""

import hashlib
from dataclasses import dataclass

from pedchain_domain import ocmf
from pedchain_domain.reasons import DomainError


@dataclass(frozen=True, slots=True)
class Key:
    """A record's natural key. `pagination` is OCMF's: context letter and counter (`F12`)."""

    district: str
    device: str
    pagination: str


@dataclass(frozen=True, slots=True)
class Form:
    """A record that has the right form. Digests are SHA-256, of the payload and of all bytes."""

    key: Key
    payload_digest: bytes
    record_digest: bytes
    record: bytes


class FormError(Exception):
    """The bytes are no record. `reason` is the domain's stable slug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read(district: str, record: bytes) -> Form:
    """Read one record's form. Raises `FormError`."""
    try:
        parsed = ocmf.parse(record)
    except DomainError as error:
        raise FormError(str(error.reason)) from error
    return Form(
        key=Key(district, parsed.device, f"{parsed.context}{parsed.counter}"),
        payload_digest=hashlib.sha256(parsed.payload).digest(),
        record_digest=hashlib.sha256(record).digest(),
        record=record,
    )
