# SPDX-License-Identifier: Apache-2.0
"""Signs that a site works on its baseline instead of its load, and what follows (rules D17)."""

from collections.abc import Mapping, Sequence

_LOADED_PERCENT = 120
_YIELD_PERCENT = 10
_NEIGHBOURS = 3


def loaded_after_notice(measured: Sequence[int], baseline: Sequence[int]) -> bool:
    """Whether a site drew more than 1.2 times its baseline once it knew: it is not adjusted."""
    return sum(baseline) > 0 and sum(measured) * 100 > sum(baseline) * _LOADED_PERCENT


def generation_off(own: int, own_power_w: int, neighbours: Mapping[str, tuple[int, int]]) -> bool:
    """Whether a site's generation stood still while its neighbours' ran: it is not payable.

    `own` and the neighbours' pairs are Wh in the window and installed W. A tenth of the
    neighbours' yield per W is called standing still [our]; fewer than three neighbours tell
    nothing, and neither do idle ones.
    """
    made = sum(wh for wh, _ in neighbours.values())
    power = sum(power_w for _, power_w in neighbours.values())
    if len(neighbours) < _NEIGHBOURS or made == 0 or own_power_w == 0:
        return False
    return own * power * 100 < made * own_power_w * _YIELD_PERCENT
