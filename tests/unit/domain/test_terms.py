# SPDX-License-Identifier: Apache-2.0
"""Terms: no two hold at once where only one may, and sums of those that do stay bounded."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import participation, terms
from pedchain_domain.numbers import PPM
from pedchain_domain.reasons import DomainError, Reason

HORIZON = 12
Term = dict[str, Any]


def term(begun: int, to: int | None, **more: Any) -> Term:
    return {"from": begun, "to": to, **more}


@st.composite
def a_term(draw: st.DrawFn) -> Term:
    begun = draw(st.integers(0, HORIZON - 1))
    return term(begun, draw(st.none() | st.integers(begun + 1, HORIZON)))


def instants(one: Term) -> set[int]:
    """Every instant at which it holds, by trying them; open ends reach one beyond the horizon."""
    return {at for at in range(HORIZON + 1) if one["from"] <= at and at < (one["to"] or 99)}


@given(a_term(), a_term())
def test_terms_overlap_when_they_share_an_instant(one: Term, other: Term) -> None:
    assert terms.overlap(one, other) == bool(instants(one) & instants(other))
    assert terms.overlap(one, other) == terms.overlap(other, one)


@given(st.lists(a_term(), max_size=12))
def test_whatever_is_added_no_two_terms_hold_at_once(offered: list[Term]) -> None:
    held: list[Term] = []
    for one in offered:
        if any(instants(one) & instants(other) for other in held if other != one):
            with pytest.raises(DomainError) as caught:
                terms.added(held, one)
            assert caught.value.reason == Reason.OVERLAPS
        else:
            held = terms.added(held, one)
    for at in range(HORIZON + 1):
        assert sum(terms.holds(one, at) for one in held) <= 1
    assert held == sorted(held, key=lambda one: one["from"])


def test_the_same_term_again_changes_nothing() -> None:
    held = [term(1, None)]
    assert terms.added(held, term(1, None)) == held


def test_an_open_term_is_ended_once_and_its_end_is_never_moved() -> None:
    held = terms.ended([term(1, None)], 1, 5)
    assert held == [term(1, 5)]
    assert terms.ended(held, 1, 5) == held
    for begun, to in ((1, 6), (2, 6)):
        with pytest.raises(DomainError) as caught:
            terms.ended(held, begun, to)
        assert caught.value.reason == Reason.WRONG_STATE
    with pytest.raises(DomainError) as caught:
        terms.ended([term(7, None)], 7, 7)
    assert caught.value.reason == Reason.MALFORMED_DOCUMENT


@given(st.lists(st.tuples(a_term(), st.integers(0, 9)), max_size=8))
def test_the_heaviest_instant_is_found(offered: list[tuple[Term, int]]) -> None:
    held = [{**one, "weight": weight} for one, weight in offered]
    sums = [sum(one["weight"] for one in held if at in instants(one)) for at in range(HORIZON + 1)]
    assert terms.heaviest(held, "weight") == max(sums)


def share(district: str, ppm: int, begun: int, to: int | None = None) -> Term:
    return {
        "schema": "participation/1",
        "site": "s",
        "district": district,
        "ppm": ppm,
        "from": begun,
        "to": to,
    }


@st.composite
def a_share(draw: st.DrawFn) -> Term:
    one = draw(a_term())
    ppm = draw(st.sampled_from([0, 250_000, 400_000, 600_000, PPM]))
    return share(draw(st.sampled_from("ABC")), ppm, one["from"], one["to"])


@given(st.lists(a_share(), max_size=12))
def test_shares_never_sum_to_more_than_the_whole(offered: list[Term]) -> None:
    held: list[Term] = []
    for one in offered:
        with suppress(DomainError):
            held = participation.added(held, one)
    for at in range(HORIZON + 1):
        parts = [participation.factor_ppm(held, name, "A", at) for name in "ABC"]
        assert sum(parts) <= PPM


def test_a_site_without_shares_takes_part_wholly_at_home() -> None:
    assert participation.factor_ppm([], "A", "A", 0) == PPM
    assert participation.factor_ppm([], "B", "A", 0) == 0


def test_a_share_is_ended_by_naming_its_end_and_another_may_follow() -> None:
    held = participation.added([], share("A", PPM, 0))
    with pytest.raises(DomainError) as caught:
        participation.added(held, share("B", 1, 5))
    assert caught.value.reason == Reason.SHARES_EXCEED
    held = participation.added(held, share("A", PPM, 0, 5))
    held = participation.added(held, share("B", 400_000, 5))
    assert participation.factor_ppm(held, "A", "A", 4) == PPM
    assert participation.factor_ppm(held, "A", "A", 5) == 0
    assert participation.factor_ppm(held, "B", "A", 5) == 400_000
