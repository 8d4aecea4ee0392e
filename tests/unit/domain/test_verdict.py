# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from pedchain_domain import verdict, window
from pedchain_domain.reasons import Reason
from tests.unit.domain.homes import district
from tests.unit.domain.test_window import totals

GOOD = {
    "E": 1_000, "I": 900, "nren_worst": -10, "ghg_worst": 0, "known_s": 100, "required_s": 100,
    "profile_s": 100,
}  # fmt: skip


def filled(days: int = 1, length: int = 1, **additive: int) -> dict[str, Any]:
    made = window.empty(length)
    for at in range(days):
        day = totals(at, {**GOOD, **additive})
        day["edges"] = {side: {"wh": 0, "ghg": 0, "nren": 0} for side in ("start", "end")}
        day["scope"] = {"heating.metered": 100, "vehicles.none": 100}
        made = window.advance(made, day)
    return made


def judge(made: dict[str, Any], rule: str = "R1", **overrides: int) -> verdict.Judgement:
    return verdict.judge(made, district(rule=rule, **{"window_days": 1, **overrides}))


def test_the_worked_example_is_not_positive_until_substitutes_arrive() -> None:
    missing = filled(E=1_000_000, I=970_000, draw=60_000)
    assert verdict.worst_balances(missing)["electric_wh"] == -30_000
    assert judge(missing).verdict == "not_positive"
    assert judge(filled(E=1_000_000, I=970_000)).verdict == "positive"


def test_equality_is_not_a_surplus() -> None:
    assert judge(filled(E=900)).verdict == "not_positive"
    assert judge(filled(E=901)).verdict == "positive"
    assert judge(filled(nren_worst=0), "R2").verdict == "not_positive"
    assert judge(filled(nren_worst=-1), "R2").verdict == "positive"


def test_before_a_full_window_the_word_positive_is_not_said() -> None:
    assert judge(filled(2, 3), window_days=3).verdict == "insufficient_history"
    assert judge(filled(3, 3), window_days=3).verdict == "positive"


def test_history_is_judged_before_coverage_and_coverage_before_the_balance() -> None:
    poor = {"known_s": 50}
    assert judge(filled(1, 3, **poor), window_days=3).verdict == "insufficient_history"
    assert judge(filled(**poor, E=0)).verdict == "insufficient_coverage"


def test_coverage_of_the_window_and_of_each_month_is_needed() -> None:
    assert judge(filled(known_s=97)).verdict == "insufficient_coverage"
    assert judge(filled(known_s=98)).verdict == "positive"
    made = filled(known_s=98)
    made["months"] = {"2026-01": [100, 100], "2026-02": [89, 100]}
    assert judge(made).verdict == "insufficient_coverage"
    made["months"]["2026-02"] = [90, 100]
    assert judge(made).verdict == "positive"
    assert judge(filled(known_s=0, required_s=0)).verdict == "insufficient_coverage"


def test_the_default_rule_needs_primary_energy_and_emissions() -> None:
    assert judge(filled(), "R3").verdict == "positive"
    assert judge(filled(ghg_worst=1), "R3").verdict == "not_positive"
    assert judge(filled(nren_worst=1), "R3").verdict == "not_positive"
    assert judge(filled(ghg_worst=1), "R2").verdict == "positive"


@pytest.mark.parametrize(("rule", "name"), [("R2", "nren_worst"), ("R3", "ghg_worst")])
def test_a_missing_factor_is_never_positive(rule: str, name: str) -> None:
    found = judge(filled(**{f"missing.{name}": 1}), rule)
    assert found.verdict == "not_positive"
    assert found.reasons == [Reason.MISSING_FACTOR]


def test_bridges_over_the_windows_two_ends_count_against_it() -> None:
    made = filled()
    made["daily"][0][2].update(wh=60, nren=6, ghg=1)
    assert judge(made).verdict == "positive"
    made["end"].update(wh=40, nren=5)
    assert judge(made).verdict == "not_positive"
    assert judge(made, "R2").verdict == "not_positive"
    assert judge(made, "R3").verdict == "not_positive"


def test_unknown_heating_or_mobility_refuses_the_claim_of_a_district() -> None:
    made = filled(nren_worst=5)
    made["scope"] = {"heating.unknown": 11, "heating.metered": 89, "vehicles.none": 100}
    found = judge(made, "R3")
    assert (found.verdict, found.rule, found.claim) == ("positive", "R1", "electricity")
    assert found.reasons == [Reason.SCOPE_UNKNOWN]
    made["scope"] = {"heating.unknown": 10, "heating.metered": 90, "vehicles.none": 100}
    assert judge(made, "R3").rule == "R3"
    made["scope"] = {"heating.metered": 100, "vehicles.unknown": 50, "vehicles.none": 50}
    assert judge(made, "R3").rule == "R1"


def test_an_empty_window_has_no_verdict() -> None:
    assert judge(window.empty(1)).verdict == "insufficient_history"
