# SPDX-License-Identifier: Apache-2.0
"""Sites of a shard added up to a partial/1: flows, coverage, bounds, scope (rules M, R9, V2).

What stands below a grid connection (heat pumps, chargers, heat, gas, distances) is detail: sums by
"kind.role" that enter no electricity balance. A boundary's own meter (FEEDER) is summed apart.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedchain_domain import bounds, limits, plan, registers
from pedchain_domain.calendar import Day
from pedchain_domain.factors import Intensity
from pedchain_domain.intervals import BRIDGED, MEASURED, MISSING, SUBSTITUTE, Series
from pedchain_domain.reasons import Reason

Document = dict[str, Any]
LETTERS = (MEASURED, BRIDGED, SUBSTITUTE, MISSING)
_CONTRIBUTED = ("I", "E", "G", "C", "Ch", "D")
_PROFILES = {("HP", "I"): "HP", ("EVSE", "Ch"): "EV", ("EVSE", "I"): "EV"}
_BOUNDARY_CARRIERS = ("HEAT_IN", "GAS")
_IN_PLANS = frozenset(("GCP", "GEN", "STO", "HYB"))
_COMMON, _DECLARED = "UNIT.common", "MOB.declared"


@dataclass(frozen=True, slots=True)
class Frame:
    """What all sites of a step share."""

    day: Day
    grain: int
    count: int
    intensity: Intensity
    intensities: list[int | None]
    history: Sequence[Document]
    by_capacity: bool


class Sums:
    """Adds sites up; `document` is the partial/1 that `dayclose` completes."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.zones: dict[str, dict[str, list[int]]] = {}
        self.flows = {name: [0] * frame.count for name in ("G", "C", "Ch", "D")}
        self.numbers = dict.fromkeys(
            ("sites", "battery_wh", "unmetered_w", "connections_w", "residual", "covered_site"), 0
        )
        self.feeder = dict.fromkeys(("points", "I", "E", "missing"), 0)
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
            if kind == "FEEDER":
                self._feed(roles)
            elif kind not in _IN_PLANS:
                self._detail(about[point], roles)
        if site["plan"] == plan.BOUNDARY:
            return []
        balance = plan.balance(site["plan"], series, self.frame.count)
        self._declare(site)
        self._common(series, balance)
        self._flows(site, balance)
        self._cover(balance.classes)
        below = [
            (point, role, one.values, one.classes)
            for point, roles in sorted(found.items())
            if about[point]["kind"] not in _IN_PLANS
            for role, one in sorted(roles.items())
        ]
        self._describe(site, balance, below)
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

    def _feed(self, roles: Mapping[str, Series]) -> None:
        """The boundary's own meter: a check, part of no balance (M2)."""
        self.feeder["points"] += 1
        for role, one in roles.items():
            self.feeder[role] += sum(one.values)
            self.feeder["missing"] += one.classes.count(MISSING)

    def _declare(self, site: Document) -> None:
        """Combustion mileage a household declares, metres of an average day (I9)."""
        metres = site.get("combustion_m_per_day", 0)
        if metres:
            self.detail[_DECLARED] = self.detail.get(_DECLARED, 0) + metres
            self._contribute(_DECLARED, metres)

    def _common(self, series: plan.Registers, balance: plan.Balance) -> None:
        """What a building uses beside its units (P6): detail, where all of its meters are known."""
        units = series.get(("UNIT", "I"))
        if not units:
            return
        part = plan.common_part(balance.flows["C"], [unit.values for unit in units])
        letters = [*balance.classes, *(unit.classes for unit in units)]
        known = [at for at in range(len(part)) if all(one[at] != MISSING for one in letters)]
        amount = sum(part[at] for at in known)
        unknown = len(part) - len(known)
        for name, value in ((_COMMON, amount), (f"{_COMMON}_unknown", unknown)):
            self.detail[name] = self.detail.get(name, 0) + value
        self._contribute(_COMMON, amount)

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

    def _describe(self, site: Document, balance: plan.Balance, below: Sequence[Any]) -> None:
        self.numbers["sites"] += 1
        self.numbers["connections_w"] += site["connection_w"]
        self.numbers["battery_wh"] += site.get("battery_wh", 0)
        self.numbers["unmetered_w"] += site.get("unmetered_generation_w", 0)
        for carrier in ("heating", "vehicles"):
            name = f"{carrier}.{site[carrier]}"
            self.scope[name] = self.scope.get(name, 0) + 1
        # What a later run changes anywhere at the site counts as its change (C3).
        shown = repr((sorted(balance.flows.items()), balance.classes, below))
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
            "feeder": self.feeder,
        }
