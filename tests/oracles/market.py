# SPDX-License-Identifier: Apache-2.0
"""The market's rules a second time, by brute force and exact fractions.

Orders are taken apart into single Wh, every price is tried, nothing is sorted cleverly. The
product never imports this.
"""

from fractions import Fraction
from math import floor

from tests.oracles.naive import share

Order = tuple[str, int, int]  # id, Wh, limit in µcur per kWh
TICK = 1_000


def demand(bids: list[Order], price: int) -> int:
    """Wh that bidders want at a price."""
    return sum(wh for _, wh, limit in bids if limit >= price)


def supply(asks: list[Order], price: int) -> int:
    """Wh offered at a price."""
    return sum(wh for _, wh, limit in asks if limit <= price)


def volume(bids: list[Order], asks: list[Order]) -> int:
    """K6: the most that trades at any price."""
    limits = {limit for _, _, limit in [*bids, *asks]}
    return max((min(demand(bids, p), supply(asks, p)) for p in limits), default=0)


def interval(bids: list[Order], asks: list[Order]) -> tuple[int, int]:
    """K6: every order as single Wh, the best `volume` of each side accepted."""
    count = volume(bids, asks)
    wanted = sorted((limit for _, wh, limit in bids for _ in range(wh)), reverse=True)
    offered = sorted(limit for _, wh, limit in asks for _ in range(wh))
    low, high = offered[count - 1], wanted[count - 1]
    if len(wanted) > count:
        low = max(low, wanted[count])
    if len(offered) > count:
        high = min(high, offered[count])
    return low, high


def price(bids: list[Order], asks: list[Order]) -> int:
    """K6: the middle, floored to the tick, not below the interval."""
    low, high = interval(bids, asks)
    return max(low, floor(Fraction(low + high, 2 * TICK)) * TICK)


def fills(orders: list[Order], count: int, *, buying: bool) -> dict[str, int]:
    """K6: price level by price level, each shared by quantity, ids break ties."""
    found = {name: 0 for name, _, _ in orders}
    for level in sorted({limit for _, _, limit in orders}, reverse=buying):
        there = sorted((name.encode(), wh) for name, wh, limit in orders if limit == level)
        taken = min(count, sum(wh for _, wh in there))
        for (name, _), part in zip(there, share(taken, [wh for _, wh in there]), strict=True):
            found[name.decode()] = part
        count -= taken
    return found


def dynamic(fed_in: dict[str, int], drawn: dict[str, int]) -> dict[str, int]:
    """S2, dynamic."""
    pool = min(sum(fed_in.values()), sum(drawn.values()))
    return _shared(pool, drawn)


def static(fed_in: dict[str, int], drawn: dict[str, int], keys: dict[str, int]) -> dict[str, int]:
    """S2, static keys in ppm."""
    whole = sum(fed_in.values())
    return {
        name: min(wh, floor(Fraction(whole * keys.get(name, 0), 10**6)))
        for name, wh in drawn.items()
    }


def priority(
    fed_in: dict[str, int], drawn: dict[str, int], ranks: dict[str, int]
) -> dict[str, int]:
    """S2, in key order; who has no rank comes after all."""
    left, found = sum(fed_in.values()), {}
    for rank in [*sorted(set(ranks.values())), None]:
        wants = {name: wh for name, wh in drawn.items() if ranks.get(name) == rank}
        parts = _shared(min(left, sum(wants.values())), wants)
        left -= sum(parts.values())
        found.update(parts)
    return found


def _shared(total: int, weights: dict[str, int]) -> dict[str, int]:
    names = sorted(weights, key=str.encode)
    if sum(weights.values()) == 0:
        return dict.fromkeys(names, 0)
    return dict(zip(names, share(total, [weights[name] for name in names]), strict=True))


def pays(
    delivered: int, used: int, agreed: int, retail: int, feed_in: int
) -> tuple[int, Fraction, Fraction, Fraction]:
    """K10 of one trade, Wh by Wh: settled, and what buyer pays, seller and buyer make good."""
    bought, by_seller, by_buyer = Fraction(0), Fraction(0), Fraction(0)
    settled = 0
    for unit in range(max(delivered, used)):
        if unit < delivered and unit < used:
            settled += 1
            bought += Fraction(agreed, 1_000)
        elif unit < used:
            by_seller += Fraction(max(0, retail - agreed), 1_000)
        else:
            by_buyer += Fraction(max(0, agreed - feed_in), 1_000)
    return settled, bought, by_seller, by_buyer


def clock(ticks: list[int]) -> int:
    """K5: strike out the f lowest; the next is the clock."""
    left = list(ticks)
    for _ in range((len(ticks) - 1) // 3):
        left.remove(min(left))
    return min(left)


Zone = tuple[list[Order], list[Order]]  # bids, asks


def auction(bids: list[Order], asks: list[Order]) -> dict[str, int]:
    """K6: every order's fill."""
    count = volume(bids, asks)
    return fills(bids, count, buying=True) | fills(asks, count, buying=False)


def coupled(first: Zone, second: Zone, there: int, back: int, cap: int) -> dict[str, int]:
    """K8: as one market, unless more would flow than may; then the limit itself is an order that
    takes any price, in the zone that gives and in the one that takes."""
    whole = auction([*first[0], *second[0]], [*first[1], *second[1]])
    flow = sum(whole[name] for name, *_ in first[1]) - sum(whole[name] for name, *_ in first[0])
    if -back <= flow <= there:
        return whole
    gives, takes, most = (first, second, there) if flow > 0 else (second, first, back)
    through = [("", most, cap + TICK)] if most else []
    found = auction([*gives[0], *through], gives[1])
    through = [("", most, -TICK)] if most else []
    found |= auction(takes[0], [*takes[1], *through])
    found.pop("", None)
    return found


def makes_good(
    delivered: int, used: int, paid: int, got: int, retail: int, feed_in: int
) -> tuple[Fraction, Fraction, Fraction]:
    """K10 across a limit: what seller and buyer make good, each to the other's own price, and what
    the prices differ by for what settles."""
    _, _, by_seller, _ = pays(delivered, used, paid, retail, feed_in)
    settled, _, _, by_buyer = pays(delivered, used, got, retail, feed_in)
    return by_seller, by_buyer, Fraction(settled * (paid - got), 1_000)
