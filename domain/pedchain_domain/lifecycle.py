# SPDX-License-Identifier: Apache-2.0
"""The life of a device: which state it is in, and which change its state allows.

    active --suspend--> suspended --resume--> active
    active, suspended --rotate--> as before, with another key
    active, suspended, revoked --exchange--> ended
    any --revoke--> revoked (or ended, with a counter from which nothing is taken any more)

A revoked or ended device never signs again: its place is taken by another device, registered or
claimed anew and joined to it by an exchange. So whoever stole a key cannot rotate to one of his
own after the theft was noticed.
"""

from collections.abc import Mapping
from typing import Any, Final

from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]
ACTIVE, SUSPENDED, REVOKED, ENDED = "active", "suspended", "revoked", "ended"
STATES: Final = (ACTIVE, SUSPENDED, REVOKED, ENDED)
ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    "rotate/1": (ACTIVE, SUSPENDED),
    "suspend/1": (ACTIVE,),
    "resume/1": (SUSPENDED,),
    "exchange/1": (ACTIVE, SUSPENDED, REVOKED),
    "revoke/1": STATES,
}


def state_of(device: Document) -> str:
    """The state of a device as the roster keeps it."""
    if device["to"] is not None:
        return ENDED
    if "revoked" in device:
        return REVOKED
    windows = device.get("suspended", [])
    return SUSPENDED if windows and windows[-1][1] is None else ACTIVE


def require(device: Document, change: str) -> None:
    """DomainError `wrong-state` unless the device's state allows the change (a schema)."""
    state = state_of(device)
    if state not in ALLOWED[change]:
        raise DomainError(Reason.WRONG_STATE, state)


def suspended_at(device: Document, instant: int) -> bool:
    """Whether what the device measured at the instant falls into a suspension."""
    return any(
        since <= instant and (until is None or instant < until)
        for since, until in device.get("suspended", [])
    )
