# SPDX-License-Identifier: Apache-2.0
"""Orders, consent and dispatch: each guard with its reason (rules D2, D3, D16)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import onboarding
from pedchain_domain.calendar import Day
from pedchain_domain.flexibility import dispatch, enrolment, order
from pedchain_domain.flexibility.dispatch import Able
from pedchain_domain.reasons import DomainError, Reason

HOUR = 3_600
DAY: Day = {"day": "2026-05-20", "start": 10 * 86_400, "end": 11 * 86_400, "type": "working"}
ORDER: dict[str, Any] = {
    "schema": "order/1",
    "id": "o-1",
    "issuer": "dso",
    "provider": "aggregator",
    "districts": ["DistrictA"],
    "direction": "down",
    "product": "firm",
    "start": DAY["start"] + 18 * HOUR,
    "count": 4,
    "grain": 900,
    "power_w": 1_600,
    "price": 300_000,
    "penalty": 300_000,
    "notice_s": 4 * HOUR,
    "rule": "10of10",
    "availability": 0,
    "toe_price": 0,
    "supplier": None,
    "low_accuracy": False,
}
SITES = {f"s{number:02}": 200 for number in range(15)}
PLAN = {"plan": "P1"}
CONSENT: dict[str, Any] = {
    "schema": "enrolment/1",
    "site": "s1",
    "device": "d1",
    "provider": "aggregator",
    "account": "home-1",
    "from": 100,
    "to": None,
    "up_w": 0,
    "down_w": 500,
    "available": 1_000_000,
    "from_hour": 0,
    "to_hour": 0,
    "share_ppm": 800_000,
    "history": True,
}


def refused(call: Any, *args: Any) -> Reason:
    with pytest.raises(DomainError) as caught:
        call(*args)
    return caught.value.reason


def test_a_whole_order_passes_every_guard() -> None:
    order.check(ORDER)
    order.check_time(ORDER, ORDER["start"] - 4 * HOUR)
    order.check_day(ORDER, DAY)
    order.check_size(ORDER, SITES, False)
    assert order.energy(ORDER) == 400
    assert order.end(ORDER) == ORDER["start"] + HOUR


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"power_w": 1_601}, Reason.INDIVISIBLE_POWER),
        ({"power_w": 0}, Reason.BAD_QUANTITY),
        ({"power_w": 10**13}, Reason.MALFORMED_DOCUMENT),
        ({"power_w": -4}, Reason.MALFORMED_DOCUMENT),
        ({"count": 1}, Reason.BAD_QUANTITY),
        ({"start": 1}, Reason.BAD_QUANTITY),
        ({"price": 0}, Reason.BAD_PRICE),
        ({"price": 300_500}, Reason.BAD_PRICE),
        ({"toe_price": 1}, Reason.BAD_PRICE),
        ({"toe_price": 1_000}, Reason.BAD_PRICE),
        ({"penalty": 601_000}, Reason.PENALTY_TOO_HIGH),
        ({"product": "best-effort", "penalty": 1_000}, Reason.PENALTY_TOO_HIGH),
        ({"direction": "up", "rule": "high5of10"}, Reason.DIRECTION_REFUSED),
        ({"rule": "mbma"}, Reason.NOTICE_TOO_LONG),
        ({"rule": "best"}, Reason.MALFORMED_DOCUMENT),
        ({"direction": "sideways"}, Reason.MALFORMED_DOCUMENT),
        ({"low_accuracy": 1}, Reason.MALFORMED_DOCUMENT),
        ({"colour": "red"}, Reason.MALFORMED_DOCUMENT),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused(change: dict[str, Any], reason: Reason) -> None:
    assert refused(order.check, {**ORDER, **change}) == reason


def test_best_effort_has_no_penalty_and_all_else_is_firm() -> None:
    best = {**ORDER, "product": "best-effort", "penalty": 0}
    order.check(best)
    assert not order.is_firm(best)
    assert order.is_firm(ORDER)
    assert order.is_firm({**ORDER, "product": "test"})


def test_supplier_compensation_must_be_said() -> None:
    unsaid = {name: value for name, value in ORDER.items() if name != "toe_price"}
    assert refused(order.check, unsaid) == Reason.MALFORMED_DOCUMENT


def test_notice_counts_by_the_ledgers_clock() -> None:
    start = ORDER["start"]
    assert refused(order.check_time, ORDER, start - 4 * HOUR + 1) == Reason.TOO_LATE
    assert refused(order.check_time, ORDER, start) == Reason.PAST_HOUR


def test_an_order_lies_within_one_local_day() -> None:
    late = {**ORDER, "start": DAY["end"] - 900}
    early = {**ORDER, "start": DAY["start"] - 900}
    assert refused(order.check_day, late, DAY) == Reason.OUTSIDE_DAY
    assert refused(order.check_day, early, DAY) == Reason.OUTSIDE_DAY
    order.check_day({**ORDER, "start": DAY["end"] - HOUR}, DAY)


def test_a_portfolio_has_enough_sites_and_power() -> None:
    few = dict(list(SITES.items())[:14])
    assert refused(order.check_size, ORDER, few, False) == Reason.GROUP_TOO_SMALL
    assert refused(order.check_size, ORDER, {**few, "s99": 99}, False) == Reason.GROUP_TOO_SMALL
    order.check_size(ORDER, {"plant": 5_000}, True)
    assert refused(order.check_size, ORDER, {"plant": 1_599}, True) == Reason.BEYOND_CAPACITY


def test_orders_overlap_where_they_share_an_instant() -> None:
    after = {**ORDER, "start": order.end(ORDER)}
    within = {**ORDER, "start": order.end(ORDER) - 900}
    assert not order.overlaps(ORDER, after)
    assert order.overlaps(ORDER, within)
    assert order.overlaps(within, ORDER)


def test_whoever_was_asked_least_is_asked_first() -> None:
    able = [Able("a", 500, asked_wh=10), Able("b", 500), Able("c", 1_000, asked_wh=5)]
    assert dispatch.dispatch(400, able) == {"b": 400}
    assert dispatch.dispatch(900, able) == {"b": 300, "c": 600}
    assert refused(dispatch.dispatch, 2_001, able) == Reason.BEYOND_CAPACITY


def test_what_is_half_available_counts_half() -> None:
    able = [Able("a", 500, available_ppm=500_000), Able("b", 0), Able("c", 500)]
    assert dispatch.dispatch(750, able) == {"a": 250, "c": 500}
    assert refused(dispatch.dispatch, 751, able) == Reason.BEYOND_CAPACITY


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 10**6), st.integers(0, 10**6))),
    st.integers(1, 5_000),
    st.randoms(),
)
def test_a_dispatch_is_exact_within_capacity_and_knows_no_order(
    rows: list[tuple[int, int, int]], power: int, chance: Any
) -> None:
    able = [Able(f"s{at}", *row) for at, row in enumerate(rows)]
    usable = {one.site: one.usable_w for one in able}
    if sum(usable.values()) < power:
        assert refused(dispatch.dispatch, power, able) == Reason.BEYOND_CAPACITY
        return
    found = dispatch.dispatch(power, able)
    assert sum(found.values()) == power
    assert all(0 <= watts <= usable[site] for site, watts in found.items())
    chance.shuffle(able)
    assert dispatch.dispatch(power, able) == found
    assert sum(dispatch.energies(found, 400).values()) == 400


def test_consent_offers_something_of_a_site_that_may_be_dispatched() -> None:
    enrolment.check(CONSENT, PLAN)
    cases: list[tuple[dict[str, Any], dict[str, Any], Reason]] = [
        ({"down_w": 0}, PLAN, Reason.BAD_QUANTITY),
        ({"to": 100}, PLAN, Reason.MALFORMED_DOCUMENT),
        ({"share_ppm": 1_000_001}, PLAN, Reason.MALFORMED_DOCUMENT),
        ({}, {"plan": "P1", "protected": True}, Reason.PROTECTED),
        ({}, {"plan": "P5"}, Reason.NOT_MEASURED),
    ]
    for change, site, reason in cases:
        assert refused(enrolment.check, {**CONSENT, **change}, site) == reason


def test_a_site_serves_one_provider_at_a_time() -> None:
    ended = {**CONSENT, "to": 200}
    enrolment.check_single({**CONSENT, "from": 200}, [ended])
    assert refused(enrolment.check_single, {**CONSENT, "from": 199}, [ended]) == Reason.OVERLAPS


def test_the_occupant_confirms_with_the_code_of_this_site() -> None:
    digest = onboarding.code_digest("flex:s1", "1234")
    assert enrolment.confirms("s1", "1234", digest)
    assert not enrolment.confirms("s1", "1235", digest)
    assert not enrolment.confirms("s2", "1234", digest)


def test_a_site_is_available_in_the_hours_it_offered() -> None:
    base = 20 * 86_400
    night = {**CONSENT, "from_hour": 22, "to_hour": 6}
    assert enrolment.is_available(night, base + 23 * HOUR, base + 25 * HOUR)
    assert not enrolment.is_available(night, base + 5 * HOUR, base + 7 * HOUR)
    assert not enrolment.is_available(night, base + 21 * HOUR, base + 23 * HOUR)
    assert enrolment.is_available(CONSENT, base, base + 86_400)
    assert not enrolment.is_available({**CONSENT, "to": base + 1}, base, base + 2)
    assert not enrolment.is_available(CONSENT, 99, 200)
