# SPDX-License-Identifier: Apache-2.0
"""What an event moves to the two hours beside it (rules D14): stated, not paid."""

from collections.abc import Sequence
from typing import NamedTuple

from pedchain_domain.numbers import ppm

BESIDE_S = 2 * 3_600


class Rebound(NamedTuple):
    """Energy above the baseline, Wh, and highest interval over highest baseline, ppm."""

    wh: int
    peak_ppm: int | None


def rebound(measured: Sequence[int], baseline: Sequence[int]) -> Rebound:
    """Of the two hours after an event; of those before it, where a site loads up in advance."""
    highest = ppm(max(measured, default=0), max(baseline, default=0))
    return Rebound(sum(measured) - sum(baseline), highest)
