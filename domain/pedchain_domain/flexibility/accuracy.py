# SPDX-License-Identifier: Apache-2.0
"""How well a baseline meets days on which nothing was ordered, and the gate at acceptance
(rules D15; the 20 % are AEMO's).

RRMSE is the root of the mean square of the errors over the mean of what was measured.
"""

from collections.abc import Iterable
from enum import StrEnum
from math import isqrt
from typing import NamedTuple

from pedchain_domain.numbers import PPM, ppm

MOST_RRMSE_PPM = 200_000
MOST_BIAS_PPM = 40_000
LEAST_DAYS = 10


class Doubt(StrEnum):
    """Why an order needs its issuer's word `low_accuracy`."""

    FEW_DAYS = "few-placebo-days"
    SCATTER = "scatter"
    BIAS = "bias"
    BELOW_NOISE = "order-below-noise"


class Accuracy(NamedTuple):
    """Errors over the intervals of so many placebo days: sums in Wh and Wh²."""

    days: int
    intervals: int
    error: int
    squares: int
    measured: int

    @property
    def bias_ppm(self) -> int | None:
        """Mean error over mean measured; positive where the baseline is too high."""
        return ppm(self.error, self.measured)

    @property
    def rrmse_ppm(self) -> int | None:
        """Relative root mean square error."""
        root = isqrt(self.squares * self.intervals * PPM * PPM)
        return None if self.measured == 0 else root // abs(self.measured)


def measure(days: Iterable[Iterable[tuple[int, int]]]) -> Accuracy:
    """Errors of placebo days, each given as baseline and measured Wh by interval."""
    found = [list(pairs) for pairs in days]
    pairs = [pair for day in found for pair in day]
    errors = [baseline - measured for baseline, measured in pairs]
    squares = sum(error * error for error in errors)
    return Accuracy(
        len(found), len(pairs), sum(errors), squares, sum(measured for _, measured in pairs)
    )


def doubts(found: Accuracy, ordered: int) -> list[Doubt]:
    """Why the portfolio's baseline is too weak for an order of so many Wh per interval."""
    bias, scatter = found.bias_ppm, found.rrmse_ppm
    raised = {
        Doubt.FEW_DAYS: found.days < LEAST_DAYS,
        Doubt.SCATTER: scatter is None or scatter > MOST_RRMSE_PPM,
        Doubt.BIAS: bias is None or abs(bias) > MOST_BIAS_PPM,
        Doubt.BELOW_NOISE: ordered * ordered * found.intervals < 4 * found.squares,
    }
    return [doubt for doubt, is_raised in raised.items() if is_raised]
