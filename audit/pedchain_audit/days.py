# SPDX-License-Identifier: Apache-2.0
"""Step 7, second half: days closed anew, certificates recomputed and compared."""

from dataclasses import dataclass
from typing import Any

from pedchain_audit.filing import Filing
from pedchain_audit.registry import Registry
from pedchain_domain import balance, certificate, dayclose, points, publication
from pedchain_domain import calendar as calendars
from pedchain_domain import roster as rosters
from pedchain_domain import window as windows
from pedchain_domain.documents import parameters
from pedchain_domain.limits import BRIDGE_DAYS, HISTORY_DAYS

Document = dict[str, Any]
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
        self.prints: dict[tuple[int, str, str], Document] = {}
        self.sums: dict[tuple[str, str], tuple[Document, int]] = {}
        self.totals: dict[tuple[str, str], tuple[Document, str]] = {}
        self.windows: dict[str, Document] = {}
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
        roster = registry.roster(cell)
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
        before = self.totals.get((close.day, BEFORE.get(close.run, "")))
        return None if before is None else before[1]

    def publish(self, close: Close, batches: str, registry: Registry) -> Document:
        """The certificate that the day's readings make. KeyError where no cell was closed."""
        district = registry.district(close.day)
        rows = registry.calendar(district)
        row = calendars.find(rows, close.day)
        setting = parameters(district)
        total, changed = self.sums.pop((close.day, close.run))
        window = self.windows.get(close.run) or windows.empty(setting.window_days)
        computed = balance.day_totals(
            total, row, district, registry.factors(district), windows.mean(window)
        )
        totals, printed = self._in_print(close, computed, publication.held(changed, setting))
        if month_ends(rows, close.day):
            correction = self.true_ups.get(close.run)
            if correction is not None and correction["month"] == close.day[:7]:
                totals = publication.with_true_up(totals, correction)
        totals = publication.marked(totals, setting)
        leaving = windows.leaving(window)
        outgoing = self.totals.get((leaving, close.run)) if leaving else None
        window = windows.advance(window, totals, outgoing[0] if outgoing else None)
        self.windows[close.run] = window
        self.totals[close.day, close.run] = (totals, printed)
        return certificate.build(district, row, close.run, totals, window, batches)

    def _in_print(self, close: Close, computed: Document, held: bool) -> tuple[Document, str]:
        former = self.totals.get((close.day, BEFORE.get(close.run, "")))
        if former is None or not held:
            return computed, close.run
        before = self.true_ups.get(close.run)
        self.true_ups[close.run] = publication.true_up(before, former[0], computed)
        return former


def month_ends(rows: list[calendars.Day], day: str) -> bool:
    """Whether the calendar's next day is of another month."""
    later = sorted(str(row["day"]) for row in rows if row["day"] > day)
    return not later or later[0][:7] != day[:7]
