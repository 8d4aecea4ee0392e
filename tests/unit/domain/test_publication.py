# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import publication
from pedchain_domain.documents import Parameters
from pedchain_domain.reasons import Reason

SETTING = Parameters()
FLOWS = ("I", "E", "G", "C", "L", "Ch", "D")


def totals(**contributions: tuple[int, int]) -> dict[str, Any]:
    whole = dict.fromkeys(FLOWS, 1_000)
    held = {**dict.fromkeys(FLOWS, (20, 100)), **contributions}
    return {
        "day": "2026-01-31",
        "salt": "00" * 16,
        "additive": whole,
        "contributions": {name: list(pair) for name, pair in held.items()},
    }


def hidden(**contributions: tuple[int, int]) -> dict[str, Reason]:
    return publication.hidden(totals(**contributions), SETTING)


def test_a_number_of_fifteen_sites_none_above_fifteen_percent_is_printed() -> None:
    assert hidden(**dict.fromkeys(FLOWS, (15, 150))) == {}


def test_fewer_sites_hide_a_number_and_its_complement() -> None:
    assert hidden(G=(14, 100)) == {
        "G": Reason.GROUP_TOO_SMALL,
        "L": Reason.COMPLEMENTARY,
        "C": Reason.COMPLEMENTARY,
    }


def test_a_site_above_the_share_hides_a_number() -> None:
    assert hidden(I=(20, 151))["I"] == Reason.GROUP_TOO_SMALL


def test_a_number_nobody_contributes_to_is_a_plain_zero() -> None:
    none = totals(Ch=(0, 0), D=(0, 0))
    none["additive"] = {**none["additive"], "Ch": 0, "D": 0}
    assert publication.hidden(none, SETTING) == {}


def test_few_batteries_hide_consumption_because_demand_would_tell_them() -> None:
    found = hidden(Ch=(3, 100), D=(3, 100))
    assert found["C"] == Reason.COMPLEMENTARY
    assert "L" not in found
    assert "G" not in found


@given(st.lists(st.sampled_from(FLOWS), max_size=7, unique=True))
def test_no_hidden_number_follows_from_printed_ones(few: list[str]) -> None:
    """The identities G - L = E - I and L = C + Ch - D never have exactly one unknown."""
    found = hidden(**dict.fromkeys(few, (3, 100)))
    for identity in (("I", "E", "G", "L"), ("L", "C", "Ch", "D"), ("I", "E", "G", "C", "Ch", "D")):
        assert sum(1 for name in identity if name in found) != 1


def test_a_number_is_as_secret_as_what_it_is_computed_from() -> None:
    found = hidden(Ch=(3, 100))
    assert publication.reason_for("covered", found) == Reason.COMPLEMENTARY
    assert publication.reason_for("X", found) is None
    assert publication.reason_for("Ch", found) == Reason.GROUP_TOO_SMALL


def test_marks_are_set_anew_each_time() -> None:
    once = publication.marked(totals(E=(3, 100)), SETTING)
    assert once["additive"]["hidden.E"] == 1
    again = publication.marked({**once, "contributions": totals()["contributions"]}, SETTING)
    assert [name for name in again["additive"] if name.startswith("hidden")] == []


@pytest.mark.parametrize(("sites", "held"), [(0, False), (1, True), (14, True), (15, False)])
def test_a_later_run_is_printed_if_it_changes_fifteen_sites_or_none(sites: int, held: bool) -> None:
    assert publication.held(sites, SETTING) is held


def test_small_corrections_wait_for_the_months_last_day() -> None:
    former, later = totals(), totals()
    later["additive"] = {**later["additive"], "I": 1_040, "E": 995}
    first = publication.true_up(None, former, later)
    assert first["additive"] == {"I": 40, "E": -5}
    both = publication.true_up(first, former, later)
    assert both["additive"] == {"I": 80, "E": -10}
    last = publication.with_true_up(former, both)
    assert last["additive"]["I"] == 1_080
    assert last["true_up"] == {"I": 80, "E": -10, "G": 0, "C": 0}
    next_month = publication.true_up(
        both, {**former, "day": "2026-02-01"}, {**later, "day": "2026-02-01"}
    )
    assert next_month["additive"] == {"I": 40, "E": -5}
