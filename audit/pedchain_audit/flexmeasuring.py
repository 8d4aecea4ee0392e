# SPDX-License-Identifier: Apache-2.0
"""Step 10, after the event: statements of a district's portfolio, its subtotals, its users' weights
(rules D4 to D10, D17), cell by cell as the contract went."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pedchain_audit import flexown
from pedchain_audit.flexchoice import Choice, FlexibilityError, same
from pedchain_audit.flexpapers import Papers
from pedchain_audit.flexstore import Store, Written

Document = dict[str, Any]
Sold = Callable[[str], Mapping[int, int]]
"""Wh that were sold to peers through a point, by hour."""


@dataclass(slots=True)
class Measuring:
    """A district's part of an order, as far as it was measured and paid."""

    choice: Choice
    after: int = -1
    sums: list[list[int]] = field(default_factory=list)
    weights: dict[str, list[Any]] = field(default_factory=dict)
    sites: int = 0
    ordered: int = 0
    paid: str = ""
    given: int = 0
    statements: dict[int, dict[str, Document]] = field(default_factory=dict)

    @property
    def contributed(self) -> int:
        """Wh of all sites."""
        return sum(wh for wh, _ in self.weights.values())

    def step(
        self, store: Store, papers: Papers, kept: Document, written: Written, sold: Sold
    ) -> int:
        """The cells of one step, whose state the contract left as `kept`; how many statements.
        Raises `FlexibilityError`."""
        self.sums = self.sums or [[0, 0] for _ in self.choice.event.event]
        last, before = kept["after"], self.sites
        for cell in sorted({*self.choice.plan["cells"].values()}):
            if self.after < cell <= last:
                self._cell(store, papers, cell, written, sold)
        self.after = last
        told = {"after": last, "sums": self.sums, "weights": self.weights}
        told |= {"sites": self.sites, "ordered": self.ordered}
        same(told, {one: kept[one] for one in told}, "an order's subtotals")
        return self.sites - before

    def done(self, sums: list[list[int]], part: Document) -> None:
        """What settlement's book and the order say at the end. Raises `FlexibilityError`."""
        left = [cell for cell in self.choice.plan["cells"].values() if cell > self.after]
        same(([], self.sums), (left, sums), "an order's subtotals")
        same(self.contributed, part["contributed"], "what an order's sites contributed")
        same(self.ordered, part["ordered"], "what an order's portfolio was asked")

    def _cell(self, store: Store, papers: Papers, cell: int, written: Written, sold: Sold) -> None:
        choice, event = self.choice, self.choice.event
        name = event.order["id"]
        asked = sorted(site for site, at in choice.plan["cells"].items() if at == cell)
        sites = [site for site in asked if papers.is_acknowledged(name, site)]
        kept = written.get(store.tag("statements", name, cell))
        found = {} if kept is None else kept.document["sites"]
        same(sites, sorted(found), "an order's portfolio")
        today = store.get("shared", cell, event.clock.row["day"])
        if today is None or today["run"] not in ("F", "FINAL"):
            raise FlexibilityError("a day was measured that no run has settled")
        figures = {site: today["sites"].get(site) or nothing(today) for site in sites}
        made = {site: event.generation(one) for site, one in figures.items() if one["g"]}
        energies = choice.energies()
        for site in sites:
            statement = event.statement(
                figures[site],
                _days(choice, store, cell, site),
                energies[site] * event.order["count"],
                choice.period,
                [pair for other, pair in made.items() if other != site],
                _own(choice, today, figures[site], site),
                flexown.lowered(event, sold(choice.storage[site]))
                if site in choice.storage
                else (),
            )
            same(statement, found[site], f"{site}'s statement")
            self._add(site, statement)
            self.ordered += energies[site]
        if found:
            self.statements[cell] = found

    def _add(self, site: str, statement: Document) -> None:
        pairs = zip(self.sums, statement["baseline"], statement["measured"], strict=True)
        for row, base, measured in pairs:
            row[0] += base
            row[1] += measured
        self.weights[site] = [statement["contributed"], self.choice.plan["accounts"][site]]
        self.sites += 1


def _own(choice: Choice, today: Document, figure: Document, site: str) -> list[int] | None:
    """A site's baseline where the order's rule makes it of the day itself."""
    event = choice.event
    if not event.is_own:
        return None
    past, schedule = event.past(today, figure), choice.schedules.get(site)
    return flexown.base(event, event.clock.row, past, schedule, event.shown)


def _days(choice: Choice, store: Store, cell: int, site: str) -> list[tuple[str, Any]]:
    """A site's frozen days as they stand now, newest first."""
    found = []
    for day in choice.days[site]:
        shared = store.get("shared", cell, day)
        if shared is not None and site in shared["sites"]:
            found.append((day, choice.event.past(shared, shared["sites"][site])))
    return found


def nothing(shared: Document) -> Document:
    """A site's day of which nothing was shared."""
    row = shared["day"]
    count = (row["end"] - row["start"]) // shared["grain"]
    return {"f": [0] * count, "c": "X" * count, "g": [], "gw": 0, "p": []}
