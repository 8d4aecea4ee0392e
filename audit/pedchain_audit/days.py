# SPDX-License-Identifier: Apache-2.0
"""Step 7, second half: days closed anew, certificates recomputed and compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedchain_audit.filing import Filing
from pedchain_audit.registry import Registry
from pedchain_domain import calendar as calendars
from pedchain_domain import dayclose, points
from pedchain_domain import roster as rosters
from pedchain_domain import window as windows
from pedchain_domain.intervals import MEASURED
from pedchain_domain.issue import MONTH_DAYS, Before, Issued, Rests, issue, month_ends
from pedchain_domain.limits import BRIDGE_DAYS, HISTORY_DAYS

Document = dict[str, Any]
#: The run whose intervals certificates of origin are issued from.
ISSUED, FINAL = "F", "FINAL"
HOUR = 3_600
#: Days whose newest intervals are kept for what is shared of them with an aggregator.
SHARED_DAYS = 130
BEFORE = {"F": "P", "FINAL": "F"}


@dataclass(frozen=True, slots=True)
class Close:
    """One run of one day, and the last period it rests on."""

    day: str
    run: str
    through: int


class Days:
    """What closing leaves behind, kept here instead of in the contract's private documents."""

    def __init__(self, filing: Filing) -> None:
        self.filing = filing
        self.draws: dict[tuple[int, str], Document] = {}
        self.intervals: dict[tuple[int, str, str], Document] = {}
        self.newest: dict[tuple[int, str], tuple[str, Document]] = {}
        self.prints: dict[tuple[int, str, str], Document] = {}
        self.sums: dict[tuple[str, str], tuple[Document, int]] = {}
        self.kept: dict[tuple[str, str], Document] = {}
        self.windows: dict[str, Document] = {}
        self.months: dict[str, Document] = {}
        self.true_ups: dict[str, Document] = {}

    def cells(self, close: Close, first: int, count: int, registry: Registry) -> None:
        """Closes cells `first` up to `count`; a close that starts again starts from nothing."""
        if first == 0:
            self.sums.pop((close.day, close.run), None)
        district = registry.district(close.day)
        row = calendars.find(registry.calendar(district), close.day)
        factors = registry.factors(district)
        for cell in range(first, count):
            partial, changed = self._cell(cell, close, row, district, factors, registry)
            total, before = self.sums.get((close.day, close.run), (None, 0))
            self.sums[close.day, close.run] = (dayclose.add(total, partial), before + changed)

    def _cell(
        self,
        cell: int,
        close: Close,
        row: calendars.Day,
        district: Document,
        factors: Document,
        registry: Registry,
    ) -> tuple[Document, int]:
        roster = registry.roster(cell, row["day"])
        fold = self.filing.merged(cell, close.day, close.through)
        fold = None if fold is None else rosters.without_doubtful(fold, roster)
        before, after = self._neighbours(cell, row, fold, roster, district["grain"])

        def closed(history: list[Document]) -> dayclose.Closed:
            return dayclose.close_shard(
                row, fold, roster, district, factors, before=before, after=after, history=history
            )

        found = closed([])
        if found.needs_history:
            names = [calendars.shifted(close.day, -back) for back in range(1, HISTORY_DAYS + 1)]
            found = closed([self.draws[cell, day] for day in names if (cell, day) in self.draws])
        self.draws[cell, close.day] = found.draws
        if close.run in (ISSUED, FINAL):
            self.intervals[cell, close.day, close.run] = found.intervals
        self.newest[cell, close.day] = (close.run, found.intervals)
        self.newest.pop((cell, calendars.shifted(close.day, -SHARED_DAYS)), None)
        former = self.prints.get((cell, close.day, self._printed(close) or ""))
        self.prints[cell, close.day, close.run] = {"prints": found.partial["prints"]}
        return found.partial, dayclose.changed(former, found.partial)

    def _neighbours(
        self, cell: int, row: calendars.Day, fold: Document | None, roster: Document, grain: int
    ) -> tuple[list[Document], list[Document]]:
        """Edges of the days before and after, nearest first, as far as the day needs them."""
        before: list[Document] = []
        after: list[Document] = []
        for distance in range(1, BRIDGE_DAYS + 1):
            needs = points.needs(row, fold, roster, grain, before, after)
            if not needs.before and not needs.after:
                break
            if needs.before:
                before += self._edges(cell, row, roster, -distance)
            if needs.after:
                after += self._edges(cell, row, roster, distance)
        return before, after

    def _edges(
        self, cell: int, row: calendars.Day, roster: Document, distance: int
    ) -> list[Document]:
        found = self.filing.edges.get((cell, calendars.shifted(row["day"], distance)))
        if found is None:
            return []
        doubted = roster.get("compromised", {})
        series = {name: roles for name, roles in found["series"].items() if name not in doubted}
        return [{**found, "series": series}]

    def _printed(self, close: Close) -> str | None:
        """The run whose sites are in print for the day."""
        before = self.kept.get((close.day, BEFORE.get(close.run, "")))
        return None if before is None else str(before["printed"])

    def measured(
        self, point: str, role: str, hour: int, row: calendars.Day, grain: int
    ) -> list[tuple[list[int], bool]]:
        """What a register measured in an hour of a day, by each run that settles: Wh by interval,
        and whether all of it is class M."""
        first = (hour - row["start"]) // grain
        last = first + HOUR // grain
        found = []
        for (_, day, _), closed in self.intervals.items():
            registers = closed["points"].get(point, {}).get("registers", {})
            if day == row["day"] and role in registers:
                values, classes = registers[role]
                found.append((list(values[first:last]), {*classes[first:last]} == {MEASURED}))
        return found

    def publish(
        self, close: Close, batches: str, registry: Registry, exported: Mapping[str, int]
    ) -> Issued:
        """The certificates that the day's readings make; `exported` is what of its certificates of
        origin left, by account. KeyError where no cell was closed."""
        district = registry.district(close.day)
        row = calendars.find(registry.calendar(district), close.day)
        total, changed = self.sums.pop((close.day, close.run))
        window = self.windows.get(close.run)
        leaving = windows.leaving(window) if window else None
        outgoing = self.kept.get((leaving, close.run)) if leaving else None
        before = Before(
            window=window,
            month=self.months.get(close.run),
            correction=self.true_ups.get(close.run),
            former=self.kept.get((close.day, BEFORE.get(close.run, ""))),
            outgoing=outgoing["entered"] if outgoing else None,
            certificate=registry.get("certificate", close.day),
            monthly=registry.get("monthly", close.day[:7]) if month_ends(close.day) else None,
            exported=exported,
        )
        rests = Rests(district, registry.factors(district), row, close.run, batches)
        issued = issue(rests, total, changed, before)
        self.windows[close.run], self.months[close.run] = issued.window, issued.month
        if issued.correction is not None:
            self.true_ups[close.run] = issued.correction
        self.kept[close.day, close.run] = issued.kept
        return issued

    def take_over(self, close: Close, held: list[Document], moved: Document | None) -> None:
        """Goes on with what the close left in the collection, where its readings are not here any
        more: the run's window, month and correction, and the day's totals. Later days then follow
        from these; what they say themselves is not redone."""
        self.sums.pop((close.day, close.run), None)
        for document in held:
            schema = document.get("schema")
            if schema == "true-up/1":
                self.true_ups[close.run] = document
            elif schema == "window/1":
                is_month = document["length"] == MONTH_DAYS
                (self.months if is_month else self.windows)[close.run] = document
            elif {"totals", "entered", "printed"} <= document.keys():
                self.kept[close.day, close.run] = document
        if moved is not None:
            self.kept[close.day, close.run] = moved
