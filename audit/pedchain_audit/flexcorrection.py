# SPDX-License-Identifier: Apache-2.0
"""Step 10, run FINAL: what a settled order is put right by, and who owes it to whom (D7, D10).

The baseline stays as it was settled; measured is what the run knows, as far as it knows it. Users
only get more, and the two sides owe each other what each would have got.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pedchain_audit.flexchoice import FlexibilityError, same
from pedchain_audit.flexmeasuring import Measuring, nothing
from pedchain_audit.flexrules import Event, Money, beside, parted
from pedchain_audit.flexstore import Store, Written

Document = dict[str, Any]
Credits = list[tuple[str | None, int]]
OPEN: Document = {"phase": "open"}


@dataclass(slots=True)
class Part:
    """A district's corrected subtotals; `added` is the last site that got more."""

    after: int = -1
    sums: list[list[int]] = field(default_factory=list)
    weights: dict[str, list[Any]] = field(default_factory=dict)
    added: str = ""


@dataclass(slots=True)
class Correction:
    """A settled order, its districts as they were measured, and its result."""

    order: Document
    money: Money
    measured: Mapping[str, Measuring]
    result: Document
    parts: dict[str, Part] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=dict)

    def step(self, store: Store, district: str, found: Document, written: Written) -> None:
        """Some cells of a district corrected; `found` is what the order says of it. Raises
        `FlexibilityError`."""
        settled, name = self.measured[district], self.order["id"]
        part = self.parts.setdefault(district, Part())
        part.sums = part.sums or [[0, 0] for _ in settled.choice.event.event]
        kept = written.get(store.tag("remeasuring", name))
        if kept is None:
            raise FlexibilityError("a correction without its statements")
        last = kept.document["after"]
        for cell in sorted(settled.statements):
            if part.after < cell <= last:
                self._cell(store, settled, part, cell, written)
        part.after = last
        told = {"after": last, "sums": part.sums, "weights": part.weights}
        same(told, {one: kept.document[one] for one in told}, "a correction's subtotals")
        if found["phase"] == "measured":
            same(max(settled.statements, default=-1), last, "a correction's portfolio")
            same(_sum(part), found["contributed"], "what a corrected order's sites contributed")

    def _cell(
        self, store: Store, settled: Measuring, part: Part, cell: int, written: Written
    ) -> None:
        event, name = settled.choice.event, self.order["id"]
        today = store.get("shared", cell, event.clock.row["day"])
        if today is None or today["run"] != "FINAL":
            raise FlexibilityError("a correction before run FINAL")
        kept = written.get(store.tag("corrected", name, cell))
        found = {} if kept is None else kept.document["sites"]
        made = {
            site: corrected(event, before, today["sites"].get(site) or nothing(today))
            for site, before in settled.statements[cell].items()
        }
        same(made, found, "corrected statements")
        for site in sorted(made):
            pairs = zip(part.sums, made[site]["baseline"], made[site]["measured"], strict=True)
            for row, base, measured in pairs:
                row[0] += base
                row[1] += measured
            account = settled.choice.plan["accounts"][site]
            part.weights[site] = [made[site]["contributed"], account]

    def finish(self, after: Document) -> None:
        """The result anew, and what is owed. Raises `FlexibilityError`."""
        event = next(iter(self.measured.values())).choice.event
        sums = [self.parts[name].sums for name in self.order["districts"]]
        moved = [
            event.moved(sum(b for b, _ in row), sum(m for _, m in row))
            for row in zip(*sums, strict=True)
        ]
        contributed = {name: _sum(part) for name, part in self.parts.items()}
        result, _, _ = self.money.settled(moved, contributed, 0)
        self.pools = result["pools"]
        more = (result["penalty"] - result["pay"]) - (self.result["penalty"] - self.result["pay"])
        supplier = max(0, result["supplier"] - self.result["supplier"])
        owed = {"issuer": max(0, -more), "provider": max(0, more), "supplier": supplier}
        nothing_due = {"issuer": not owed["issuer"], "provider": not (owed["provider"] + supplier)}
        names = ("delivered_wh", "deficiency_wh", "pay", "penalty", "supplier", "pools")
        told = {name: result[name] for name in names}
        told |= {"run": "FINAL", "owed": owed}
        told["paid"] = [side for side, is_done in nothing_due.items() if is_done]
        same(told, after["correction"], "a correction's result")

    def paid(self, before: Document, after: Document) -> Credits:
        """What is credited where a side pays what it owes; none if nobody does."""
        owed = after["correction"]["owed"]
        fresh = {*after["correction"]["paid"]} - {*before["correction"]["paid"]}
        if fresh == {"issuer"}:
            return [(self.order["provider"], owed["issuer"])]
        if fresh == {"provider"}:
            supplier = self.order["supplier"], owed["supplier"]
            return [(self.order["issuer"], owed["provider"]), supplier]
        return []

    def added(self, district: str, until: str) -> Credits:
        """What is credited where the provider pays a district's users what they get besides."""
        settled, part = self.measured[district], self.parts[district]
        before = {site: wh for site, (wh, _) in settled.weights.items()}
        after = {site: wh for site, (wh, _) in part.weights.items()}
        was = parted(self.result["pools"][district], before)
        now = parted(self.pools[district], after)
        due = [site for site in sorted(now) if part.added < site <= until]
        part.added = until
        return [(part.weights[site][1], max(0, now[site] - was[site])) for site in due]


def corrected(event: Event, before: Document, figure: Document) -> Document:
    """What run FINAL makes of a statement."""
    index, first = event.clock.index, before["shown"]["event"]
    last = first + len(event.event)
    letters = [figure["c"][index[at]] for at in event.shown]
    fresh = [figure["f"][index[at]] for at in event.shown]
    stood = list(before["shown"]["measured"])
    seen = [
        wh if letter != "X" else old for wh, letter, old in zip(fresh, letters, stood, strict=True)
    ]
    base = before["shown"]["baseline"]
    pairs = [
        (b, wh if letter != "X" else old)
        for b, wh, letter, old in zip(
            base[first:last],
            fresh[first:last],
            letters[first:last],
            before["measured"],
            strict=True,
        )
    ]
    payable = not {"too-few-days", "generation-off"} & {*before["flags"]}
    if not payable:
        pairs = [(m, m) if event.moved(b, m) > 0 else (b, m) for b, m in pairs]
    moved = sum(event.moved(*pair) for pair in pairs)
    after = [(b, wh) for b, wh in zip(base[last:], seen[last:], strict=True) if wh is not None]
    joined = zip(before["letters"], letters[first:last], strict=True)
    return {
        **before,
        "baseline": [b for b, _ in pairs],
        "measured": [m for _, m in pairs],
        "letters": "".join(old if new == "X" else new for old, new in joined),
        "shown": {"event": first, "baseline": base, "measured": seen},
        "contributed": min(max(moved, 0), before["dispatched"]) if payable else 0,
        "rebound": beside(after),
    }


def _sum(part: Part) -> int:
    return sum(wh for wh, _ in part.weights.values())
