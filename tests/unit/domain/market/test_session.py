# SPDX-License-Identifier: Apache-2.0
"""The ledger's clock and what is due by it (rules K4, K5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.calendar import Day
from pedchain_domain.market import ledgerclock, session
from pedchain_domain.market.session import State, Step, move
from pedchain_domain.market.tokenid import HOUR, Carrier
from pedchain_domain.reasons import DomainError, Reason
from tests.oracles import market as oracle

FOUR = ["a", "b", "c", "d"]
# Europe/Rome: a plain day, the day with 23 hours, the day with 25
PLAIN = Day(day="2026-03-28", start=1_774_652_400, end=1_774_738_800, type="saturday")
SHORT = Day(day="2026-03-29", start=1_774_738_800, end=1_774_821_600, type="sunday_or_holiday")
LONG = Day(day="2026-10-25", start=1_792_879_200, end=1_792_969_200, type="sunday_or_holiday")
AT = session.times(PLAIN, SHORT["start"])


@pytest.mark.parametrize(
    "ticks", [(1000, 1001, 1002, 1003), (1000, 1001, 1002, 9999), (0, 1001, 1002, 1003)]
)
def test_the_clock_is_the_second_smallest_of_four(ticks: tuple[int, ...]) -> None:
    assert ledgerclock.clock(dict(zip(FOUR, ticks, strict=True)), FOUR) == 1001


honest = st.integers(1_000, 2_000)


@given(st.lists(honest, min_size=3, max_size=3), st.integers(0, 10**6))
def test_one_liar_or_one_silent_organisation_does_not_move_the_clock(
    times: list[int], lie: int
) -> None:
    """Whatever the fourth says, or nothing: the clock is a time an honest one has reached."""
    ticks = dict(zip(FOUR, times, strict=False))
    for found in (ticks, {**ticks, "d": lie}):
        assert min(times) <= ledgerclock.clock(found, FOUR) <= max(times)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=10))
def test_the_clock_is_as_the_second_implementation_has_it(ticks: list[int]) -> None:
    names = [str(at) for at in range(len(ticks))]
    found = ledgerclock.clock(dict(zip(names, ticks, strict=True)), names)
    assert found == oracle.clock(ticks)


def test_a_clock_of_nobody_stands_still() -> None:
    assert ledgerclock.clock({}, []) == 0
    assert ledgerclock.clock({}, FOUR) == 0


def test_a_tick_never_goes_back() -> None:
    assert ledgerclock.tick(5, 5) == 5
    for last, instant, reason in ((5, 4, "clock-backwards"), (0, -1, "malformed-time")):
        with pytest.raises(DomainError) as caught:
            ledgerclock.tick(last, instant)
        assert caught.value.reason == reason


def test_the_gate_is_at_17_local_time_on_the_day_before_whatever_its_length() -> None:
    for day in (PLAIN, SHORT, LONG):
        at = session.times(day, day["end"])
        assert at.opens == day["start"]
        assert at.gate == day["end"] - 7 * HOUR
        assert at.clear_by == at.gate + 900
        assert at.void == day["end"] - 2 * HOUR


def test_a_day_has_a_session_for_each_of_its_hours() -> None:
    assert [len(session.hours_of(day)) for day in (SHORT, PLAIN, LONG)] == [23, 24, 25]
    india = Day(day="2026-03-28", start=1_774_634_400 + 1_800, end=1_774_720_800 + 1_800, type="")
    assert session.hours_of(india)[0] == india["start"] + 1_800


def test_a_session_lives_as_the_rules_say() -> None:
    state = State.SCHEDULED
    for step, clock in (
        (Step.OPEN, AT.opens),
        (Step.CLOSE, AT.gate),
        (Step.CLEAR, AT.clear_by),
        (Step.MEASURE, AT.ends),
        (Step.SETTLE, AT.ends),
    ):
        state = move(state, step, AT, clock)
    assert state == State.SETTLED


@pytest.mark.parametrize(
    ("state", "step", "clock", "reason"),
    [
        (State.SCHEDULED, Step.OPEN, AT.opens - 1, Reason.TOO_EARLY),
        (State.SCHEDULED, Step.OPEN, AT.gate, Reason.TOO_LATE),
        (State.OPEN, Step.CLOSE, AT.gate - 1, Reason.TOO_EARLY),
        (State.CLOSED, Step.CLEAR, AT.void, Reason.TOO_LATE),
        (State.CLOSED, Step.VOID, AT.void - 1, Reason.TOO_EARLY),
        (State.CLEARED, Step.VOID, AT.void, Reason.WRONG_STATE),
        (State.CLEARED, Step.MEASURE, AT.ends - 1, Reason.TOO_EARLY),
        (State.CLOSED, Step.OPEN, AT.opens, Reason.WRONG_STATE),
        (State.SETTLED, Step.SETTLE, AT.ends, Reason.WRONG_STATE),
    ],
)
def test_a_step_that_is_not_due_is_refused(
    state: State, step: Step, clock: int, reason: Reason
) -> None:
    with pytest.raises(DomainError) as caught:
        move(state, step, AT, clock)
    assert caught.value.reason == reason


@pytest.mark.parametrize("state", [State.SCHEDULED, State.OPEN, State.CLOSED])
def test_what_nobody_cleared_is_void(state: State) -> None:
    assert move(state, Step.VOID, AT, AT.void) == State.VOID


def test_orders_need_an_open_session() -> None:
    session.accepts(State.OPEN)
    for state, reason in (
        (State.SCHEDULED, Reason.TOO_EARLY),
        (State.CLOSED, Reason.TOO_LATE),
        (State.CLEARED, Reason.TOO_LATE),
        (State.VOID, Reason.TOO_LATE),
        (State.MEASURED, Reason.PAST_HOUR),
        (State.SETTLED, Reason.PAST_HOUR),
    ):
        with pytest.raises(DomainError) as caught:
            session.accepts(state)
        assert caught.value.reason == reason


def test_a_session_is_named_by_its_product() -> None:
    found = session.session_id(Carrier.HEAT, 3, SHORT["start"])
    assert len(found) == 64
    assert found != session.session_id(Carrier.ELECTRICITY, 3, SHORT["start"])
