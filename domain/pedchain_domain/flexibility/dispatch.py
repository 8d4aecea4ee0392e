# SPDX-License-Identifier: Apache-2.0
"""Who is asked for what: an order's power divided over a portfolio (rules D2) [our].

Whoever was asked for least in proportion to its capacity comes first, ids break ties, and so many
are asked as it takes, each by its available capacity. The same portfolio and history give the same
dispatch everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pedchain_domain.numbers import PPM, split
from pedchain_domain.reasons import DomainError, Reason


@dataclass(frozen=True, slots=True)
class Able:
    """A site that may be asked: capacity in the order's direction, W; how much of the time it is
    available, ppm; Wh it was asked for since the count began."""

    site: str
    capacity_w: int
    available_ppm: int = PPM
    asked_wh: int = 0

    @property
    def usable_w(self) -> int:
        """What can be counted on, W."""
        return self.capacity_w * self.available_ppm // PPM

    @property
    def burden(self) -> int:
        """Wh it was asked for per MW of capacity."""
        return self.asked_wh * PPM // self.capacity_w


def dispatch(power_w: int, able: Sequence[Able]) -> dict[str, int]:
    """W by site, summing to `power_w`; DomainError `beyond-capacity`."""
    chosen: dict[str, Able] = {}
    covered = 0
    for one in sorted(able, key=lambda one: (one.burden if one.capacity_w else 0, one.site)):
        if covered >= power_w:
            break
        if one.usable_w:
            chosen[one.site] = one
            covered += one.usable_w
    if covered < power_w:
        raise DomainError(Reason.BEYOND_CAPACITY)
    return split(power_w, {site: one.usable_w for site, one in chosen.items()})[0]


def energies(watts: Mapping[str, int], interval_wh: int) -> dict[str, int]:
    """Each site's Wh of an interval, summing to the order's."""
    return split(interval_wh, watts)[0]
