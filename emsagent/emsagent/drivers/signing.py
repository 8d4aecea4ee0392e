# SPDX-License-Identifier: Apache-2.0
"""Meters that sign themselves: their OCMF records go out byte for byte, under their own counters.

Such a meter needs no key here, and its signature stands above any agent's (rules R8). What is
checked is only what would make sending it pointless; the ledger checks the signature.
"""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from emsagent import limits
from emsagent.errors import DriverFault
from emsagent.outbox import Passed
from pedchain_domain import ocmf
from pedchain_domain.reasons import DomainError


@runtime_checkable
class SelfSigning(Protocol):
    """A driver that can bring signed records; `signs_itself` where it does."""

    @property
    def signs_itself(self) -> bool:
        """Whether its meter signs, and no key is needed here."""
        ...

    def records(self) -> list[bytes]:
        """Records that wait to be stored, oldest first; they wait on until `passed`."""
        ...

    def passed(self, records: Iterable[bytes]) -> None:
        """These are on the disk."""
        ...

    def refused(self, records: Iterable[bytes]) -> None:
        """These can be no records of this device, and are not kept."""
        ...


def checked(record: bytes, device: str) -> Passed:
    """A record as the outbox takes it. Raises `DriverFault`."""
    if len(record) > limits.MESSAGE_BYTES_MAX or b"\n" in record:
        raise DriverFault("record", "too long, or of several lines")
    try:
        parsed = ocmf.parse(record)
    except DomainError as error:
        raise DriverFault("record", str(error.reason)) from error
    if parsed.device != device:
        raise DriverFault("device", "the record names another device")
    if not parsed.readings and not parsed.extensions:
        raise DriverFault("record", "it holds no reading")
    last = max(one.instant for one in (*parsed.readings, *parsed.extensions))
    return Passed(device, parsed.counter, record, last)
