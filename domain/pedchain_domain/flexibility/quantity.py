# SPDX-License-Identifier: Apache-2.0
"""What flexibility is measured on: F = I - E + G of the site, Wh per interval (rules D1, D9).

F is what the site consumed and stored. Weather on the roof neither pays nor costs, battery and car
count, and switching generation off does not.
"""

from collections.abc import Sequence
from enum import StrEnum


class Direction(StrEnum):
    """Which way an order asks consumption to go."""

    DOWN = "down"
    UP = "up"

    def moved(self, baseline: int, measured: int) -> int:
        """How far the measured energy lies in the ordered direction of the baseline, Wh."""
        return baseline - measured if self is Direction.DOWN else measured - baseline


def flexible(drawn: int, fed_in: int, generated: int) -> int:
    """F of a site and interval, Wh; without generation what was drawn less what was fed in."""
    return drawn - fed_in + generated


def submetered(delivered: int, site: int) -> int:
    """What a sub-meter's delivery would count for, Wh: no more than the site's own and a tenth. No
    contract measures by sub-meters, see ADR 40."""
    return min(delivered, max(0, site) * 11 // 10)


def assumed(direction: Direction, baseline: int, pool: Sequence[int]) -> int:
    """F of an interval nobody measured: what serves the portfolio least, Wh (rules D9).

    `pool` holds the interval's values on the days of the baseline.
    """
    if direction is Direction.DOWN:
        return max(baseline, *pool) if pool else baseline
    return min(baseline, *pool) if pool else baseline
