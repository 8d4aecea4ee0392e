# SPDX-License-Identifier: Apache-2.0
"""What a portfolio delivered of an order, and what that is worth (rules D8).

Judged on the portfolio's sums, interval by interval, as in USEF's flexibility trading protocol
(settle phase): homes' noise cancels, and nobody is paid for it. For an increase signs are mirrored.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.market.deposit import amount


class Interval(NamedTuple):
    """Sums of the portfolio in one interval, Wh."""

    baseline: int
    measured: int
    ordered: int


class Outcome(NamedTuple):
    """What an interval brought, Wh: delivered up to the order, and missing from it. More is
    missing than was ordered when the portfolio went the other way."""

    delivered: int
    deficiency: int


class Result(NamedTuple):
    """An order's intervals and their money, µcur."""

    outcomes: list[Outcome]
    pay: int
    penalty: int


def outcome(direction: Direction, interval: Interval) -> Outcome:
    """Delivered and missing energy of one interval."""
    moved = direction.moved(interval.baseline, interval.measured)
    ordered = interval.ordered
    return Outcome(min(max(moved, 0), ordered), max(0, ordered - moved))


def settle(
    direction: Direction, intervals: Sequence[Interval], price: int, penalty: int, most: int | None
) -> Result:
    """An order's result at price and penalty, µcur per kWh; penalties end at `most` µcur, where
    the contract sets a limit."""
    outcomes = [outcome(direction, interval) for interval in intervals]
    owed = sum(amount(one.deficiency, penalty) for one in outcomes)
    pay = sum(amount(one.delivered, price) for one in outcomes)
    return Result(outcomes, pay, owed if most is None else min(owed, most))
