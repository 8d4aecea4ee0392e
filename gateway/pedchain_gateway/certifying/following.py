# SPDX-License-Identifier: Apache-2.0
"""Letting certificates of origin go with what was sold and shared (rules P2): due, and by anyone,
once a day is issued, settled and shared."""

from collections.abc import Callable

from pedchain_domain.calendar import shifted
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Unavailable, definition_of
from pedchain_gateway.ledger.queries import ask_document
from pedchain_gateway.ledger.steps import private, submit_step

MORE, WAITS = b"more", b"waits"


async def follow(ledger: Ledger, district: str, report: Callable[[str], None]) -> list[str]:
    """Follow every day that is issued, back to where settlement has shown all it will; the days
    that are done. Raises any `LedgerError`."""
    definition = definition_of(district)
    state = await ask_document(ledger, definition, "origin:GetIssuing")
    day, done = state.get("last", ""), []
    for _ in range(limits.FOLLOWED_DAYS_MAX):
        if not state.get("first", "~") <= day:
            break
        waiting = await _day(ledger, district, day)
        if waiting == 0:
            done.append(day)
            report(f"{district} {day} certificates went with what was sold and shared")
        elif waiting:
            report(f"{district} {day} {waiting} cells wait for what can still be sold or shared")
        day = shifted(day, -1)
    return done


async def _day(ledger: Ledger, district: str, day: str) -> int | None:
    """How many cells still wait; None where nothing was left to do."""
    definition = definition_of(district)
    found = await ask_document(ledger, definition, "origin:GetFollowed", day)
    left = [cell for cell in range(found["cells"]) if cell not in found["done"]]
    if not left:
        return None
    endorsing = await readers(ledger, district)
    return sum([await _cell(ledger, definition, day, cell, endorsing) for cell in left])


async def _cell(ledger: Ledger, definition: str, day: str, cell: int, endorsing: list[str]) -> bool:
    """Whether the cell still waits."""
    asked = (definition, "origin:FollowDay", day, str(cell))
    for _ in range(limits.STEPS_PER_CALL_MAX):
        step = await submit_step(ledger, *asked, transient=private(), endorsing=endorsing)
        if step != MORE:
            return step == WAITS
    raise Unavailable("FollowDay does not come to an end")


async def readers(ledger: Ledger, district: str) -> list[str]:
    """The organisations that read a district's certificates and the operators' book both. Fabric
    plans by the policies of all that is read, and one of settlement's cannot read the first."""
    found = await ask_document(ledger, "registry", "GetDistrict", district)
    return [found["dso"], found["operator"]]
