# SPDX-License-Identifier: Apache-2.0
"""Charging transactions: OCMF `T` records of a charger, energy by interval (rules R7).

A transaction begins with a register (B), may hold some on the way (C) and ends with one (E, or one
of OCMF's other ends). Its energy is E - B, exact; between registers that stand on interval
boundaries it is measured (M), else spread by seconds (G). It is detail below the grid connection
(M4): it enters no balance. OCMF counts `T` records apart from `F` records, so their rows and
trails carry a device name of their own, `<device>/T`.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pedchain_domain import calendar, columns, intervals, registers
from pedchain_domain.calendar import Day
from pedchain_domain.columns import Columns
from pedchain_domain.intervals import BRIDGED, MEASURED, MISSING, Register, Series
from pedchain_domain.ocmf import Record
from pedchain_domain.reasons import Reason

CONTEXT = "T"
_MARK = "/T"
_BEGIN, _MIDDLE = "B", ("C", "X", "T", "S")
ENDS = ("E", "L", "R", "A", "P")

Knots = list[list[int]]


def row_name(device: str) -> str:
    """The name under which a device's transactions are counted."""
    return device + _MARK


def device_of(name: str) -> str | None:
    """The device of a transactions' name; None for a plain device."""
    return name.removesuffix(_MARK) if name.endswith(_MARK) else None


def is_whole(record: Record) -> bool:
    """Whether a record holds a transaction from its begin to its end."""
    reasons = [reading.reason for reading in record.readings]
    inner = reasons[1:-1]
    return (
        len(reasons) > 1
        and reasons[0] == _BEGIN
        and reasons[-1] in ENDS
        and all(reason in (_BEGIN, *_MIDDLE, *ENDS) for reason in inner)
    )


def by_role(found: Columns) -> dict[str, Knots]:
    """A row's columns as knots by role, where there are two."""
    knots = {role: columns.knots(found, role) for role in columns.roles(found)}
    return {role: each for role, each in knots.items() if len(each) > 1}


def days_of(rows: Sequence[Day], knots: Knots) -> list[str]:
    """Names of the days a transaction touches."""
    start, end = knots[0][0], knots[-1][0]
    found = []
    at: int = start
    while at < max(end, start + 1):
        row = calendar.day_at(rows, at)
        if row is None:
            break
        found.append(row["day"])
        at = row["end"]
    return found


def without(charged: Mapping[str, list[Any]], since: Mapping[str, int]) -> dict[str, list[Any]]:
    """Transactions without those that a compromised device ended at or after the instant."""
    return {
        device: kept
        for device, found in charged.items()
        if (kept := [one for one in found if one[2][-1][0] < since.get(device, one[2][-1][0] + 1)])
    }


def series(
    found: Sequence[Sequence[Any]], role: str, day: Day, grain: int, register: Register
) -> Series | None:
    """A day of a charger's transactions of one role; None if there are none.

    Outside them nothing is said (X). Of two that overlap the earlier begun stands; one that falls
    or rises beyond its point's power is set aside; both are findings.
    """
    start, end = day["start"], day["end"]
    values, letters = [0] * ((end - start) // grain), [MISSING] * ((end - start) // grain)
    findings: list[tuple[Reason, int]] = []
    until = 0
    ours = sorted((knots[0][0], counter, knots) for counter, of, knots in found if of == role)
    for begun, _, knots in ours:
        reason = Reason.OVERLAPPING if begun < until else _fault(knots, grain, register)
        if reason is not None:
            findings.append((reason, begun))
            continue
        until = knots[-1][0]
        for before, after in pairwise(knots):
            _add(values, letters, before, after, start, grain)
    if not ours:
        return None
    return Series(values, "".join(letters), [], findings)


def _fault(knots: Knots, grain: int, register: Register) -> Reason | None:
    for (before, first), (after, last) in pairwise(knots):
        if after < before or last < first:
            return Reason.DECREASE
        most = registers.cap(register.power_w, after - before, grain) if after > before else 0
        if last - first > most:
            return Reason.SPIKE
    return None


def _add(
    values: list[int],
    letters: list[str],
    before: Sequence[int],
    after: Sequence[int],
    start: int,
    grain: int,
) -> None:
    """The energy between two registers onto the day's intervals."""
    (since, first), (until, last) = before, after
    whole = since % grain == 0 and until - since == grain
    for cell, part in intervals.transaction(since, until, last - first, grain).items():
        at = (cell - start) // grain
        if 0 <= at < len(values):
            values[at] += part
            letters[at] = MEASURED if whole else BRIDGED
