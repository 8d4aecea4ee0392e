# SPDX-License-Identifier: Apache-2.0
"""Closing a day shard by shard: merged folds to partial district sums (rules M, R, V2, C).

    partial/1 {schema, salt, shard, day, sites, battery_wh, unmetered_w,
               zones: {zone: {I, E, GI, GE: [Wh per interval]}},  GI, GE: the bridged parts
               flows: {G, C, Ch, D: [Wh per interval]}, residual: Wh, covered_site: Wh,
               profiles: {HP, EV: [Wh per interval]}, detail: {"kind.role": units},
               unseen: {kind: Wh} of silent heat and gas meters,
               contributions: {number: [sites, largest]}, coverage: [known, profile, required]
               register-seconds, classes: {M, G, S, X: register-intervals}, bounds,
               scope: {"heating.metered": sites, ...}, prints: {site: digest}, root: hex,
               findings: [[reason, point or site, instant]]}
    total/1   the same summed over shards, with `roots: {shard: hex}` and no prints
    draws/1   {schema, salt, shard, day, sites: {site: [Wh | null by clock index]}}
    intervals/1 {schema, salt, shard, day, points: {point: {seed, root, registers: {role: [[Wh],
               classes]}}}}

Sums are exact integers, so shards may be added in any order and steps of any size.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pedchain_domain import bounds, leaves, limits, merkle, plan, points, registers
from pedchain_domain.calendar import Day
from pedchain_domain.documents import parameters
from pedchain_domain.factors import Intensity
from pedchain_domain.intervals import BRIDGED, MEASURED, MISSING, SUBSTITUTE, Series
from pedchain_domain.readings import derive_salt
from pedchain_domain.reasons import Reason
from pedchain_domain.text import hex_bytes

Document = dict[str, Any]
LETTERS = (MEASURED, BRIDGED, SUBSTITUTE, MISSING)
_CONTRIBUTED = ("I", "E", "G", "C", "Ch", "D")
_PROFILES = {("HP", "I"): "HP", ("EVSE", "Ch"): "EV", ("EVSE", "I"): "EV"}
_BOUNDARY_CARRIERS = ("HEAT_IN", "GAS")
_IN_PLANS = frozenset(("GCP", "GEN", "STO", "HYB"))


class Closed(NamedTuple):
    """A shard's part of a day. If `needs_history` is set and none was given, a missing draw was
    bound by the connection's power: load draws/1 of the days before and close again."""

    partial: Document
    draws: Document
    intervals: Document
    needs_history: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all sites of the step share."""

    day: Day
    grain: int
    count: int
    intensity: Intensity
    intensities: list[int | None]
    history: Sequence[Document]
    by_capacity: bool


def close_shard(
    day: Day,
    fold: Document | None,
    roster: Document,
    district: Document,
    factors: Document,
    *,
    before: Sequence[Document] = (),
    after: Sequence[Document] = (),
    history: Sequence[Document] = (),
) -> Closed:
    """Close a shard's day.

    `fold` is the day's merged fold/1 or None if nothing was filed; `before` and `after` are
    edges/1 of neighbouring days, nearest first (`points.needs` says when they matter); `history`
    are draws/1 of up to 28 days before.
    """
    grain: int = district["grain"]
    frame = _Frame(
        day,
        grain,
        (day["end"] - day["start"]) // grain,
        intensity := Intensity(factors),
        intensity.series(day["start"], day["end"], grain),
        history[: limits.HISTORY_DAYS],
        parameters(district).bound_by_capacity == 1,
    )
    series = points.of_shard(day, fold, roster, grain, before, after)
    anchors = [edges["salt"] for edges in (*before, *after)]
    tree = _tree(series, fold, roster, frame, anchors)
    salt = derive_salt("close", [day["day"], *[tree[point]["seed"] for point in tree]])
    partial, draws = _sites(series, roster, frame)
    partial |= {
        "salt": derive_salt("partial", [salt]),
        "shard": roster["shard"],
        "root": leaves.nested_root([hex_bytes(tree[point]["root"]) for point in tree]).hex(),
    }
    common = {"shard": roster["shard"], "day": day["day"]}
    return Closed(
        partial,
        {"schema": "draws/1", "salt": derive_salt("draws", [salt]), **common, "sites": draws},
        {"schema": "intervals/1", "salt": salt, **common, "points": tree},
        partial["bounds"]["draw"] > 0 and not frame.by_capacity,
    )


def add(total: Document | None, partial: Document) -> Document:
    """The total with one more shard. The first shard gives the day its shape."""
    if total is None:
        kept = {name: partial[name] for name in partial if name not in ("shard", "root", "prints")}
        return {**kept, "schema": "total/1", "roots": {str(partial["shard"]): partial["root"]}}
    both = {name: _plus(total[name], partial[name]) for name in _ADDED}
    return {
        **total,
        **both,
        "salt": derive_salt("total", [total["salt"], partial["salt"]]),
        "contributions": _contributions(total["contributions"], partial["contributions"]),
        "bounds": bounds.add(total["bounds"], partial["bounds"]),
        "findings": [*total["findings"], *partial["findings"]][: limits.FINDINGS],
        "roots": {**total["roots"], str(partial["shard"]): partial["root"]},
    }


def changed(former: Document | None, partial: Document) -> int:
    """Sites whose day differs from a former run's partial of the shard (rules C3)."""
    before = {} if former is None else former["prints"]
    now = partial["prints"]
    names = dict.fromkeys([*before, *now])
    return sum(1 for site in names if before.get(site) != now.get(site))


def district_root(total: Document) -> str:
    """The root over the shards' roots, by shard number."""
    shards = sorted(total["roots"], key=int)
    return leaves.nested_root([hex_bytes(total["roots"][shard]) for shard in shards]).hex()


_ADDED = (
    "sites", "battery_wh", "unmetered_w", "zones", "flows", "residual", "covered_site",
    "profiles", "detail", "unseen", "coverage", "classes", "scope",
)  # fmt: skip


def _plus(first: Any, second: Any) -> Any:
    """Sum of two like structures: integers, lists by position, objects by key."""
    if isinstance(first, int):
        return first + second
    if isinstance(first, list):
        return [a + b for a, b in zip(first, second, strict=True)]
    merged = dict(first)
    for name, value in second.items():
        merged[name] = _plus(merged[name], value) if name in merged else value
    return merged


def _contributions(first: Document, second: Document) -> Document:
    merged = dict(first)
    for name, (sites, largest) in second.items():
        before, most = merged.get(name, [0, 0])
        merged[name] = [before + sites, max(most, largest)]
    return merged


def _tree(
    series: Mapping[str, Mapping[str, Series]],
    fold: Document | None,
    roster: Document,
    frame: _Frame,
    anchors: Sequence[str],
) -> dict[str, Document]:
    """Seed, root and registers of each point. A point without a record of the day is bridged by
    what lies beside it, so the anchors' salts stand in for its marks: its leaves are no guess."""
    seeds: dict[str, list[str]] = {}
    for device, seed in sorted(({} if fold is None else fold["seeds"]).items()):
        known = roster["devices"].get(device)
        if known is not None:
            seeds.setdefault(known["point"], []).append(seed)
    tree = {}
    for point, roles in series.items():
        secrets = seeds.get(point, anchors)
        seed = derive_salt("point", [point, frame.day["day"], *secrets])
        hashes = leaves.interval_leaves(point, seed, frame.day["start"], frame.grain, roles)
        tree[point] = {
            "seed": seed,
            "root": merkle.root(hashes).hex(),
            "registers": {role: [one.values, one.classes] for role, one in sorted(roles.items())},
        }
    return tree


def _sites(
    series: Mapping[str, Mapping[str, Series]], roster: Document, frame: _Frame
) -> tuple[Document, Document]:
    of_site: dict[str, list[str]] = {}
    for point in series:
        of_site.setdefault(roster["points"][point]["site"], []).append(point)
    sums = _Sums(frame)
    draws = {}
    for site in sorted(roster["sites"]):
        about = roster["sites"][site]
        until = about.get("to")
        if about["from"] >= frame.day["end"] or (until and until <= frame.day["start"]):
            continue
        found = {point: series[point] for point in of_site.get(site, [])}
        draws[site] = sums.site(about, found, roster["points"])
    return sums.document(), draws


class _Sums:
    """Adds sites up."""

    def __init__(self, frame: _Frame) -> None:
        self.frame = frame
        self.zones: dict[str, dict[str, list[int]]] = {}
        self.flows = {name: [0] * frame.count for name in ("G", "C", "Ch", "D")}
        self.numbers = dict.fromkeys(
            ("sites", "battery_wh", "unmetered_w", "residual", "covered_site"), 0
        )
        self.profiles: dict[str, list[int]] = {}
        self.detail: dict[str, int] = {}
        self.unseen: dict[str, int] = {}
        self.contributions: dict[str, list[int]] = {}
        self.coverage = [0, 0, 0]
        self.classes = dict.fromkeys(LETTERS, 0)
        self.bounds = bounds.empty()
        self.scope: dict[str, int] = {}
        self.prints: dict[str, str] = {}
        self.findings: list[list[Any]] = []

    def site(
        self,
        site: Document,
        found: Mapping[str, Mapping[str, Series]],
        about: Mapping[str, Document],
    ) -> list[int | None]:
        """Add a site; its draws by clock index."""
        series: dict[tuple[str, str], list[Series]] = {}
        for point, roles in found.items():
            kind = about[point]["kind"]
            for role, one in roles.items():
                series.setdefault((kind, role), []).append(one)
                self._findings(point, one)
            if kind not in _IN_PLANS:
                self._detail(about[point], roles)
        balance = plan.balance(site["plan"], series, self.frame.count)
        self._flows(site, balance)
        self._cover(balance.classes)
        self._describe(site, balance)
        power = max((about[p]["p_max_w"] for p in found if about[p]["kind"] == "GCP"), default=0)
        return self._bound(site, balance, series, power)

    def _findings(self, name: str, one: Series) -> None:
        room = limits.FINDINGS - len(self.findings)
        for reason, instant in one.findings[: max(0, room)]:
            self.findings.append([str(reason), name, instant])

    def _detail(self, point: Document, roles: Mapping[str, Series]) -> None:
        kind = point["kind"]
        for role, one in roles.items():
            if kind in _BOUNDARY_CARRIERS:
                most = registers.cap(point["p_max_w"], self.frame.grain, self.frame.grain)
                unseen = one.classes.count(MISSING) * most
                self.unseen[kind] = self.unseen.get(kind, 0) + unseen
            name, amount = f"{kind}.{role}", sum(one.values)
            self.detail[name] = self.detail.get(name, 0) + amount
            self._contribute(name, amount)
            profile = _PROFILES.get((kind, role))
            if profile is not None:
                self._add(self.profiles, profile, one.values)

    def _flows(self, site: Document, balance: plan.Balance) -> None:
        flows = balance.flows
        zone = self.zones.setdefault(site["zone"], {})
        for name in ("I", "E"):
            self._add(zone, name, flows[name])
        for name, values in self.flows.items():
            self._add(self.flows, name, flows[name], values)
        for name in _CONTRIBUTED:
            self._contribute(name, sum(flows[name]))
        self._contribute("L", sum(flows["C"]) + sum(flows["Ch"]) - sum(flows["D"]))
        self.numbers["residual"] += sum(balance.residual)
        self.numbers["covered_site"] += sum(flows["C"]) - sum(flows["I"])

    def _add(
        self,
        sums: dict[str, list[int]],
        name: str,
        values: Sequence[int],
        before: list[int] | None = None,
    ) -> None:
        held = sums.get(name) if before is None else before
        sums[name] = (
            list(values) if held is None else [a + b for a, b in zip(held, values, strict=True)]
        )

    def _contribute(self, name: str, amount: int) -> None:
        sites, largest = self.contributions.get(name, [0, 0])
        self.contributions[name] = [sites + (amount != 0), max(largest, abs(amount))]

    def _cover(self, classes: Sequence[str]) -> None:
        grain = self.frame.grain
        for letters in classes:
            counts = {letter: letters.count(letter) for letter in LETTERS}
            profile = counts[MEASURED] + counts[SUBSTITUTE]
            self.coverage[0] += (profile + counts[BRIDGED]) * grain
            self.coverage[1] += profile * grain
            self.coverage[2] += len(letters) * grain
            for letter, count in counts.items():
                self.classes[letter] += count

    def _describe(self, site: Document, balance: plan.Balance) -> None:
        self.numbers["sites"] += 1
        self.numbers["battery_wh"] += site.get("battery_wh", 0)
        self.numbers["unmetered_w"] += site.get("unmetered_generation_w", 0)
        for carrier in ("heating", "vehicles"):
            name = f"{carrier}.{site[carrier]}"
            self.scope[name] = self.scope.get(name, 0) + 1
        shown = repr((sorted(balance.flows.items()), balance.classes))
        self.prints[site["id"]] = hashlib.sha256(shown.encode()).hexdigest()[:16]
        for at in balance.invalid[: max(0, limits.FINDINGS - len(self.findings))]:
            instant = self.frame.day["start"] + at * self.frame.grain
            self.findings.append([str(Reason.IMPLAUSIBLE_SITE), site["id"], instant])

    def _bound(
        self,
        site: Document,
        balance: plan.Balance,
        series: plan.Registers,
        power: int,
    ) -> list[int | None]:
        frame, letters = self.frame, balance.classes[0]
        bound, bridged = bounds.empty(), 0
        if MISSING in letters:
            earlier = [] if frame.by_capacity else self._history(site["id"])
            bound = bounds.of_missing(
                letters, frame.day, frame.grain, site["connection_w"], earlier, frame.intensities
            )
        for role in ("I", "E"):
            for one in series.get(("GCP", role), ()):
                bridged += len(one.spans)
                bound = bounds.add(bound, self._bridged(site["zone"], role, one, power))
        self.bounds = bounds.add(self.bounds, bound)
        # How much one silent home is given is that home's business: counted so that rule C2
        # decides whether worst-case figures may be printed.
        self._contribute("draw", bound["draw"] + (bridged > 0))
        return bounds.draws_of(balance.flows["I"], letters, frame.day, frame.grain)

    def _history(self, site: str) -> list[list[int | None]]:
        return [day["sites"][site] for day in self.frame.history if site in day["sites"]]

    def _bridged(self, zone: str, role: str, one: Series, power: int) -> Document:
        """Keep what is bridged apart (a lower bound of sharing uses the measured part), and bound
        what its profile could hide."""
        if BRIDGED in one.classes:
            values = [
                value if letter == BRIDGED else 0
                for value, letter in zip(one.values, one.classes, strict=True)
            ]
            self._add(self.zones[zone], f"G{role}", values)
        bound = bounds.empty()
        for span in one.spans:
            part = bounds.of_span(
                span,
                is_import=role == "I",
                day=self.frame.day,
                grain=self.frame.grain,
                power_w=power,
                intensity=self.frame.intensity,
                intensities=self.frame.intensities,
            )
            bound = bounds.add(bound, part)
        return bound

    def document(self) -> Document:
        return {
            "schema": "partial/1",
            "day": self.frame.day["day"],
            "zones": self.zones,
            "flows": self.flows,
            **self.numbers,
            "profiles": self.profiles,
            "detail": self.detail,
            "unseen": self.unseen,
            "contributions": self.contributions,
            "coverage": self.coverage,
            "classes": self.classes,
            "bounds": self.bounds,
            "scope": self.scope,
            "prints": self.prints,
            "findings": self.findings,
        }
