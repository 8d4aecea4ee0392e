# SPDX-License-Identifier: Apache-2.0
"""Folding a filing period: which record of a device's counters counts, and what it read, by day.

Batches are appended blindly; here they are judged. Rows of a shard's devices are taken in the
order filed and sorted by (device, counter); `counters` says which of them count. What these read
is filed by delivery day.

    fold/1   {schema, salt, period, shard, day,
              series: {device: columns},
              charged: {device: [[counter, role, [[instant, whole]...]]]} (transactions, R7; only
              where there are some), seeds: {device: hex32}}
    edges/1  {schema, salt, shard, day, series: {device: {role: [first_t, first, last_t, last]}}}

Folds of several periods merge into one. All rows of a device's period belong into one call.
Registers are not compared here: only the day's close knows the neighbours on both sides
(`intervals`). Which of two registers of a device at one instant stands is said in `columns`; the
trail and the batches keep both.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pedchain_domain import calendar, columns, transactions
from pedchain_domain.calendar import Day
from pedchain_domain.columns import Columns
from pedchain_domain.counters import (
    Counters,
    Document,
    Known,
    contested,
    empty_head,
    known,
    late,
    merge_trails,
    verdict_of,
)
from pedchain_domain.readings import Row, derive_salt
from pedchain_domain.reasons import Reason

__all__ = [
    "Document",
    "Folded",
    "empty_head",
    "fold",
    "known",
    "late",
    "merge",
    "merge_edges",
    "merge_trails",
    "verdict_of",
]


class Folded(NamedTuple):
    """What a step writes: folds and edges by day, the trail of the period, the head."""

    folds: dict[str, Document]
    edges: dict[str, Document]
    trail: Document
    head: Document


def fold(
    rows: Sequence[Row],
    head: Document,
    days: Sequence[Day],
    *,
    period: int,
    shard: int,
    grain: int,
    known: Known | None = None,
) -> Folded:
    """The fold of a period, or of those devices of it whose rows are all here.

    `days` are calendar rows in ascending order; a reading on a day without a row is not filed
    (its record's status becomes `no-calendar`).
    """
    counters = Counters(head, dict(known or {}), period, contested(rows))
    filed = _Filed(days, grain)
    for row in sorted(rows, key=lambda row: (row[0], row[1])):
        status = counters.judge(row)
        if status in (Reason.RECORDED, Reason.NOT_CERTIFIABLE):
            status = filed.file(row, status)
        counters.note(row, status)
    salt = derive_salt("period", [row[3] for row in rows])
    folds = {day: filed.document(day, period, shard, salt) for day in sorted(filed.marks)}
    edges = {day: _edges(document) for day, document in folds.items()}
    return Folded(folds, edges, counters.trail(shard, salt), counters.head(shard, salt))


def merge(folds: Sequence[Document]) -> Document:
    """One fold of a day from those of several periods or steps, in the order filed."""
    if len(folds) == 1:
        return folds[0]
    parts: dict[str, list[Columns]] = {}
    seeds: dict[str, list[str]] = {}
    charged: dict[str, list[Any]] = {}
    for one in folds:
        for device, found in one.get("charged", {}).items():
            charged.setdefault(device, []).extend(found)
        for device, found in one["series"].items():
            parts.setdefault(device, []).append(found)
        for device, seed in one["seeds"].items():
            seeds.setdefault(device, []).append(seed)
    merged = {
        **folds[-1],
        "salt": derive_salt("merge", [one["salt"] for one in folds]),
        "series": {device: columns.join(found) for device, found in parts.items()},
        "seeds": {device: derive_salt("seed", marks) for device, marks in seeds.items()},
    }
    return {**merged, "charged": charged} if charged else merged


def merge_edges(edges: Sequence[Document]) -> Document:
    """The outermost registers of a day over several periods."""
    series: dict[str, dict[str, list[int]]] = {}
    for one in edges:
        for device, roles in one["series"].items():
            mine = series.setdefault(device, {})
            for role, (first_t, first, last_t, last) in roles.items():
                old = mine.get(role, [first_t, first, last_t, last])
                low = old[:2] if old[0] <= first_t else [first_t, first]
                high = old[2:] if old[2] >= last_t else [last_t, last]
                mine[role] = [*low, *high]
    return {**edges[-1], "series": series}


class _Filed:
    """Columns by delivery day and device; transactions by day and device."""

    def __init__(self, rows: Sequence[Day], grain: int) -> None:
        self.rows, self.tolerance = rows, calendar.tolerance(grain)
        self.days: dict[str, dict[str, list[Columns]]] = {}
        self.charged: dict[str, dict[str, list[Any]]] = {}
        self.marks: dict[str, dict[str, list[str]]] = {}
        self.touched: dict[tuple[int, int], list[Day]] = {}

    def file(self, row: Row, status: Reason) -> Reason:
        """File a counting row's readings; `no-calendar` if none has a day."""
        device = transactions.device_of(row[0])
        if device is not None:
            return self._transaction(device, row, status)
        lost = bool(row[5][columns.TIMES])
        for day in self._days(row[5][columns.TIMES]):
            # A register on a boundary serves the days on both sides of it (rules T3).
            first, last = day["start"] - self.tolerance, day["end"] + self.tolerance
            part = columns.part(row[5], first, last)
            if part is not None:
                lost = False
                self.days.setdefault(day["day"], {}).setdefault(row[0], []).append(part)
                self._mark(day["day"], row[0], row[3])
        return Reason.NO_CALENDAR if lost else status

    def _transaction(self, device: str, row: Row, status: Reason) -> Reason:
        """File a transaction whole under each day it touches."""
        lost = bool(row[5][columns.TIMES])
        for role, knots in transactions.by_role(row[5]).items():
            for day in transactions.days_of(self.rows, knots):
                lost = False
                filed = self.charged.setdefault(day, {}).setdefault(device, [])
                filed.append([row[1], role, knots])
                self._mark(day, device, row[3])
        return Reason.NO_CALENDAR if lost else status

    def _mark(self, day: str, device: str, mark: str) -> None:
        marks = self.marks.setdefault(day, {}).setdefault(device, [])
        if not marks or marks[-1] != mark:
            marks.append(mark)

    def _days(self, times: Sequence[int]) -> list[Day]:
        """Days that a record's readings may belong to: mostly the same as another's."""
        if not times:
            return []
        ends = times[0], times[-1]
        if ends not in self.touched:
            first, last = ends[0] - self.tolerance, ends[1] + self.tolerance
            self.touched[ends] = calendar.touched(self.rows, first, last)
        return self.touched[ends]

    def document(self, day: str, period: int, shard: int, salt: str) -> Document:
        document = {
            "schema": "fold/1",
            "salt": derive_salt("fold", [salt, day]),
            "period": period,
            "shard": shard,
            "day": day,
            "series": {
                device: columns.join(parts) for device, parts in self.days.get(day, {}).items()
            },
            "seeds": {
                device: derive_salt("seed", marks) for device, marks in self.marks[day].items()
            },
        }
        charged = self.charged.get(day)
        return {**document, "charged": charged} if charged else document


def _edges(document: Document) -> Document:
    return {
        "schema": "edges/1",
        "salt": derive_salt("edges", [document["salt"]]),
        "shard": document["shard"],
        "day": document["day"],
        "series": {device: columns.outermost(one) for device, one in document["series"].items()},
    }
