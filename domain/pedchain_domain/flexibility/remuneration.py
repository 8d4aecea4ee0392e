# SPDX-License-Identifier: Apache-2.0
"""What users get: parts of a pool by what each contributed over the whole event (rules D10, D11).

The pool is a share of what the order earned after penalties. No user ever pays, more than was
dispatched is not rewarded, and the parts sum to the pool exactly.
"""

from collections.abc import Mapping, Sequence

from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.numbers import PPM, ppm, split

POOL_PPM = 800_000
UNTRIED_PPM = 500_000
"""What is believed of a provider's availability before its first order."""
HISTORY = 5
_KW_HOUR = 1_000 * 3_600

Pairs = Sequence[tuple[int, int]]
"""Baseline and measured Wh of a site, by interval."""


def contribution(direction: Direction, pairs: Pairs, dispatched: int) -> int:
    """What a site did over the event, Wh: its better and worse intervals netted, from nothing up
    to what it was asked for."""
    moved = sum(direction.moved(baseline, measured) for baseline, measured in pairs)
    return min(max(moved, 0), dispatched)


def pool(pay: int, penalty: int, share_ppm: int = POOL_PPM) -> int:
    """What is divided among users, µcur."""
    return max(0, pay - penalty) * share_ppm // PPM


def divide(amount_: int, contributions: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """Each site's part, µcur, and what nobody contributed to, which the provider keeps."""
    return split(amount_, contributions)


def reliability(ordered: Sequence[int], delivered: Sequence[int]) -> int:
    """Delivered over ordered Wh of the newest orders and tests, at most 1, ppm."""
    found = ppm(sum(delivered[-HISTORY:]), sum(ordered[-HISTORY:]))
    return UNTRIED_PPM if found is None else min(PPM, found)


def availability(price: int, capacity_w: int, seconds: int, reliability_ppm: int) -> int:
    """Pay for standing ready, µcur; `price` in µcur per kW and hour."""
    return price * capacity_w * seconds * reliability_ppm // (_KW_HOUR * PPM)
