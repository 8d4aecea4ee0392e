# SPDX-License-Identifier: Apache-2.0
"""Integer arithmetic that loses nothing (rules N)."""

from collections.abc import Mapping, Sequence

PPM = 1_000_000


def ppm(numerator: int, denominator: int) -> int | None:
    """Ratio in parts per million, floored (rules N2); None when the denominator is 0.

    >>> ppm(2_500, 5_250), ppm(1, 0)
    (476190, None)
    """
    return None if denominator == 0 else numerator * PPM // denominator


def split(total: int, weights: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """Divide `total` by weights so that parts and residual sum to it exactly (rules N3).

    Largest remainder, ties by ascending id bytes. Weights are >= 0. A negative total is divided
    as its magnitude and negated. If all weights are 0, every part is 0 and the total stays as the
    residual, which the caller names.

    >>> split(100, {"a": 1, "b": 1, "c": 1})
    ({'a': 34, 'b': 33, 'c': 33}, 0)
    """
    names = sorted(weights, key=str.encode)
    parts, residual = split_list(total, [weights[name] for name in names])
    return dict(zip(names, parts, strict=True)), residual


def split_list(total: int, weights: Sequence[int]) -> tuple[list[int], int]:
    """`split` over positions: ties go to the lower position."""
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight is negative")
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights], total
    magnitude = abs(total)
    parts = [magnitude * weight // whole for weight in weights]
    left = magnitude - sum(parts)
    by_remainder = sorted(
        range(len(weights)), key=lambda at: (-(magnitude * weights[at] % whole), at)
    )
    for at in by_remainder[:left]:
        parts[at] += 1
    return (parts if total >= 0 else [-part for part in parts]), 0
