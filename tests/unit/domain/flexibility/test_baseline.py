# SPDX-License-Identifier: Apache-2.0
"""Baselines: which days, their mean, and the level of the event's own day (rules D1, D4, D5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.calendar import Day
from pedchain_domain.flexibility import adjustment, baseline, likedays, localclock, ownday
from pedchain_domain.flexibility.adjustment import Kept
from pedchain_domain.flexibility.likedays import Dropped, Past, Search
from pedchain_domain.flexibility.quantity import Direction, assumed, flexible, submetered
from pedchain_domain.instants import DAY, format_day, parse_day
from pedchain_domain.reasons import DomainError, Reason
from tests.oracles import flexibility as oracle

HOUR = 3_600
NOTICE_DAY = parse_day("2026-05-20")  # a Wednesday
EVENT = [72, 73, 74, 75]
WINDOW = [56, 57, 58, 59]


def day_row(number: int, kind: str = "working") -> Day:
    start = number * DAY - 2 * HOUR
    return {"day": format_day(number), "start": start, "end": start + DAY, "type": kind}


def past(back: int, wh: int | dict[int, int], kind: str = "working") -> Past:
    values = dict.fromkeys((*EVENT, *WINDOW), wh) if isinstance(wh, int) else wh
    return Past(day_row(NOTICE_DAY - back, kind), values)


def search(kind: str = "working", since: str = "2026-01-01") -> Search:
    return Search(day_row(NOTICE_DAY, kind), format_day(NOTICE_DAY), since, [*EVENT, *WINDOW])


def reason(caught: pytest.ExceptionInfo[DomainError]) -> Reason:
    return caught.value.reason


def test_generation_is_added_back_so_that_weather_moves_nothing() -> None:
    assert flexible(100, 0, 0) == 100
    assert flexible(0, 850, 1_200) == flexible(350, 0, 0)


def test_a_sub_meter_counts_up_to_the_sites_own_and_a_tenth() -> None:
    assert [submetered(wh, 1_000) for wh in (900, 1_100, 1_101)] == [900, 1_100, 1_100]
    assert submetered(50, -10) == 0


def test_what_nobody_measured_is_assumed_against_the_portfolio() -> None:
    assert assumed(Direction.DOWN, 500, [400, 700]) == 700
    assert assumed(Direction.UP, 500, [400, 700]) == 400
    assert assumed(Direction.DOWN, 500, []) == assumed(Direction.UP, 500, []) == 500


def test_ten_of_ten_and_its_ratio_are_as_the_worked_example() -> None:
    values = [480, 520, 500, 610, 450, 470, 530, 490, 505, 515]
    days = [past(back + 1, wh) for back, wh in enumerate(values)]
    assert baseline.mean(days, [72]) == [507]
    level = adjustment.by_ratio([620, 620, 620], [510, 510, 510])
    assert level.ratio == 1_200_000
    assert level.applied([507]) == [608]
    high = baseline.used(baseline.RULES["high5of10"], day_row(NOTICE_DAY), days, EVENT)
    middle = baseline.used(baseline.RULES["mid8of10"], day_row(NOTICE_DAY), days, EVENT)
    assert (baseline.mean(high, [72]), baseline.mean(middle, [72])) == ([536], [501])


@pytest.mark.parametrize("rule", sorted(set(baseline.RULES) - {"mbma", "declared"}))
@given(data=st.data())
def test_every_rule_agrees_with_a_second_implementation(rule: str, data: st.DataObject) -> None:
    found = baseline.RULES[rule]
    wh = st.integers(0, 900)
    counts = st.integers(found.least, found.pool)
    profiles = [
        {place: data.draw(wh) for place in (*EVENT, *WINDOW)} for _ in range(data.draw(counts))
    ]
    actual = [data.draw(wh) for _ in WINDOW]
    used = baseline.used(
        found, day_row(NOTICE_DAY), [past(at + 1, one) for at, one in enumerate(profiles)], EVENT
    )
    event, beside = baseline.mean(used, EVENT), baseline.mean(used, WINDOW)
    level = {
        baseline.Adjusted.RATIO: lambda: adjustment.by_ratio(actual, beside),
        baseline.Adjusted.DIFFERENCE: lambda: adjustment.by_difference(actual, beside, event),
        baseline.Adjusted.NOT: adjustment.Level,
    }[found.adjusted]()
    assert level.applied(event) == oracle.level(rule, profiles, EVENT, WINDOW, actual)


def test_rules_of_the_highest_days_are_refused_for_an_increase() -> None:
    for name in ("high5of10", "high4of5"):
        with pytest.raises(DomainError) as caught:
            baseline.rule(name, Direction.UP)
        assert reason(caught) == Reason.DIRECTION_REFUSED
        assert baseline.rule(name, Direction.DOWN)
    with pytest.raises(DomainError) as caught:
        baseline.rule("mine", Direction.UP)
    assert reason(caught) == Reason.UNKNOWN_BASELINE


def test_fewer_days_than_the_rule_asks_for_make_no_baseline() -> None:
    days = [past(back, 100) for back in range(1, 5)]
    with pytest.raises(DomainError) as caught:
        baseline.used(baseline.RULES["10of10"], day_row(NOTICE_DAY), days, EVENT)
    assert reason(caught) == Reason.TOO_FEW_DAYS
    assert baseline.used(baseline.RULES["10of10"], day_row(NOTICE_DAY, "saturday"), days, EVENT)


def test_the_pool_takes_the_newest_like_days_before_the_notice() -> None:
    history = [past(back, 100, "saturday" if back % 7 == 0 else "working") for back in range(60)]
    found = likedays.pool(history, search(), 10)
    backs = [NOTICE_DAY - parse_day(one.day["day"]) for one in found]
    assert backs == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    others = likedays.pool(history, search("sunday_or_holiday"), 4)
    assert [NOTICE_DAY - parse_day(one.day["day"]) for one in others] == [7, 14, 21, 28]


def test_each_day_that_is_passed_over_has_its_reason() -> None:
    plain = past(3, 100)
    without = dict.fromkeys(EVENT, 100)
    cases = {
        Dropped.OUT_OF_REACH: past(46, 100),
        Dropped.OTHER_TYPE: past(3, 100, "sunday_or_holiday"),
        Dropped.ORDERED: Past(plain.day, plain.values, is_ordered=True),
        Dropped.ABSENT: Past(plain.day, plain.values, is_absent=True),
        Dropped.NOT_MEASURED: past(3, without),
    }
    assert likedays.dropped(plain, search()) is None
    assert likedays.dropped(past(45, 100), search()) is None
    assert likedays.dropped(past(0, 100), search()) == Dropped.OUT_OF_REACH
    for expected, one in cases.items():
        assert likedays.dropped(one, search()) == expected
    since = format_day(NOTICE_DAY - 2)
    assert likedays.dropped(plain, search(since=since)) == Dropped.BEFORE_TERM


def test_the_window_ends_an_hour_before_notice_or_start() -> None:
    start = 18 * HOUR
    assert adjustment.window(13 * HOUR, start, 900) == list(range(9 * HOUR, 12 * HOUR, 900))
    assert adjustment.window(19 * HOUR, start, 900) == list(range(14 * HOUR, 17 * HOUR, 900))
    ragged = adjustment.window(13 * HOUR + 60, start, 900)
    assert (ragged[0], ragged[-1]) == (9 * HOUR + 900, 12 * HOUR - 900)


def test_the_baseline_stays_where_the_window_says_too_little() -> None:
    day = day_row(NOTICE_DAY)
    noon = day["start"] + 12 * HOUR

    def kept(notice: int, start: int, actual: list[int | None]) -> Kept | None:
        intervals = adjustment.window(notice, start, 900)
        return adjustment.reason_to_keep(day, notice, start, intervals, actual)

    assert kept(noon, noon + 5 * HOUR, [100] * 12) is None
    assert kept(noon, noon + 6 * HOUR, [100] * 12) is None
    assert kept(noon, noon + 6 * HOUR + 1, [100] * 12) == Kept.EARLY_NOTICE
    assert kept(noon, noon + HOUR, [100, None]) == Kept.NOT_MEASURED
    early = day["start"] + 3 * HOUR
    assert kept(early, early + HOUR, [100] * 12) == Kept.OTHER_DAY
    assert adjustment.by_ratio([500] * 12, [49] * 12).kept == Kept.LITTLE_LOAD
    assert adjustment.by_ratio([500] * 12, [50] * 12).ratio == 1_200_000
    assert adjustment.by_ratio([0] * 12, [50] * 12).ratio == 800_000


def test_hours_beside_the_event_serve_short_notice_only_and_pay_less() -> None:
    start, end = 18 * HOUR, 19 * HOUR
    assert ownday.hours(start - 900, start, end) == (16 * HOUR, 20 * HOUR)
    assert ownday.hours(start, start + 900, end + 900) == (17 * HOUR, 21 * HOUR)
    with pytest.raises(DomainError) as caught:
        ownday.hours(start - 901, start, end)
    assert reason(caught) == Reason.NOTICE_TOO_LONG
    before, after = [400, 401], [500, 500]
    assert ownday.level(Direction.DOWN, before, after) == 400
    assert ownday.level(Direction.UP, before, after) == 500
    assert ownday.level(Direction.DOWN, [], after) == 500  # the table's least is one
    with pytest.raises(DomainError) as caught:
        ownday.level(Direction.UP, [], [])
    assert reason(caught) == Reason.TOO_FEW_DAYS


def test_schedules_are_believed_while_they_come_true_within_a_fifth() -> None:
    assert ownday.is_trusted([120, 80], [100, 100])
    assert not ownday.is_trusted([121, 80], [100, 100])


@pytest.mark.parametrize(
    ("notice", "month"),
    [
        ("2026-03-01", "2026-02"),
        ("2026-03-30", "2026-02"),
        ("2026-03-31", None),
        ("2026-01-05", "2025-12"),
    ],
)
def test_a_month_of_schedules_counts_for_thirty_days_after_it(
    notice: str, month: str | None
) -> None:
    assert ownday.judged_month(notice) == month


# Europe/Rome 2026 (rules T1)
SPRING: Day = {"day": "2026-03-29", "start": 1774738800, "end": 1774821600, "type": "saturday"}
AUTUMN: Day = {"day": "2026-10-25", "start": 1792879200, "end": 1792969200, "type": "saturday"}


def test_places_go_by_the_clock_on_the_wall() -> None:
    short = [localclock.place(SPRING, at, 900) for at in range(SPRING["start"], SPRING["end"], 900)]
    assert short == [*range(8), *range(12, 96)]
    long = [localclock.place(AUTUMN, at, 900) for at in range(AUTUMN["start"], AUTUMN["end"], 900)]
    assert long == [*range(12), *range(8, 96)]
    plain = day_row(NOTICE_DAY)
    assert localclock.place(plain, plain["end"] - 900, 900) == 95


def test_of_a_repeated_hour_the_first_occurrence_is_history() -> None:
    values = {at: at for at in range(AUTUMN["start"], AUTUMN["end"], 900)}
    profile = localclock.by_clock(AUTUMN, values, 900)
    assert len(profile) == 96
    assert profile[8] == AUTUMN["start"] + 8 * 900
    assert localclock.by_clock(SPRING, {SPRING["start"]: 5}, 900).get(8) is None
