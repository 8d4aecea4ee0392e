# SPDX-License-Identifier: Apache-2.0
"""A site's figure of a day, what is frozen at notice, and its statement (rules D1, D4 to D10)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.calendar import Day
from pedchain_domain.flexibility import figure, history
from pedchain_domain.flexibility.baseline import RULES
from pedchain_domain.flexibility.basis import Asked
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.flexibility.statement import statement
from pedchain_domain.instants import DAY, format_day, parse_day
from pedchain_domain.reasons import DomainError, Reason
from tests.oracles import flexibility as oracle

HOUR, TODAY = 3_600, parse_day("2026-05-20")
AUTUMN: Day = {"day": "2026-10-25", "start": 1792879200, "end": 1792969200, "type": "saturday"}


def row(number: int) -> Day:
    start = number * DAY
    return {"day": format_day(number), "start": start, "end": start + DAY, "type": "working"}


EVENT = TODAY * DAY + 12 * HOUR
NOTICE = EVENT - 3 * HOUR
ORDER: dict[str, Any] = {"start": EVENT, "count": 2, "grain": HOUR}
FRAME = history.frame(ORDER, NOTICE, row(TODAY))


def site(
    values: list[int], letters: str = "M" * 24, period: int = 1, **more: Any
) -> dict[str, Any]:
    return {"f": values, "c": letters, "g": [], "gw": 0, "p": [[period, 24]], **more}


def pasts(values: list[list[int]]) -> list[Any]:
    """Shared days, the newest first, as far as a statement needs them."""
    places = range(24)
    return [
        history.past(row(TODAY - 1 - back), site(day), places, HOUR, ordered=False)
        for back, day in enumerate(values)
    ]


def made(today: dict[str, Any], days: list[list[int]], **changes: Any) -> dict[str, Any]:
    asked = Asked(Direction.DOWN, RULES["10of10"], FRAME, 5)
    options = {"dispatched": 400, "neighbours": {}, **changes}
    return statement(asked, today, pasts(days), **options)


def test_f_is_made_of_what_a_plan_has_and_its_worst_class() -> None:
    registers = {
        ("GCP", "I"): [([100, 0, 5], "MMX")],
        ("GCP", "E"): [([0, 850, 0], "MGM")],
        ("GEN", "G"): [([0, 1_200, 7], "MMM")],
    }
    found = figure.figure("P1", registers, 3)
    assert found == {"f": [100, 350, 12], "c": "MGX", "g": [0, 1_200, 7]}
    assert figure.figure("P1", {("GCP", "I"): [([1], "M")]}, 1)["c"] == "X"
    own = {("GCP", "I"): [([3], "M")], ("GCP", "E"): [([900], "M")]}
    assert figure.figure("P2", own, 1)["f"] == [3]
    hybrid = {
        ("GCP", "I"): [([30], "M")],
        ("GCP", "E"): [([0], "M")],
        ("HYB", "out"): [([470], "M")],
        ("HYB", "in"): [([20], "M")],
    }
    assert figure.figure("P4", hybrid, 1)["f"] == [480]
    assert figure.figure("P0", {("GCP", "I"): [([9], "S")]}, 1)["c"] == "X"


@given(st.lists(st.integers(1, 4), max_size=30))
def test_periods_are_kept_as_runs(periods: list[int]) -> None:
    runs = figure.filed(periods)
    assert [figure.period_at(runs, at) for at in range(len(periods))] == periods
    assert figure.period_at(runs, len(periods)) is None


def test_an_orders_places_on_the_clock() -> None:
    assert (list(FRAME.event), list(FRAME.window), list(FRAME.waiting)) == (
        [12, 13],
        [5, 6, 7],
        [9, 10, 11],
    )
    assert list(FRAME.shown) == list(range(5, 16))


def test_an_order_in_the_hour_the_clock_shows_twice_is_refused() -> None:
    start = AUTUMN["start"]
    for hour, fits in ((1, True), (2, False), (3, False), (4, True)):
        asked = {"start": start + hour * HOUR, "count": 2, "grain": HOUR}
        if fits:
            history.frame(asked, start, AUTUMN)
            continue
        with pytest.raises(DomainError) as caught:
            history.frame(asked, start, AUTUMN)
        assert caught.value.reason == Reason.OUTSIDE_DAY


def test_a_statement_agrees_with_the_second_implementation() -> None:
    days = [[400 + 3 * back + hour for hour in range(24)] for back in range(10)]
    today = [420 + hour for hour in range(24)]
    today[12:14] = [200, 250]
    found = made(site(today), days)
    profiles = [dict(enumerate(day)) for day in days]
    actual = [today[at] for at in FRAME.window]
    base = oracle.level("10of10", profiles, [12, 13], [5, 6, 7], actual)
    assert found["baseline"] == base
    assert found["measured"] == [200, 250]
    assert found["contributed"] == min(400, sum(base) - 450)
    assert found["shown"]["event"] == 7
    assert found["days"][0] == "2026-05-19"


def test_what_was_filed_after_the_notice_adjusts_nothing() -> None:
    days = [[500] * 24 for _ in range(10)]
    late = made(site([600] * 24, period=5), days)
    assert (late["kept"], late["ratio"]) == ("window-not-measured-before-notice", 1_000_000)
    assert made(site([600] * 24, period=4), days)["ratio"] == 1_200_000


def test_a_load_raised_between_notice_and_start_adjusts_nothing() -> None:
    days = [[500] * 24 for _ in range(10)]
    today = [550] * 9 + [601] * 3 + [400] * 12
    found = made(site(today), days)
    assert (found["flags"], found["ratio"]) == (["load-after-notice"], 1_000_000)
    calm = made(site([550] * 9 + [600] * 3 + [400] * 12), days)
    assert (calm["flags"], calm["ratio"]) == ([], 1_100_000)


def test_a_generator_that_stood_still_earns_and_helps_nothing() -> None:
    days = [[500] * 24 for _ in range(10)]
    still = site([500] * 12 + [100] * 12, g=[0] * 24, gw=5_000)
    others = {f"n{at}": (9_000, 5_000) for at in range(3)}
    found = made(still, days, neighbours=others)
    assert found["flags"] == ["generation-off"]
    assert found["contributed"] == 0
    assert found["baseline"] == found["measured"] == [100, 100]
    assert made(still, days, neighbours=dict(list(others.items())[:2]))["contributed"] == 400


def test_a_site_whose_days_were_lost_earns_nothing() -> None:
    found = made(site([100] * 24), [[500] * 24 for _ in range(4)])
    assert found["flags"] == ["too-few-days"]
    assert (found["contributed"], found["baseline"], found["days"]) == (0, [100, 100], [])


def test_placebo_days_have_the_baseline_the_order_would_have_had() -> None:
    days = [[100 + back] * 24 for back in range(20)]
    found = history.placebos(RULES["10of10"], FRAME, "2026-05-20", "", pasts(days))
    assert next(iter(found)) == "2026-05-19"
    assert len(found) == 12
    mean = sum(100 + back for back in range(1, 11)) // 10
    assert found["2026-05-19"] == [(mean, 100), (mean, 100)]


SHORT = history.frame({**ORDER, "rule": "mbma"}, EVENT - 600, row(TODAY))


def own(name: str, today: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A statement by a rule of the event's own day."""
    framed = SHORT if name == "mbma" else FRAME
    direction = changes.pop("direction", Direction.DOWN)
    options = {"dispatched": 400, "neighbours": {}, **changes}
    return statement(Asked(direction, RULES[name], framed, 5), today, [], **options)


def test_the_hours_beside_an_event_make_a_flat_baseline_that_pays_less() -> None:
    """11 o'clock is not whole before the notice at 11:50, 15 o'clock an hour after the event."""
    assert [list(hour) for hour in SHORT.beside] == [[10], [15]]
    today = [500] * 24
    today[10], today[15], today[12], today[13] = 620, 580, 200, 300
    found = own("mbma", site(today))
    assert (found["baseline"], found["days"]) == ([580, 580], [])
    assert found["kept"] == "rule-without-adjustment"
    assert own("mbma", site(today), direction=Direction.UP)["baseline"] == [620, 620]
    one = own("mbma", site(today, "M" * 15 + "G" + "M" * 8))
    assert (one["baseline"], one["flags"]) == ([620, 620], [])
    none = own("mbma", site(today, "M" * 10 + "X" + "M" * 4 + "X" + "M" * 8))
    assert (none["flags"], none["contributed"]) == (["too-few-days"], 0)


def test_a_declared_schedule_is_the_baseline_as_it_is() -> None:
    today = [500] * 12 + [200, 300] + [500] * 10
    found = own("declared", site(today), schedule=list(range(600, 624)))
    assert (found["baseline"], found["contributed"]) == ([612, 613], 400)
    assert own("declared", site(today))["flags"] == ["too-few-days"]


def test_what_a_storage_sold_to_peers_lowers_the_baseline() -> None:
    """Quarters of an hour: 10 Wh sold in the first are 3, 3, 2 and 2 (rules D6)."""
    order = {"start": EVENT, "count": 5, "grain": 900}
    framed = history.frame(order, NOTICE, row(TODAY))
    asked = Asked(Direction.DOWN, RULES["declared"], framed, 5)
    today = {"f": [80] * 96, "c": "M" * 96, "g": [], "gw": 0, "p": [[1, 96]]}
    sold = {EVENT: 10, EVENT + HOUR: 4}
    found = statement(asked, today, [], 400, {}, schedule=[100] * 96, sold=sold)
    assert found["baseline"] == [97, 97, 98, 98, 99]
    assert (found["sold"], found["contributed"]) == (11, 489 - 400)
    first = found["shown"]["event"]
    assert found["shown"]["baseline"][first - 1 : first + 5] == [100, 97, 97, 98, 98, 99]


def test_placebo_days_of_own_rules_are_each_days_own() -> None:
    days = pasts([[100 + hour for hour in range(24)]] * 3)
    bases = history.own_bases(RULES["mbma"], Direction.DOWN, SHORT, days, {})
    assert bases == {one.day["day"]: [110, 110] for one in days}
    schedules = {"2026-05-18": [7] * 24}
    declared = history.own_bases(RULES["declared"], Direction.DOWN, FRAME, days, schedules)
    assert declared == {"2026-05-18": [7, 7]}
    found = history.placebos(RULES["declared"], FRAME, "2026-05-20", "", days, declared)
    assert found == {"2026-05-18": [(7, 112), (7, 113)]}
    assert history.own_bases(RULES["10of10"], Direction.DOWN, FRAME, days, {}) is None
