# SPDX-License-Identifier: Apache-2.0
"""Folding a filing period: which record of a device's counters counts, and what it read, by day.

Batches are appended blindly; here they are judged. Rows of a shard's devices are taken in the
order filed and sorted by (device, counter). A counter takes one payload: the same again is a
duplicate. Two payloads under one counter are a conflict and kept as evidence: brought together,
neither counts (else what is certified would depend on the order of arrival, and a device could
choose); brought later, the one of the earlier period stands. Missing counters are gaps that later
records may fill. What the counting rows read is filed by delivery day.

    fold/1   {schema, salt, period, shard, day,
              series: {device: {"t": [instant], "s": [instants of substitutes], role: [whole]}},
              seeds: {device: hex32}}
    edges/1  {schema, salt, shard, day, series: {device: {role: [first_t, first, last_t, last]}}}
    trail/1  {schema, salt, period, shard, devices: {device: [[counter, digest, status]]},
              duplicates: {device: count}, gaps: {device: [[from, to]]}}
    head/1   {schema, salt, shard,
              devices: {device: [highest, [[gap_from, gap_to]], [[period, lowest, highest]]]}}

Folds of several periods merge into one. All rows of a device's period belong into one call.
Registers are not compared here: only the day's close knows the neighbours on both sides
(`intervals`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pedchain_domain import calendar, limits
from pedchain_domain.calendar import Day
from pedchain_domain.readings import Row, derive_salt
from pedchain_domain.reasons import Reason, reason_of, status_of

Document = dict[str, Any]
Known = Mapping[tuple[str, int], str]
_TIMES, _SUBSTITUTES = "t", "s"
_SPANS_KEPT = 32
# Trails keep 128 bits of a payload's digest: the batches keep the payloads themselves.
_DIGEST = 32
_CONTESTED = ""
# How many payloads of a contested counter are told apart from repeats of them.
_PAYLOADS_KEPT = 8


class Folded(NamedTuple):
    """What a step writes: folds and edges by day, the trail of the period, the head."""

    folds: dict[str, Document]
    edges: dict[str, Document]
    trail: Document
    head: Document


def empty_head(shard: int) -> Document:
    """The head of a shard that has seen no record."""
    return {
        "schema": "head/1",
        "salt": derive_salt("head", [str(shard)]),
        "shard": shard,
        "devices": {},
    }


def late(rows: Iterable[Row], head: Document) -> list[int]:
    """Periods whose trails hold counters that `rows` bring again, ascending: load those trails
    and pass `known(trails)` to `fold`."""
    periods: dict[int, None] = {}
    for row in rows:
        place = head["devices"].get(row[0])
        if place is None or row[1] > place[0] or _gap(place[1], row[1]) is not None:
            continue
        for period, lowest, highest in place[2]:
            if lowest <= row[1] <= highest:
                periods[period] = None
    return sorted(periods)


def known(trails: Iterable[Document]) -> dict[tuple[str, int], str]:
    """Payload digests by (device, counter) of what counted in these trails; "" where payloads
    were in conflict and none did."""
    conflict = status_of(Reason.CONFLICT)
    found: dict[tuple[str, int], str] = {}
    for trail in trails:
        for device, entries in trail["devices"].items():
            for counter, digest, status in entries:
                if status == conflict:
                    found.setdefault((device, counter), _CONTESTED)
                else:
                    found[(device, counter)] = digest
    return found


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
    counters = _Counters(head, dict(known or {}), period, _contested(rows))
    filed = _Filed(days, grain)
    for row in sorted(rows, key=lambda row: (row[0], row[1])):
        status = counters.judge(row)
        if status in (Reason.RECORDED, Reason.NOT_CERTIFIABLE):
            status = filed.file(row, status)
        counters.note(row, status)
    salt = derive_salt("period", [row[3] for row in rows])
    folds = {day: filed.document(day, period, shard, salt) for day in sorted(filed.days)}
    edges = {day: _edges(document) for day, document in folds.items()}
    return Folded(folds, edges, counters.trail(shard, salt), counters.head(shard, salt))


def _contested(rows: Iterable[Row]) -> dict[tuple[str, int], None]:
    """Counters that come with more than one payload."""
    first: dict[tuple[str, int], str] = {}
    found: dict[tuple[str, int], None] = {}
    for row in rows:
        name = (row[0], row[1])
        if first.setdefault(name, row[2]) != row[2]:
            found[name] = None
    return found


def merge(folds: Sequence[Document]) -> Document:
    """One fold of a day from those of several periods or steps, in the order filed: of two
    registers at one instant the first filed stands."""
    if len(folds) == 1:
        return folds[0]
    series: dict[str, Document] = {}
    seeds: dict[str, list[str]] = {}
    for one in folds:
        for device, columns in one["series"].items():
            before = series.get(device)
            series[device] = columns if before is None else _merged(before, columns)
        for device, seed in one["seeds"].items():
            seeds.setdefault(device, []).append(seed)
    return {
        **folds[-1],
        "salt": derive_salt("merge", [one["salt"] for one in folds]),
        "series": series,
        "seeds": {device: derive_salt("seed", parts) for device, parts in seeds.items()},
    }


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


def merge_trails(trails: Sequence[Document]) -> Document:
    """One trail of a period from those of its steps."""
    merged = {**trails[-1], "devices": {}, "duplicates": {}, "gaps": {}}
    for trail in trails:
        for device, entries in trail["devices"].items():
            merged["devices"][device] = [*merged["devices"].get(device, []), *entries]
        for device, count in trail["duplicates"].items():
            merged["duplicates"][device] = merged["duplicates"].get(device, 0) + count
        merged["gaps"].update(trail["gaps"])
    return merged


def verdict_of(trail: Document, device: str, counter: int) -> Reason | None:
    """What the fold made of a counter, by its period's trail; None if the trail has it not."""
    found = [entry for entry in trail["devices"].get(device, []) if entry[0] == counter]
    return reason_of(found[0][2]) if found else None


class _Counters:
    """Which counters of which device are used (the head), and by which payload."""

    def __init__(
        self,
        head: Document,
        seen: dict[tuple[str, int], str],
        period: int,
        contested: Mapping[tuple[str, int], None],
    ) -> None:
        self.contested = contested
        self.devices: dict[str, list[Any]] = dict(head["devices"])
        self.seen, self.period = seen, period
        self.entries: dict[str, list[list[Any]]] = {}
        self.duplicates: dict[str, int] = {}
        self.copied: dict[str, None] = {}

    def judge(self, row: Row) -> Reason:
        """The row's own status if its counter is new, else duplicate, conflict or too old."""
        device, counter, digest = row[0], row[1], row[2][:_DIGEST]
        place = self._place(device)
        if self._take(place, counter):
            contested = (device, counter) in self.contested
            self.seen[(device, counter)] = _CONTESTED if contested else digest
            self._span(place[2], counter)
            return Reason.CONFLICT if contested else reason_of(row[4])
        earlier = self.seen.get((device, counter))
        if earlier is None:
            return Reason.COUNTER_TOO_OLD
        return Reason.DUPLICATE if earlier == digest else Reason.CONFLICT

    def note(self, row: Row, status: Reason) -> None:
        """Write the row's status to the trail; duplicates are only counted."""
        entries = self.entries.setdefault(row[0], [])
        entry = [row[1], row[2][:_DIGEST], status_of(status)]
        if status == Reason.DUPLICATE or entry in entries[-_PAYLOADS_KEPT:]:
            self.duplicates[row[0]] = self.duplicates.get(row[0], 0) + 1
        else:
            entries.append(entry)

    def _place(self, device: str) -> list[Any]:
        if device not in self.copied:
            highest, gaps, spans = self.devices.get(device, [-1, [], []])
            self.devices[device] = [highest, [*gaps], [[*span] for span in spans]]
            self.copied[device] = None
        return self.devices[device]

    def _take(self, place: list[Any], counter: int) -> bool:
        highest, gaps = place[0], place[1]
        if counter > highest:
            if counter > highest + 1:
                gaps.append([highest + 1, counter - 1])
                del gaps[: -limits.OPEN_GAPS]
            place[0] = counter
            return True
        at = _gap(gaps, counter)
        if at is None:
            return False
        low, high = gaps[at]
        rest = [[low, counter - 1], [counter + 1, high]]
        gaps[at : at + 1] = [gap for gap in rest if gap[0] <= gap[1]]
        return True

    def _span(self, spans: list[list[int]], counter: int) -> None:
        for span in spans:
            if span[0] == self.period:
                span[1], span[2] = min(span[1], counter), max(span[2], counter)
                return
        spans.append([self.period, counter, counter])
        del spans[:-_SPANS_KEPT]

    def trail(self, shard: int, salt: str) -> Document:
        return {
            "schema": "trail/1",
            "salt": derive_salt("trail", [salt]),
            "period": self.period,
            "shard": shard,
            "devices": self.entries,
            "duplicates": self.duplicates,
            "gaps": {device: self.devices[device][1] for device in sorted(self.copied)},
        }

    def head(self, shard: int, salt: str) -> Document:
        return {
            "schema": "head/1",
            "salt": derive_salt("head", [salt]),
            "shard": shard,
            "devices": self.devices,
        }


def _gap(gaps: Sequence[Sequence[int]], counter: int) -> int | None:
    for at, (low, high) in enumerate(gaps):
        if low <= counter <= high:
            return at
    return None


class _Filed:
    """Readings by delivery day, device, instant and role."""

    def __init__(self, rows: Sequence[Day], grain: int) -> None:
        self.rows, self.grain = rows, grain
        self.days: dict[str, dict[str, dict[int, dict[str, Any]]]] = {}
        self.marks: dict[str, dict[str, list[str]]] = {}
        self.served: dict[int, list[str]] = {}

    def file(self, row: Row, status: Reason) -> Reason:
        """File a counting row's readings; `no-calendar` if none has a day."""
        lost = bool(row[5])
        for instant, role, value, kind in row[5]:
            for day in self._days(instant):
                lost = False
                at = self.days.setdefault(day, {}).setdefault(row[0], {}).setdefault(instant, {})
                at.setdefault(role, value)
                if kind == "S":
                    at[_SUBSTITUTES] = True
                marks = self.marks.setdefault(day, {}).setdefault(row[0], [])
                if not marks or marks[-1] != row[3]:
                    marks.append(row[3])
        return Reason.NO_CALENDAR if lost else status

    def _days(self, instant: int) -> list[str]:
        if instant not in self.served:
            found = calendar.days_at(self.rows, instant, calendar.tolerance(self.grain))
            self.served[instant] = [row["day"] for row in found]
        return self.served[instant]

    def document(self, day: str, period: int, shard: int, salt: str) -> Document:
        devices = self.days[day]
        return {
            "schema": "fold/1",
            "salt": derive_salt("fold", [salt, day]),
            "period": period,
            "shard": shard,
            "day": day,
            "series": {device: _columns(found) for device, found in devices.items()},
            "seeds": {
                device: derive_salt("seed", marks) for device, marks in self.marks[day].items()
            },
        }


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
        found[at] = {**found.get(at, {}), **values}
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
