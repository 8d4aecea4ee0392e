# SPDX-License-Identifier: Apache-2.0
"""Rules D a second time, from their text: days as dictionaries, exact fractions, nothing shared.

The product never imports this.
"""

from fractions import Fraction
from math import floor

Days = list[dict[int, int]]  # newest first; Wh by place


def energy(day: dict[int, int], event: list[int]) -> int:
    return sum(day[place] for place in event)


def chosen(rule: str, days: Days, event: list[int]) -> Days:
    """D4: which days count. Equal days: the newer is the higher."""
    left = list(enumerate(days))
    out = {"high5of10": (0, 5), "high4of5": (0, 1), "mid8of10": (1, 1)}.get(rule, (0, 0))
    for _ in range(out[0]):
        left.remove(max(left, key=lambda one: (energy(one[1], event), -one[0])))
    for _ in range(out[1]):
        left.remove(min(left, key=lambda one: (energy(one[1], event), -one[0])))
    return [day for _, day in left]


def mean(days: Days, place: int) -> int:
    return floor(Fraction(sum(day[place] for day in days), len(days)))


def level(
    rule: str, days: Days, event: list[int], window: list[int], actual: list[int]
) -> list[int]:
    """D4 and D5: the baseline of the event, adjusted."""
    kept = chosen(rule, days, event)
    base = [mean(kept, place) for place in event]
    beside = [mean(kept, place) for place in window]
    if rule == "mean10" or (rule != "high4of5" and sum(beside) < 50 * len(window)):
        return base
    if rule == "high4of5":
        bound = floor(Fraction(floor(Fraction(abs(sum(base)), len(base))) * 20, 100))
        moved = floor(Fraction(sum(actual) - sum(beside), len(window)))
        return [wh + max(-bound, min(bound, moved)) for wh in base]
    ratio = Fraction(floor(Fraction(sum(actual) * 10**6, sum(beside))), 10**6)
    ratio = max(Fraction(8, 10), min(Fraction(12, 10), ratio))
    return [floor(wh * ratio) for wh in base]


def money(
    intervals: list[tuple[int, int, int]], price: int, penalty: int, is_down: bool
) -> tuple[int, int]:
    """D8 with the cap: pay and penalty, µcur."""
    pay = owed = Fraction(0)
    for baseline, measured, ordered in intervals:
        moved = baseline - measured if is_down else measured - baseline
        pay += Fraction(sorted((0, moved, ordered))[1] * price, 1000)
        owed += Fraction(max(0, ordered - moved) * penalty, 1000)
    cap = sum(Fraction(ordered * price, 1000) for _, _, ordered in intervals)
    return floor(pay), floor(min(owed, cap))
