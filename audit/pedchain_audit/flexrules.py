# SPDX-License-Identifier: Apache-2.0
"""Demand response a second time, from the text of rules D: nothing of it is the contract's.

A site's day is its figure {f: Wh, c: class, g: Wh generated, gw: W, p: [[period, intervals]]}. All
sums are of integers; divisions round down.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isqrt
from typing import Any

Document = dict[str, Any]
Pairs = list[tuple[int, int]]
MILLION, HOUR, DAY = 1_000_000, 3_600, 86_400
LIKE_DAYS = {  # pool on working days, on others; least of them; highest and lowest left out
    "10of10": (10, 4, 5, 4, 0, 0),
    "high5of10": (10, 10, 10, 10, 0, 5),
    "high4of5": (5, 5, 5, 5, 0, 1),
    "mid8of10": (10, 10, 10, 10, 1, 1),
    "mean10": (10, 4, 5, 4, 0, 0),
}
OWN_DAY = (0, 0, 0, 0, 0, 0)


class Clock:
    """The intervals of a local day by what a clock on the wall shows (rules T5)."""

    def __init__(self, row: Document, grain: int) -> None:
        self.row, self.grain = row, grain
        self.index: dict[int, int] = {}
        for at in range((row["end"] - row["start"]) // grain):
            self.index.setdefault(self.place(row["start"] + at * grain), at)

    def place(self, instant: int) -> int:
        """The place of the interval that begins at an instant."""
        since = instant - self.row["start"]
        missing = DAY - (self.row["end"] - self.row["start"])
        change = (HOUR - self.row["start"]) % DAY  # clocks change at 01:00 UTC
        place: int = (since + (missing if since >= change else 0)) // self.grain
        return place


class Event:
    """An order in a district: the places it is judged by."""

    def __init__(self, order: Document, notice: int, clock: Clock) -> None:
        self.order, self.notice, self.clock = order, notice, clock
        grain, row = clock.grain, clock.row
        self.start = order["start"]
        self.end = self.start + order["count"] * grain
        anchor = min(self.notice, self.start)
        first = -((4 * HOUR - anchor) // grain) * grain
        self.wanted = list(range(first, (anchor - HOUR) // grain * grain, grain))
        inside = [at for at in self.wanted if at >= row["start"]]
        since = -(-max(self.notice, row["start"]) // grain) * grain
        begin = max(row["start"], min([self.start - 2 * HOUR, *inside]))
        until = min(self.end + 2 * HOUR, row["end"])
        self.event = self._places(range(self.start, self.end, grain))
        self.window = self._places(inside)
        self.waiting = self._places(range(since, self.start, grain))
        self.shown = self._places(range(begin, until, grain))
        self.is_less = order["direction"] == "down"
        self.is_working = row["type"] == "working"
        self.is_own = order["rule"] not in LIKE_DAYS
        self.rule = OWN_DAY if self.is_own else LIKE_DAYS[order["rule"]]
        self.most = self.rule[0 if self.is_working else 1]
        self.least = self.rule[2 if self.is_working else 3]

    def _places(self, instants: Iterable[int]) -> list[int]:
        return [self.clock.place(at) for at in instants]

    def moved(self, baseline: int, measured: int) -> int:
        """How far a measured energy lies in the ordered direction, Wh."""
        return baseline - measured if self.is_less else measured - baseline

    # -- days ---------------------------------------------------------------------------------

    def past(self, shared: Document, figure: Document) -> dict[int, int]:
        """A shared day by place, as far as it was measured (class M)."""
        index = Clock(shared["day"], self.clock.grain).index
        return {place: figure["f"][at] for place, at in index.items() if figure["c"][at] == "M"}

    def is_like(self, shared: Document, past: Mapping[int, int], ordered: Iterable[str]) -> bool:
        """Whether a day may stand for the event's."""
        row = shared["day"]
        same = (row["type"] == "working") == self.is_working
        whole = all(place in past for place in (*self.event, *self.window))
        return same and whole and row["day"] not in ordered

    def counted(self, pool: Sequence[Mapping[int, int]]) -> list[Mapping[int, int]]:
        """The days of a pool, newest first, without its highest and lowest."""
        left = list(pool)
        for _ in range(self.rule[4]):
            left.remove(max(left, key=self._energy))  # the first of equals: the newer
        left.sort(key=self._energy, reverse=True)
        return left[: len(left) - self.rule[5]]

    def _energy(self, day: Mapping[int, int]) -> int:
        return sum(day[place] for place in self.event)

    # -- a site -------------------------------------------------------------------------------

    def statement(
        self,
        figure: Document,
        days: Sequence[tuple[str, Mapping[int, int]]],
        dispatched: int,
        period: int,
        neighbours: Iterable[tuple[int, int]],
        own: Sequence[int] | None = None,
        sold: Sequence[int] = (),
    ) -> Document:
        """What a site's statement must be; `days` are the frozen ones by name, newest first, `own`
        the baseline shown where the rule makes it of the day itself, `sold` Wh by interval."""
        index = self.clock.index
        left = [(name, day) for name, day in days if all(at in day for at in self.event)]
        seen = [
            None if figure["c"][index[at]] == "X" else figure["f"][index[at]] for at in self.shown
        ]
        flags, ratio, difference, kept = [], MILLION, 0, None
        pool: list[Mapping[int, int]] = []
        base = [wh or 0 for wh in seen]
        if (own is None) if self.is_own else (len(left) < self.least):
            flags = ["too-few-days"]
        elif own is not None:
            base, kept = list(own), "rule-without-adjustment"
        else:
            pool = self.counted([day for _, day in left])
            is_loaded = self._is_loaded(figure, pool)
            ratio, difference, kept = self._level(figure, pool, period, is_loaded=is_loaded)
            base = [wh * ratio // MILLION + difference for wh in means(pool, self.shown)]
            flags = ["load-after-notice"] if is_loaded else []
        if "too-few-days" not in flags and stands_still(self.generation(figure), [*neighbours]):
            flags.append("generation-off")
        first = self.shown.index(self.event[0])
        last = first + len(self.event)
        for at, wh in enumerate(sold, first):
            base[at] -= wh
        pairs = [
            (b, self._worst(b, at, pool) if wh is None else wh)
            for b, wh, at in zip(base[first:last], seen[first:last], self.event, strict=True)
        ]
        payable = not {"too-few-days", "generation-off"} & {*flags}
        if not payable:
            pairs = [(m, m) if self.moved(b, m) > 0 else (b, m) for b, m in pairs]
        moved = sum(self.moved(*pair) for pair in pairs)
        after = [(b, wh) for b, wh in zip(base[last:], seen[last:], strict=True) if wh is not None]
        return {
            "dispatched": dispatched,
            "baseline": [b for b, _ in pairs],
            "measured": [m for _, m in pairs],
            "letters": "".join(figure["c"][index[at]] for at in self.event),
            "shown": {"event": first, "baseline": base, "measured": seen},
            "days": sorted((name for name, day in left if _is_in(day, pool)), reverse=True),
            "ratio": ratio,
            "difference": difference,
            "kept": kept,
            "sold": sum(sold),
            "flags": flags,
            "contributed": min(max(moved, 0), dispatched) if payable else 0,
            "rebound": beside(after),
        }

    def _level(
        self, figure: Document, pool: Sequence[Mapping[int, int]], period: int, *, is_loaded: bool
    ) -> tuple[int, int, str | None]:
        """Ratio in ppm, difference in Wh, and why the baseline stays as it is."""
        index, row = self.clock.index, self.clock.row
        actual = [self._before(figure, index[at], period) for at in self.window]
        base = means(pool, self.window)
        why = None
        if self.order["rule"] == "mean10":
            why = "rule-without-adjustment"
        elif self.start - min(self.notice, self.start) > 6 * HOUR:
            why = "notice-too-early"
        elif not self.wanted or self.wanted[0] < row["start"]:
            why = "window-before-midnight"
        elif None in actual:
            why = "window-not-measured-before-notice"
        elif is_loaded:
            why = "load-after-notice"
        elif self.order["rule"] != "high4of5" and sum(base) < 50 * len(base):
            why = "little-load"
        if why is not None:
            return MILLION, 0, why
        used = sum(wh or 0 for wh in actual)
        if self.order["rule"] == "high4of5":
            bound = abs(sum(means(pool, self.event))) // len(self.event) * 200_000 // MILLION
            return MILLION, min(bound, max(-bound, (used - sum(base)) // len(base))), None
        return min(1_200_000, max(800_000, used * MILLION // sum(base))), 0, None

    def _before(self, figure: Document, at: int, period: int) -> int | None:
        """An interval's Wh, if it was measured and filed before the notice's period."""
        left = at
        for filed, length in figure["p"]:
            if left < length:
                known = filed < period and figure["c"][at] == "M"
                return int(figure["f"][at]) if known else None
            left -= length
        return None

    def _is_loaded(self, figure: Document, pool: Sequence[Mapping[int, int]]) -> bool:
        index = self.clock.index
        seen = [figure["f"][index[at]] for at in self.waiting if figure["c"][index[at]] != "X"]
        base = sum(means(pool, self.waiting))
        return base > 0 and sum(seen) * 100 > base * 120

    def _worst(self, base: int, at: int, pool: Sequence[Mapping[int, int]]) -> int:
        """What a missing interval counts for: what serves the portfolio least."""
        known = [base, *(day.get(at, 0) for day in pool)]
        return max(known) if self.is_less else min(known)

    def generation(self, figure: Document) -> tuple[int, int]:
        """Wh generated in the window, installed W."""
        index = self.clock.index
        made = sum(figure["g"][index[at]] for at in self.window) if figure["g"] else 0
        return made, figure["gw"]


def means(pool: Sequence[Mapping[int, int]], places: Sequence[int]) -> list[int]:
    """The mean day at these places; what was not measured counts as nothing."""
    return [sum(day.get(at, 0) for day in pool) // len(pool) for at in places]


def stands_still(own: tuple[int, int], neighbours: Sequence[tuple[int, int]]) -> bool:
    """Less than a tenth of three neighbours' yield per W."""
    made, power = sum(wh for wh, _ in neighbours), sum(watts for _, watts in neighbours)
    if len(neighbours) < 3 or made == 0 or own[1] == 0:
        return False
    return own[0] * power * 10 < made * own[1]


def beside(pairs: Pairs) -> list[int | None]:
    """Wh above the baseline, and the highest interval over the highest baseline, ppm."""
    over = max((m for _, m in pairs), default=0)
    under = max((b for b, _ in pairs), default=0)
    return [sum(m - b for b, m in pairs), over * MILLION // under if under else None]


def _is_in(day: Mapping[int, int], pool: Sequence[Mapping[int, int]]) -> bool:
    return any(day is one for one in pool)


def parted(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """A total by weights: the largest remainders get what is left (rules N3)."""
    whole = sum(weights.values())
    if whole == 0:
        return dict.fromkeys(weights, 0)
    parts = {name: total * weight // whole for name, weight in weights.items()}
    order = sorted(weights, key=lambda name: (-(total * weights[name] % whole), name.encode()))
    for name in order[: total - sum(parts.values())]:
        parts[name] += 1
    return parts


def accuracy(days: Sequence[Pairs], ordered: int) -> Document:
    """Bias and scatter of baselines over placebo days, and what is doubtful about them (D15)."""
    pairs = [pair for day in days for pair in day]
    error = sum(b - m for b, m in pairs)
    squares = sum((b - m) ** 2 for b, m in pairs)
    measured = sum(m for _, m in pairs)
    bias = error * MILLION // measured if measured else None
    scatter = isqrt(squares * len(pairs) * MILLION**2) // abs(measured) if measured else None
    doubts = {
        "few-placebo-days": len(days) < 10,
        "scatter": scatter is None or scatter > 200_000,
        "bias": bias is None or abs(bias) > 40_000,
        "order-below-noise": ordered**2 * len(pairs) < 4 * squares,
    }
    raised = [name for name, is_raised in doubts.items() if is_raised]
    return {"days": len(days), "bias_ppm": bias, "rrmse_ppm": scatter, "doubts": raised}


class Money:
    """What an order is worth, µcur (D8, D10 to D13)."""

    def __init__(self, found: Document) -> None:
        self.order = order = found["order"]
        self.interval = order["power_w"] * order["grain"] // HOUR
        self.worth = self._worth()
        self.is_guaranteed = found["guaranteed"]
        self.escrow = self.worth + self.available(MILLION)
        risks = (order["product"] != "best-effort") + self.is_guaranteed
        self.collateral = self.worth * risks + self._supplier(self.ordered)

    @property
    def ordered(self) -> int:
        """Wh of the whole event."""
        return int(self.interval * self.order["count"])

    def _worth(self) -> int:
        return int(self.ordered * self.order["price"] // 1_000)

    def reduce(self, interval: int) -> None:
        """Ask for so many Wh of an interval; what was locked stays."""
        self.interval = interval
        self.worth = self._worth()

    def available(self, reliability: int) -> int:
        """Pay for standing ready."""
        order = self.order
        seconds = order["count"] * order["grain"]
        whole = order["availability"] * order["power_w"] * seconds * reliability
        return int(whole // (1_000 * HOUR * MILLION))

    def _supplier(self, delivered: int) -> int:
        is_less = self.order["direction"] == "down"
        return int(delivered * self.order["toe_price"] // 1_000) if is_less else 0

    def settled(
        self, moved: Sequence[int], contributed: Mapping[str, int], reliability: int
    ) -> tuple[Document, list[list[int]], dict[str, int]]:
        """Result, [delivered, missing] by interval, and what each side gets; `moved` is how far
        the portfolio went the ordered way, Wh by interval."""
        outcomes = [[min(max(wh, 0), self.interval), max(0, self.interval - wh)] for wh in moved]
        delivered, missing = (sum(one[at] for one in outcomes) for at in (0, 1))
        pay = delivered * self.order["price"] // 1_000
        penalty = min(missing * self.order["penalty"] // 1_000, self.worth)
        pool = max(0, pay - penalty) * 8 // 10
        if self.is_guaranteed:
            pool = sum(contributed.values()) * self.order["price"] // 1_000
        pools = parted(pool, contributed)
        users, available = sum(pools.values()), self.available(reliability)
        supplier = self._supplier(delivered)
        result = {
            "delivered_wh": delivered,
            "deficiency_wh": missing,
            "pay": pay,
            "penalty": penalty,
            "availability": available,
            "supplier": supplier,
            "users": users,
            "pools": pools,
        }
        sides = {
            "provider": pay + available - users + self.collateral - penalty - supplier,
            "issuer": self.escrow - pay - available + penalty,
            "supplier": supplier,
        }
        return result, outcomes, sides
