# SPDX-License-Identifier: Apache-2.0
"""Rolling sums against a recomputation from readings, after any sequence of late arrivals and runs.

Some readings come late, in any order, between any two closes or never. Each run's window must hold
what the naive implementation makes, day by day, of the readings that were there when the run
closed those days: exactly, whatever was amended, corrected at a month's end, or left the window.
"""

import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pedchain_domain import canonical, dayclose, fold, issue, points, verdict, window
from tests.oracles import naive
from tests.unit.domain import homes
from tests.unit.domain.homes import DAY, KINDS, START

GRAIN, DAYS, POWER = 3600, 6, 10_000
FIRST = START + 28 * DAY  # 2026-01-29: the third day ends a month
PLANS = ("P1", "P0", "P1")
RUNS = ("P", "F", "FINAL")
BEFORE = {"F": "P", "FINAL": "F"}
TABLE = homes.factors(start=FIRST)
NUMBERS = ("I", "E", "G", "C", "shared", "X", "Y", "draw", "residual")
Values = dict[int, dict[str, int]]


class Ledger:
    """Days closed by runs over what was filed so far, the way contract and auditor go."""

    def __init__(self, group: int, length: int) -> None:
        self.about = homes.district(
            GRAIN, bound_by_capacity=1, group_sites=group, group_share_percent=100,
            window_days=length,
        )  # fmt: skip
        made = homes.roster_of({f"h{number}": plan for number, plan in enumerate(PLANS)})
        self.roster, self.days = made, homes.days(DAYS + 2, FIRST - DAY)
        self.head, self.folds = fold.empty_head(0), list[fold.Folded]()
        self.counters: dict[str, int] = {}
        self.filed: dict[str, Values] = {}
        self.kept: dict[tuple[str, str], Any] = {}
        self.state: dict[str, Any] = {}
        self.prints: dict[tuple[str, str], Any] = {}

    def file(self, found: dict[str, Values]) -> None:
        """A period with these registers, one record each."""
        rows = []
        for device, instants in found.items():
            for at, values in instants.items():
                self.counters[device] = self.counters.get(device, 0) + 1
                registers = [(at, role, wh) for role, wh in values.items()]
                rows.append(homes.row(device, self.counters[device], registers))
                self.filed.setdefault(device, {})[at] = values
        period = len(self.folds) + 1
        folded = fold.fold(rows, self.head, self.days, period=period, shard=0, grain=GRAIN)
        self.head = folded.head
        self.folds.append(folded)

    def _merged(self, day: str) -> Any:
        held = [one.folds[day] for one in self.folds if day in one.folds]
        return fold.merge(held) if held else None

    def _edges(self, names: list[str]) -> list[Any]:
        found = []
        for name in names:
            held = [one.edges[name] for one in self.folds if name in one.edges]
            found += [fold.merge_edges(held)] if held else []
        return found

    def close(self, number: int, run: str) -> Any:
        """Close the day by the run; the window's sums and what is in print of the day."""
        day, names = self.days[number + 1], [one["day"] for one in self.days]
        merged, at = self._merged(day["day"]), number + 1
        before = self._edges(list(reversed(names[:at])))
        after = self._edges(names[at + 1 :])
        lacks = points.needs(day, merged, self.roster, GRAIN)
        closed = dayclose.close_shard(
            day, merged, self.roster, self.about, TABLE,
            before=before if lacks.before else (), after=after if lacks.after else (),
        )  # fmt: skip
        earlier = {"F": "P", "FINAL": "F"}.get(run, "")
        former = self.kept.get((day["day"], earlier))
        printed = former and self.prints[day["day"], former["printed"]]
        changed = dayclose.changed(printed and {"prints": printed}, closed.partial)
        self.prints[day["day"], run] = closed.partial["prints"]
        state = self.state.get(run)
        leaving = window.leaving(state.window) if state else None
        issued = issue.issue(
            issue.Rests(self.about, TABLE, day, run, "00" * 32),
            dayclose.add(None, closed.partial),
            changed,
            issue.Before(
                window=state.window if state else None,
                month=state.month if state else None,
                correction=state.correction if state else None,
                former=former,
                outgoing=self.kept[leaving, run]["entered"] if leaving else None,
                certificate=None,
                monthly=None,
            ),
        )
        self.state[run], self.kept[day["day"], run] = issued, issued.kept
        return issued

    def naive_day(self, number: int) -> dict[str, int | None]:
        """The same day, from the readings filed so far, by the other implementation."""
        start = FIRST + number * DAY
        street = []
        for at, plan in enumerate(PLANS):
            registers = {
                role: sorted(
                    (instant, values[role])
                    for instant, values in self.filed.get(f"h{at}.{KINDS[role]}.d", {}).items()
                )
                for role in naive.NEEDED[plan].split()
            }
            street.append(naive.Home(plan, "z1", POWER, registers))
        return naive.district(street, start, start + DAY, GRAIN, [300_000] * 24)


def street(chance: random.Random) -> dict[str, Values]:
    """Registers of every device at every hour."""
    found: dict[str, Values] = {}
    for number, plan in enumerate(PLANS):
        for role in naive.NEEDED[plan].split():
            device, wh = f"h{number}.{KINDS[role]}.d", chance.randint(0, 10**6)
            for at in range(FIRST, FIRST + DAYS * DAY + 1, GRAIN):
                found.setdefault(device, {}).setdefault(at, {})[role] = wh
                wh += chance.randint(0, 900)
    return found


def parted(found: dict[str, Values], chance: random.Random) -> tuple[Any, Any]:
    """What arrives in time, and what late in random parts (or never)."""
    on_time: dict[str, Values] = {}
    late: list[dict[str, Values]] = [{} for _ in range(4)]
    lagging = [f"h{number}" for number in range(len(PLANS)) if chance.random() < 0.5]
    for device, instants in found.items():
        lags = device.split(".")[0] in lagging
        for at, values in instants.items():
            place = chance.choice(late) if lags and chance.random() < 0.1 else on_time
            place.setdefault(device, {})[at] = values
    return on_time, late[: chance.randint(0, 4)]


class Rolling(RuleBasedStateMachine):
    """Late readings and closes of any run, in any order that the runs allow."""

    @initialize(
        seed=st.integers(0, 2**32),
        group=st.sampled_from([0, 2, 3]),
        length=st.sampled_from([2, 4, 365]),
    )
    def begin(self, seed: int, group: int, length: int) -> None:
        self.chance = random.Random(seed)
        self.group, self.length = group, length
        self.ledger = Ledger(group, length)
        on_time, self.late = parted(street(self.chance), self.chance)
        self.ledger.file(on_time)
        self.truth: dict[str, list[dict[str, int | None]]] = {run: [] for run in RUNS}

    @precondition(lambda self: self.late)
    @rule()
    def arrive(self) -> None:
        """Some late readings are filed, devices in any order."""
        part = self.late.pop()
        self.chance.shuffle(order := list(part))
        self.ledger.file({device: part[device] for device in order})

    @rule(run=st.sampled_from(RUNS))
    def close(self, run: str) -> None:
        """A run closes its next day, if it may."""
        number = len(self.truth[run])
        most = DAYS if run == "P" else len(self.truth[BEFORE[run]])
        if number == most:
            return
        self.truth[run].append(self.ledger.naive_day(number))
        issued = self.ledger.close(number, run)
        assert canonical.encode(issued.certificate)
        assert verdict.energy_coverage(issued.window) is not None
        # With few homes changed, corrections of days that left enter with the month's last day.
        if self.length >= DAYS or self.group == 0:
            self.compare(run, issued)

    def compare(self, run: str, issued: Any) -> None:
        """The window is the sum of the days as they stood when this run closed them."""
        day, settled = issued.window["last"], issued.correction
        # A correction waits outside the window until its month's last day.
        waits = settled and settled["month"] == day[:7] and not issue.month_ends(day)
        waiting = settled["additive"] if waits else {}
        for name in NUMBERS:
            held = issued.window["additive"].get(name, 0) + waiting.get(name, 0)
            truth = self.truth[run][-self.length :]
            assert held == sum(one[name] or 0 for one in truth), (run, day, name)


TestRollingSumsEqualARecomputation = Rolling.TestCase
TestRollingSumsEqualARecomputation.settings = settings(max_examples=25, stateful_step_count=24)
