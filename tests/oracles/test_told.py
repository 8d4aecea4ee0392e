# SPDX-License-Identifier: Apache-2.0
"""Which days and sums of a number may be printed (C2, ADR 18), by both implementations."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import calendar, publication, window
from pedchain_domain.documents import Parameters
from tests.oracles import naive

NAME = "MOB.m"  # a number that is part of no identity
SETTING = Parameters()
EDGE = {"wh": 0, "ghg": 0, "nren": 0}
SHARES = st.builds(
    lambda sites, one, rest: (sites, one, one + rest) if sites else (0, 0, 0),
    st.sampled_from([0, 3, 14, 15, 20]),
    st.integers(0, 60),
    st.sampled_from([0, 100, 400, 1_000]),
)
DAYS = st.lists(SHARES, min_size=1, max_size=14)


def totals(at: int, share: naive.Share) -> dict[str, Any]:
    return {
        "day": calendar.shifted("2026-01-01", at),
        "salt": f"{at:032x}",
        "additive": {f"detail.{NAME}": share[2]},
        "contributions": {NAME: [share[0], share[1]]},
        "maxima": [0] * 5,
        "edges": {"start": EDGE, "end": EDGE},
        "scope": {},
    }


def run(days: list[naive.Share], length: int, former: list[Any] | None = None) -> Any:
    """Marked totals of days in order, and the window after each."""
    made, marked, windows = window.empty(length), list[Any](), []
    for at, share in enumerate(days):
        before = None if former is None else former[at]
        marked.append(publication.marked(totals(at, share), SETTING, made["open"], before))
        leaving = window.leaving(made)
        outgoing = None if leaving is None else marked[at - length]
        made = window.advance(made, marked[-1], outgoing)
        windows.append(made)
    return marked, windows


def check(days: list[naive.Share], found: Any, blocks: list[tuple[int, int]], length: int) -> None:
    marked, windows = found
    for at in range(len(days)):
        inside = any(first <= at <= last for first, last in blocks)
        assert (NAME in marked[at]["hidden"]) == inside, at
        told = naive.tellable(blocks, max(0, at + 1 - length), at)
        assert (NAME not in window.unprintable(windows[at])) == told, at


@given(DAYS, st.integers(1, 15))
def test_two_implementations_tell_the_same_days_and_sums(
    days: list[naive.Share], length: int
) -> None:
    blocks = naive.blocks(days, SETTING.group_sites, SETTING.group_share_percent)
    check(days, run(days, length), blocks, length)


@given(st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=12), st.integers(1, 13))
def test_two_implementations_tell_the_same_of_a_later_run(
    pairs: list[tuple[naive.Share, naive.Share]], length: int
) -> None:
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    group = (SETTING.group_sites, SETTING.group_share_percent)
    earlier = naive.blocks(first, *group)
    former = run(first, length)[0]
    later = naive.blocks(second, *group, earlier)
    check(second, run(second, length, former), later, length)
