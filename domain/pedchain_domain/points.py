# SPDX-License-Identifier: Apache-2.0
"""A day's series of every point of a shard, from folds, neighbours' edges and exchanges.

A point's registers may come from several devices: one after the other (a signed exchange joins
them into one series), or beside each other (then the DSO's word stands before a calibrated
meter's, and that before an agent's: rules R8). A charger's transactions stand behind any register
of its point.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from pedchain_domain import transactions
from pedchain_domain.calendar import Day, tolerance
from pedchain_domain.documents import AUTHORITIES
from pedchain_domain.intervals import (
    BRIDGED,
    EXCHANGED,
    MEASURED,
    MISSING,
    SUBSTITUTE,
    Knot,
    Register,
    Series,
    Span,
    missing,
    of_boundaries,
    of_register,
)
from pedchain_domain.reasons import Reason

Document = dict[str, Any]
_ORDER = {MEASURED: 0, SUBSTITUTE: 0, BRIDGED: 1, MISSING: 2}
_DIFFER_WH, _DIFFER_SHARE = 100, 100
_CHARGER = "EVSE"


class Needs(NamedTuple):
    """Whether some register at the day's start or end is unknown and an anchor before or after
    would tell more."""

    before: bool
    after: bool


def needs(
    day: Day,
    fold: Document | None,
    roster: Document,
    grain: int,
    before: Sequence[Document] = (),
    after: Sequence[Document] = (),
) -> Needs:
    """What the close still lacks, given the edges loaded so far (nearest day first on each side).

    A complete day needs none: its closing register is filed in it too.
    """
    lacks_before = lacks_after = False
    for identifier, device in roster["devices"].items():
        columns = {} if fold is None else fold["series"].get(identifier, {})
        if not columns and roster["points"][device["point"]]["kind"] == _CHARGER:
            continue  # it may speak in transactions only, which need no anchor (R7)
        times = columns.get("t", [])
        begun = device["from"] < day["start"] and not _near(times[:1], day["start"], grain)
        ends = _until(device, day) and not _near(times[-1:], day["end"], grain)
        lacks_before = lacks_before or (begun and not _held(before, identifier))
        lacks_after = lacks_after or (ends and not _held(after, identifier))
    return Needs(lacks_before, lacks_after)


def _near(times: Sequence[int], boundary: int, grain: int) -> bool:
    return any(abs(at - boundary) <= tolerance(grain) for at in times)


def _until(device: Document, day: Day) -> bool:
    alive = device["to"] is None or device["to"] > day["end"]
    return bool(alive and device["from"] <= day["end"])


def _held(edges: Sequence[Document], device: str) -> bool:
    return any(device in one["series"] for one in edges)


def of_shard(
    day: Day,
    fold: Document | None,
    roster: Document,
    grain: int,
    before: Sequence[Document] = (),
    after: Sequence[Document] = (),
) -> dict[str, dict[str, Series]]:
    """{point: {role: series}} of all points with a device on the day."""
    series, charged = ({}, {}) if fold is None else (fold["series"], fold.get("charged", {}))
    known = _Known(day, series, charged, before, after)
    devices: dict[str, list[str]] = {}
    for identifier in sorted(roster["devices"]):
        devices.setdefault(roster["devices"][identifier]["point"], []).append(identifier)
    return {
        point: _of_point(devices[point], roster, known, grain, roster["points"][point])
        for point in sorted(devices)
    }


class _Known(NamedTuple):
    day: Day
    series: Mapping[str, Document]
    charged: Mapping[str, list[Any]]
    before: Sequence[Document]
    after: Sequence[Document]

    def knots(self, device: str, role: str) -> list[Knot]:
        """The device's knots of the day between the nearest ones before and after it."""
        columns = self.series.get(device, {})
        values = columns.get(role)
        found = []
        if values is not None:
            substitutes = columns.get("s", ())
            found = [
                Knot(at, value, SUBSTITUTE if at in substitutes else MEASURED)
                for at, value in zip(columns["t"], values, strict=True)
                if value is not None
            ]
        low = found[0].instant if found else self.day["end"]
        high = found[-1].instant if found else self.day["start"]
        return [*self._anchor(self.before, device, role, 2, low), *found,
                *self._anchor(self.after, device, role, 0, high)]  # fmt: skip

    def _anchor(
        self, edges: Sequence[Document], device: str, role: str, at: int, bound: int
    ) -> list[Knot]:
        for one in edges:
            edge = one["series"].get(device, {}).get(role)
            if edge is not None:
                outside = edge[at] < bound if at else edge[at] > bound
                return [Knot(edge[at], edge[at + 1])] if outside else []
        return []


def _of_point(
    devices: Sequence[str], roster: Document, known: _Known, grain: int, point: Document
) -> dict[str, Series]:
    groups = _chains(devices, roster)
    roles: dict[str, list[tuple[int, Series]]] = {}
    for group in groups:
        newest = roster["devices"][group[-1]]
        rank = AUTHORITIES.index(newest.get("authority", "agent"))
        for register in newest["registers"].values():
            about = Register(
                point["p_max_w"], register.get("modulus_wh"), register.get("resolution_wh", 1)
            )
            series = _of_chain(group, register["role"], roster, known, grain, about)
            roles.setdefault(register["role"], []).append((rank, series))
            found = known.charged.get(group[-1], ()) if point["kind"] == _CHARGER else ()
            charged = transactions.series(found, register["role"], known.day, grain, about)
            if charged is not None:
                roles[register["role"]].append((len(AUTHORITIES), charged))
    return {role: _chosen(found) for role, found in roles.items()}


def _chains(devices: Sequence[str], roster: Document) -> list[list[str]]:
    """Devices of a point grouped by exchanges, old before new."""
    following = {one["old"]: one["new"] for one in roster["exchanges"]}
    later = dict.fromkeys(following.values())
    chains = []
    for device in devices:
        if device in later:
            continue
        chain = [device]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append(chain)
    return chains


def _of_chain(
    group: Sequence[str],
    role: str,
    roster: Document,
    known: _Known,
    grain: int,
    about: Register,
) -> Series:
    start, end = known.day["start"], known.day["end"]
    whole = _of_one(group, role, known, grain, about)
    if whole is not None:
        return whole
    sequences = [known.knots(device, role) for device in group]
    for at, (old, new) in enumerate(pairwise(group)):
        change = next(x for x in roster["exchanges"] if (x["old"], x["new"]) == (old, new))
        final, initial = change.get("final", {}), change.get("initial", {})
        if role in final and role in initial:
            sequences[at].append(Knot(change["at"], final[role], EXCHANGED))
            sequences[at + 1].insert(0, Knot(change["at"], initial[role], EXCHANGED))
    touching = [
        sorted(knots, key=lambda knot: knot.instant)
        for knots in sequences
        if any(knot.instant > start for knot in knots) and any(knot.instant < end for knot in knots)
    ]
    if not touching:
        return missing((end - start) // grain)
    return of_register(touching, start, end, grain, about)


def _of_one(
    group: Sequence[str], role: str, known: _Known, grain: int, about: Register
) -> Series | None:
    """The usual day of one device, all registers exactly at their boundaries, without knots."""
    if len(group) != 1:
        return None
    columns = known.series.get(group[0], {})
    if "s" in columns or role not in columns:
        return None
    if columns["t"] != list(range(known.day["start"], known.day["end"] + 1, grain)):
        return None
    return of_boundaries(columns[role], grain, about)


def _chosen(found: list[tuple[int, Series]]) -> Series:
    """Per interval the best source: measured before bridged before missing, then by authority."""
    if len(found) == 1:
        return found[0][1]
    ranked = [series for _, series in sorted(found, key=lambda one: one[0])]
    values, letters, spans = [], [], list[Span]()
    for at in range(len(ranked[0].values)):
        best = min(ranked, key=lambda series: _ORDER[series.classes[at]])
        values.append(best.values[at])
        letters.append(best.classes[at])
    for series in ranked:
        # Kept even where another source was chosen: a bound may be too wide, never too narrow.
        spans += series.spans
    findings = [finding for series in ranked for finding in series.findings]
    if _differ(ranked):
        findings.append((Reason.SOURCES_DIFFER, 0))
    return Series(values, "".join(letters), spans, findings)


def _differ(ranked: Sequence[Series]) -> bool:
    sums = [sum(series.values) for series in ranked if MISSING not in series.classes]
    if len(sums) < 2:
        return False
    widest = max(sums) - min(sums)
    return widest > max(_DIFFER_WH, max(sums) // _DIFFER_SHARE)
