# SPDX-License-Identifier: Apache-2.0
"""Folding a filing period: which record of a device's counters counts, and what it read, by day.

Batches are appended blindly; here they are judged. Rows of a shard's devices are taken in the
order filed and sorted by (device, counter); `counters` says which of them count. What these read
is filed by delivery day.

    fold/1   {schema, salt, period, shard, day,
              series: {device: {"t": [instant], "s": [instants of substitutes], role: [whole]}},
              charged: {device: [[counter, role, [[instant, whole]...]]]} (transactions, R7; only
              where there are some), seeds: {device: hex32}}
    edges/1  {schema, salt, shard, day, series: {device: {role: [first_t, first, last_t, last]}}}

Folds of several periods merge into one. All rows of a device's period belong into one call.
Registers are not compared here: only the day's close knows the neighbours on both sides
(`intervals`). Of two registers of a device at one instant the first filed stands, so that no
device rewrites what it said; but a later substitute of the DSO corrects an earlier register of
its device (the trail and the batches keep both).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pedchain_domain import calendar, transactions
from pedchain_domain.calendar import Day
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
_TIMES, _SUBSTITUTES = "t", "s"


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
    series: dict[str, Document] = {}
    seeds: dict[str, list[str]] = {}
    charged: dict[str, list[Any]] = {}
    for one in folds:
        for device, found in one.get("charged", {}).items():
            charged.setdefault(device, []).extend(found)
        for device, columns in one["series"].items():
            before = series.get(device)
            series[device] = columns if before is None else _merged(before, columns)
        for device, seed in one["seeds"].items():
            seeds.setdefault(device, []).append(seed)
    merged = {
        **folds[-1],
        "salt": derive_salt("merge", [one["salt"] for one in folds]),
        "series": series,
        "seeds": {device: derive_salt("seed", parts) for device, parts in seeds.items()},
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
    """Readings by delivery day, device, instant and role; transactions by day and device."""

    def __init__(self, rows: Sequence[Day], grain: int) -> None:
        self.rows, self.grain = rows, grain
        self.days: dict[str, dict[str, dict[int, dict[str, Any]]]] = {}
        self.charged: dict[str, dict[str, list[Any]]] = {}
        self.marks: dict[str, dict[str, list[str]]] = {}
        self.served: dict[int, list[str]] = {}

    def file(self, row: Row, status: Reason) -> Reason:
        """File a counting row's readings; `no-calendar` if none has a day."""
        device = transactions.device_of(row[0])
        if device is not None:
            return self._transaction(device, row, status)
        lost = bool(row[5])
        for instant, role, value, kind in row[5]:
            for day in self._days(instant):
                lost = False
                at = self.days.setdefault(day, {}).setdefault(row[0], {}).setdefault(instant, {})
                if kind == "S":
                    at[role] = value
                    at[_SUBSTITUTES] = True
                at.setdefault(role, value)
                self._mark(day, row[0], row[3])
        return Reason.NO_CALENDAR if lost else status

    def _transaction(self, device: str, row: Row, status: Reason) -> Reason:
        """File a transaction whole under each day it touches."""
        lost = bool(row[5])
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

    def _days(self, instant: int) -> list[str]:
        if instant not in self.served:
            found = calendar.days_at(self.rows, instant, calendar.tolerance(self.grain))
            self.served[instant] = [row["day"] for row in found]
        return self.served[instant]

    def document(self, day: str, period: int, shard: int, salt: str) -> Document:
        document = {
            "schema": "fold/1",
            "salt": derive_salt("fold", [salt, day]),
            "period": period,
            "shard": shard,
            "day": day,
            "series": {device: _columns(found) for device, found in self.days.get(day, {}).items()},
            "seeds": {
                device: derive_salt("seed", marks) for device, marks in self.marks[day].items()
            },
        }
        charged = self.charged.get(day)
        return {**document, "charged": charged} if charged else document


def _columns(found: Mapping[int, Mapping[str, Any]]) -> Document:
    times = sorted(found)
    roles: dict[str, None] = {}
    for at in times:
        roles.update(dict.fromkeys(found[at]))
    columns: Document = {_TIMES: times}
    for role in roles:
        if role == _SUBSTITUTES:
            columns[role] = [at for at in times if _SUBSTITUTES in found[at]]
        else:
            columns[role] = [found[at].get(role) for at in times]
    return columns


def _by_instant(columns: Document) -> dict[int, dict[str, Any]]:
    substitutes = columns.get(_SUBSTITUTES, [])
    found: dict[int, dict[str, Any]] = {}
    for position, at in enumerate(columns[_TIMES]):
        found[at] = {
            role: values[position]
            for role, values in columns.items()
            if role not in (_TIMES, _SUBSTITUTES) and values[position] is not None
        }
        if at in substitutes:
            found[at][_SUBSTITUTES] = True
    return found


def _merged(first: Document, second: Document) -> Document:
    found = _by_instant(second)
    for at, values in _by_instant(first).items():
        later = found.get(at, {})
        corrects = _SUBSTITUTES in later
        found[at] = {**values, **later} if corrects else {**later, **values}
    return _columns(found)


def _edges(document: Document) -> Document:
    series = {
        device: {
            role: _outermost(columns[_TIMES], values)
            for role, values in columns.items()
            if role not in (_TIMES, _SUBSTITUTES)
        }
        for device, columns in document["series"].items()
    }
    return {
        "schema": "edges/1",
        "salt": derive_salt("edges", [document["salt"]]),
        "shard": document["shard"],
        "day": document["day"],
        "series": series,
    }


def _outermost(times: Sequence[int], values: Sequence[int | None]) -> list[int]:
    held = [(at, value) for at, value in zip(times, values, strict=True) if value is not None]
    return [*held[0], *held[-1]]
