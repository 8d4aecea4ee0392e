# SPDX-License-Identifier: Apache-2.0
"""What is already known about a record, and what follows from it. Pure.

The rules, in order:
1. The same payload is recorded: `duplicate`, with the first receipt (also for another signature).
2. The very same bytes were answered for good, or rejected a short while ago: the same answer.
3. The very same bytes, or the same payload, are in a transaction whose outcome is not known: ask.
4. Anything else is submitted; what the ledger accepts beside another recorded payload is a
   `conflict` (`submission.record_result`), kept there once as evidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pedchain_gateway import limits
from pedchain_gateway.intake.form import Form
from pedchain_gateway.intake.index import PENDING, Known
from pedchain_gateway.intake.verdict import Status, Verdict


@dataclass(frozen=True, slots=True)
class Ask:
    """Find out first what became of this transaction, noted `at` (epoch seconds)."""

    transaction: str
    at: float


@dataclass(frozen=True, slots=True)
class Submit:
    """Nothing known stands in the way."""


def decide(form: Form, known: Iterable[Known], now: float) -> Verdict | Ask | Submit:
    """Apply the rules to what is remembered under the form's key."""
    remembered = list(known)
    same_payload = [one for one in remembered if one.payload_digest == form.payload_digest]
    for one in same_payload:
        if one.status == Status.RECORDED:
            return Verdict(Status.DUPLICATE, one.reason, one.transaction)
    for one in same_payload:
        if one.record_digest == form.record_digest and _stands(one, now):
            return one.verdict()
    for one in same_payload:
        if one.status == PENDING and one.transaction is not None:
            return Ask(one.transaction, one.at)
    return Submit()


def _stands(one: Known, now: float) -> bool:
    if one.status == PENDING:
        return False
    return one.status != Status.REJECTED or now - one.at < limits.REJECTION_REMEMBERED_S
