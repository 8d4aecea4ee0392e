# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import instants, window
from pedchain_domain.reasons import DomainError, Reason
from tests.unit.domain.homes import DAY, START

EDGE = {"wh": 0, "ghg": 0, "nren": 0}


def totals(at: int, additive: dict[str, int], maxima: list[int] | None = None) -> dict[str, Any]:
    return {
        "day": instants.format_day((START + at * DAY) // DAY),
        "salt": f"{at:032x}",
        "additive": additive,
        "maxima": maxima or [0, 0, 0, 0, 0],
        "edges": {"start": {**EDGE, "wh": at}, "end": {**EDGE, "wh": 100 + at}},
        "scope": {"heating.none": at},
    }


def roll(days: list[dict[str, Any]], length: int) -> dict[str, Any]:
    made = window.empty(length)
    for at, day in enumerate(days):
        leaves = window.leaving(made)
        outgoing = days[at - length] if leaves else None
        made = window.advance(made, day, outgoing)
    return made


DAYS = st.lists(
    st.dictionaries(st.sampled_from(["I", "E", "known_s", "required_s", "missing.ghg"]),
                    st.integers(-50, 50), max_size=4),
    min_size=1, max_size=70,
)  # fmt: skip


@given(DAYS, st.integers(1, 40))
def test_a_rolled_window_equals_one_computed_afresh(
    additives: list[dict[str, int]], length: int
) -> None:
    days = [totals(at, additive, [at % 7, at, 1, 2, 3]) for at, additive in enumerate(additives)]
    rolled, fresh = roll(days, length), roll(days[-length:], length)
    for name in ("first", "last", "days", "additive", "months", "daily", "end", "scope"):
        assert rolled[name] == fresh[name]
    assert window.maxima(rolled) == window.maxima(fresh)


def test_days_enter_in_order() -> None:
    made = window.advance(window.empty(3), totals(0, {"I": 1}))
    for wrong in (totals(0, {}), totals(2, {})):
        with pytest.raises(DomainError) as caught:
            window.advance(made, wrong)
        assert caught.value.reason == Reason.NOT_CONSECUTIVE


def test_exactly_the_first_day_leaves_a_full_window() -> None:
    days = [totals(at, {"I": 1}) for at in range(3)]
    full = roll(days[:2], 2)
    assert window.leaving(full) == "2026-01-01"
    for wrong in (None, days[1]):
        with pytest.raises(DomainError):
            window.advance(full, days[2], wrong)
    assert window.advance(full, days[2], days[0])["first"] == "2026-01-02"
    with pytest.raises(DomainError):
        window.advance(roll(days[:1], 2), days[1], days[0])


def test_coverage_is_kept_by_calendar_month() -> None:
    days = [totals(at, {"known_s": 1, "required_s": 2}) for at in range(40)]
    assert roll(days, 365)["months"] == {"2026-01": [31, 62], "2026-02": [9, 18]}
    assert roll(days, 9)["months"] == {"2026-02": [9, 18]}


def test_the_windows_edges_are_its_first_days_start_and_last_days_end() -> None:
    made = roll([totals(at, {}) for at in range(4)], 2)
    assert made["daily"][0][2]["wh"] == 2
    assert made["end"]["wh"] == 103


def test_a_number_some_day_lacks_is_null() -> None:
    made = roll([totals(0, {"ghg": 5}), totals(1, {"missing.ghg": 1})], 365)
    assert window.number(made, "ghg") is None
    assert window.number(made, "I") == 0
    assert window.mean(None) == (0, 0)
    assert window.mean(roll([totals(0, {"C": 7, "hours": 24})], 3)) == (7, 24)
