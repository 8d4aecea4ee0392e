# SPDX-License-Identifier: Apache-2.0
"""Which counters of a device are used up, and by which payload (blueprint 4, ADR 8).

    head/1   {schema, salt, shard,
              devices: {device: [highest, [[gap_from, gap_to]], [[period, lowest, highest]]]}}
    trail/1  {schema, salt, period, shard, devices: {device: [[counter, digest, status]]},
              duplicates: {device: count}, gaps: {device: [[from, to]]}}

A counter takes one payload: the same again is a duplicate. Two payloads under one counter are a
conflict and kept as evidence: brought together, neither counts (else what is certified would
depend on the order of arrival, and a device could choose); brought later, the one of the earlier
period stands. Missing counters are gaps that later records may fill.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pedchain_domain import limits
from pedchain_domain.readings import Row, derive_salt
from pedchain_domain.reasons import Reason, reason_of, status_of

Document = dict[str, Any]
Known = Mapping[tuple[str, int], str]
_SPANS_KEPT = 32
# Trails keep 128 bits of a payload's digest: the batches keep the payloads themselves.
_DIGEST = 32
_CONTESTED = ""
# How many payloads of a contested counter are told apart from repeats of them.
_PAYLOADS_KEPT = 8


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


def contested(rows: Iterable[Row]) -> dict[tuple[str, int], None]:
    """Counters that come with more than one payload."""
    first: dict[tuple[str, int], str] = {}
    found: dict[tuple[str, int], None] = {}
    for row in rows:
        name = (row[0], row[1])
        if first.setdefault(name, row[2]) != row[2]:
            found[name] = None
    return found


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


class Counters:
    """Which counters of which device are used (the head), and by which payload."""

    def __init__(
        self,
        head: Document,
        seen: dict[tuple[str, int], str],
        period: int,
        contested: Mapping[tuple[str, int], None],
    ) -> None:
        self._contested = contested
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
            contested = (device, counter) in self._contested
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
