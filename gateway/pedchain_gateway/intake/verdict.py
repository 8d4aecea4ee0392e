# SPDX-License-Identifier: Apache-2.0
"""What the gateway says about one record, and how a contract's status byte becomes that."""

from dataclasses import dataclass
from enum import StrEnum

from pedchain_domain.reasons import Reason, reason_of


class Status(StrEnum):
    """The answer in one word.

    Final: `recorded` (committed), `duplicate` (was recorded before, same receipt), `rejected`,
    `conflict` (another payload stands at this counter). Not final: `unknown` (ask, or send the
    same bytes again), `retry` (nothing happened, send the same bytes again), `spooled` (on this
    gateway's disk, for who asked for that: it goes to the ledger by itself).
    """

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    RETRY = "retry"
    SPOOLED = "spooled"


FINAL = frozenset({Status.RECORDED, Status.DUPLICATE, Status.REJECTED, Status.CONFLICT})


@dataclass(frozen=True, slots=True)
class Verdict:
    """One record's answer: status, stable reason, the transaction that is its receipt."""

    status: Status
    reason: str
    transaction: str | None = None


UNREADABLE = "unreadable-status"
_STATUS = {
    Reason.RECORDED: Status.RECORDED,
    Reason.NOT_CERTIFIABLE: Status.RECORDED,
    Reason.DUPLICATE: Status.DUPLICATE,
    Reason.CONFLICT: Status.CONFLICT,
}


def from_result(result: bytes, position: int, transaction: str) -> Verdict:
    """The verdict at a position of a contract's answer (one status byte per record)."""
    try:
        reason = reason_of(result[position])
    except IndexError:
        # A contract newer than this gateway, or a broken one: the record is on the ledger,
        # but what it was judged to be is not ours to guess.
        return Verdict(Status.UNKNOWN, UNREADABLE, transaction)
    return Verdict(_STATUS.get(reason, Status.REJECTED), str(reason), transaction)
