# SPDX-License-Identifier: Apache-2.0
"""Random mixes of market, sharing and origin never count a Wh twice (rules P). Flexibility moves no
position (P3), so it has no rule here."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pedchain_domain.market import sharing
from pedchain_domain.market.delivery import Prices, settle_hour
from pedchain_domain.market.pairing import Trade
from pedchain_domain.market.position import Position
from pedchain_domain.reasons import DomainError

NAMES = ("a", "b", "c", "d")
WH = st.integers(0, 300)
KEYS: st.SearchStrategy[sharing.Keys] = st.sampled_from(
    [
        sharing.Dynamic(),
        sharing.Static({"a": 400_000, "b": 300_000, "c": 300_000}),
        sharing.Priority({"d": 1, "c": 2}),
    ]
)


@dataclass
class Units:
    """The naive way: every Wh that was fed in or drawn is a unit that something takes away."""

    fed_in: list[int] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)

    @staticmethod
    def take(units: list[int], wh: int) -> None:
        assert len(units) >= wh, "a Wh is taken that is not there any more"
        del units[:wh]


class Hour(RuleBasedStateMachine):
    """One hour of four accounts; whatever the rules allow must find units to take."""

    @initialize(
        fed=st.lists(WH, min_size=4, max_size=4), drawn=st.lists(WH, min_size=4, max_size=4)
    )
    def measure(self, fed: list[int], drawn: list[int]) -> None:
        rows = dict(zip(NAMES, zip(fed, drawn, strict=True), strict=True))
        self.positions = {name: Position(*row) for name, row in rows.items()}
        self.left = {
            name: Units(list(range(one)), list(range(two))) for name, (one, two) in rows.items()
        }

    @rule(wh=st.integers(1, 400), seller=st.sampled_from(NAMES), buyer=st.sampled_from(NAMES))
    def market(self, wh: int, seller: str, buyer: str) -> None:
        """A promise of any size settles by what is measured; once shared, not at all."""
        if seller == buyer:
            return
        sells, buys = self.positions[seller], self.positions[buyer]
        free = {seller: sells.to_supplier}, {buyer: buys.from_supplier}
        done = settle_hour([Trade(seller, buyer, wh)], *free, [Prices(120_000, 280_000, 80_000)])[0]
        try:
            moved = sells.traded(sold=done.settled), buys.traded(bought=done.settled)
        except DomainError:
            return
        self.positions[seller], self.positions[buyer] = moved
        Units.take(self.left[seller].fed_in, done.settled)
        Units.take(self.left[buyer].drawn, done.settled)

    @rule(keys=KEYS, factor=st.integers(0, 1_000_000))
    def share(self, keys: sharing.Keys, factor: int) -> None:
        """What is left takes part by its factor."""
        fed = {n: sharing.participating(p.to_supplier, factor) for n, p in self.positions.items()}
        into = {
            n: sharing.participating(p.from_supplier, factor) for n, p in self.positions.items()
        }
        found = sharing.share(fed, into, keys)
        for name, position in self.positions.items():
            given, received = found.given.get(name, 0), found.received.get(name, 0)
            self.positions[name] = position.shared(out=given, into=received)
            Units.take(self.left[name].fed_in, given)
            Units.take(self.left[name].drawn, received)
        assert sum(found.given.values()) == sum(found.received.values())

    @rule(name=st.sampled_from(NAMES), wh=st.integers(1, 400))
    def export_origin(self, name: str, wh: int) -> None:
        """A certificate leaves the district without its energy."""
        try:
            self.positions[name] = self.positions[name].exported(wh)
        except DomainError:
            assert wh > len(self.left[name].fed_in)
            return
        Units.take(self.left[name].fed_in, wh)

    @invariant()
    def what_is_left_is_the_suppliers(self) -> None:
        for name, position in getattr(self, "positions", {}).items():
            assert position.to_supplier == len(self.left[name].fed_in)
            assert position.from_supplier == len(self.left[name].drawn)

    @invariant()
    def what_is_sold_is_bought(self) -> None:
        rows = getattr(self, "positions", {}).values()
        assert sum(p.sold for p in rows) == sum(p.bought for p in rows)
        assert sum(p.shared_out for p in rows) == sum(p.shared_in for p in rows)


TestHour = Hour.TestCase
TestHour.settings = settings(max_examples=60, stateful_step_count=20)
