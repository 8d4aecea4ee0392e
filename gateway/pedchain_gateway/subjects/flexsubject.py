# SPDX-License-Identifier: Apache-2.0
"""A data subject's part of demand response: its export, its erasure, and the retention's purge.

A district where nobody was ever offered a consent has nothing of the kind (`not-begun`).
"""

from collections.abc import Callable, Iterable
from typing import Any

from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Refused, Unavailable, definition_of
from pedchain_gateway.ledger.queries import ask_document
from pedchain_gateway.ledger.steps import private, submit_step

Document = dict[str, Any]
Say = Callable[[str], None]
KINDS = ("days", "orders")
YOUNG = (
    "demand response of days whose orders may still be settled (90 days), and consents that hold"
)


async def export(ledger: Ledger, district: str, site: str, day: str) -> Document | None:
    """All that stands about a site and a day; None where there is no demand response."""
    try:
        return await ask_document(
            ledger, definition_of(district), "flexibility:GetSubjectDay", site, day
        )
    except Refused as error:
        if error.reason != "not-begun":
            raise
        return None


async def erase(
    ledger: Ledger, district: str, about: Document, days: Iterable[str], say: Say
) -> int:
    """Erase the site in `about` {site, cell} from days, and what it consented to and declared; the
    number of transactions."""
    named = list(days)
    months = dict.fromkeys(day[:7] for day in named)
    asked = [{"day": day} for day in named] + [{"month": month} for month in months]
    done = 0
    for what in asked:
        sent = private(subject={**about, **what})
        try:
            await submit_step(ledger, definition_of(district), "flexibility:Erase", transient=sent)
        except Refused as error:
            if error.reason == "not-begun":
                return 0
            if error.reason != "too-early":
                raise
            continue
        done += 1
    say(f"demand response: {done} of {len(asked)} steps")
    say(f"not reached: {YOUNG}")
    return done


async def purge(
    ledger: Ledger, district: str, through: str, say: Say, kinds: Iterable[str] = KINDS
) -> int:
    """Purge shared days (after 185 days), and what orders left (after 456), of a district; the
    number of steps. Raises any `LedgerError`; `Refused` `too-early` where the day is younger."""
    steps = 0
    for kind in kinds:
        taken = await _purge(ledger, district, kind, through)
        steps += taken
        say(f"{district} {kind} of demand response purged through {through} in {taken} steps")
    return steps


async def _purge(ledger: Ledger, district: str, kind: str, through: str) -> int:
    definition, sent = definition_of(district), private()
    for step in range(1, limits.STEPS_PER_CALL_MAX + 1):
        try:
            answer = await submit_step(
                ledger, definition, "flexibility:Purge", kind, through, transient=sent
            )
        except Refused as error:
            if error.reason != "not-begun":
                raise
            return 0
        if answer == b"done":
            return step
    raise Unavailable("Purge does not come to an end")
