# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from pedchain_domain import documents, factors
from pedchain_domain.factors import Intensity, boundary_balance
from pedchain_domain.reasons import DomainError, Reason
from tests.unit.domain import homes
from tests.unit.domain.homes import START

# The ISO 52000-1 cases of rules I7, factors x 1000.
GRID, INSITU, A, B = [500, 2000, 420], [1000, 0, 0], [1000, 0, 0], [500, 2000, 420]
ELECTRICITY = {"grid": GRID, "insitu": INSITU, "export_a": A, "export_b": B}
STEP_A = {**ELECTRICITY, "export_b": A}


@pytest.mark.parametrize(
    ("use", "made", "k_exp", "expected"),
    [
        (100, 0, 1, (50_000, 200_000, 42_000)),
        (100, 50, 1, (75_000, 100_000, 21_000)),
        (100, 140, 1, (120_000, -80_000, -16_800)),
        (100, 140, 0, (100_000, 0, 0)),
    ],
    ids=["J1", "J2", "J3", "J4"],
)
def test_primary_energy_of_iso_52000(
    use: int, made: int, k_exp: int, expected: tuple[int, int, int]
) -> None:
    drawn, given = max(0, use - made), max(0, made - use)
    assert boundary_balance(ELECTRICITY, drawn, given, made, k_exp) == expected


def test_step_a_alone_of_j3() -> None:
    assert boundary_balance(STEP_A, 0, 40, 140, 1) == (100_000, 0, 0)


def test_avoided_co2_of_the_worked_example_adds_up() -> None:
    """CI 300,000; C 5000 of which HP 1500 and EV 2000; X 1200; heat 4500; 12,500 m (rules I8)."""
    reference = {"heat_efficiency_ppm": 900_000, "heat_ug_per_wh": 202_000, "km_ug_per_m": 150_000}
    intensity = 300_000
    electricity = factors.weighted([5000 - 1200], [intensity])
    heat = factors.avoided_heat(4500, 1500 * intensity, reference)
    mobility = factors.avoided_mobility(12_500, 2000 * intensity, reference)
    assert (electricity, heat, mobility) == (1_140_000_000, 560_000_000, 1_275_000_000)
    base = (5000 - 1500 - 2000) * intensity + 4500 * 10**6 // 900_000 * 202_000 + 12_500 * 150_000
    parts = [part for part in (electricity, heat, mobility) if part is not None]
    assert sum(parts) == base - 1200 * intensity == 2_975_000_000


def test_nothing_to_replace_needs_no_factor() -> None:
    assert factors.avoided_heat(0, 0, {}) == 0
    assert factors.avoided_heat(0, 7, {}) == -7
    assert factors.avoided_mobility(0, 0, {}) == 0


def test_a_missing_factor_is_null_never_zero() -> None:
    assert factors.avoided_heat(1, 0, {}) is None
    assert factors.avoided_heat(1, 0, {"heat_efficiency_ppm": 0, "heat_ug_per_wh": 1}) is None
    assert factors.avoided_heat(1, None, {}) is None
    assert factors.avoided_mobility(1, 0, {}) is None
    assert factors.other_carriers_ghg({"HEAT_IN.Q": 1}, {}) is None
    assert factors.other_carriers_ghg({"GAS.V": 1}, {}) is None
    assert factors.weighted([1], [None]) is None
    assert factors.weighted([0, 2], [None, 5]) == 10


def test_carriers_across_the_boundary_enter_the_ghg_balance() -> None:
    reference = {"network_heat_ug_per_wh": 10, "gas_ug_per_dm3": 2_000}
    detail = {"HEAT_IN.Q": 50, "HEAT_OUT.Q": 20, "GAS.V": 3}
    assert factors.other_carriers_ghg(detail, reference) == 300 + 6_000


def test_a_missing_hour_falls_back_to_month_and_year_and_is_counted() -> None:
    table = homes.factors([5, None, 7])
    table["intensity"]["month"] = {"2026-01": 9}
    intensity = Intensity(table)
    assert [intensity.at(START + hour * 3600) for hour in range(4)] == [
        (5, False), (9, True), (7, False), (9, True),
    ]  # fmt: skip
    assert intensity.at(START + 40 * 86_400) == (300_000, True)
    assert intensity.at(START - 1) == (None, True)
    assert intensity.fallbacks(START, START + 4 * 3600) == 2
    assert intensity.series(START, START + 7200, 900) == [5] * 4 + [9] * 4
    assert intensity.series(START + 1800, START + 5400, 900) == [5, 5, 9, 9]


def test_a_bridge_is_bound_by_the_extremes_of_its_hours() -> None:
    intensity = Intensity(homes.factors([5, 3, 7]))
    assert intensity.extremes(START + 1800, START + 3 * 3600) == (3, 7)
    assert intensity.extremes(START - 3600, START) is None


@pytest.mark.parametrize(
    "change",
    [
        {"reference": {"km_ug_per_metre": 1}},  # misspelt: would be a factor nobody misses
        {"reference": {"heat_efficiency_ppm": 0}},
        {"reference": {"km_ug_per_m": -1}},
        {"intensity": {"month": {"2026-13": 1}}},
        {"intensity": {"year": {"26": 1}}},
        {"intensity": {"year": {"2026": 5_000_001}}},  # kg where ug are meant
        {"intensity": {"hour": {"start": 0, "values": [-1]}}},
        {"calorific": {"day": {}}},
        {"calorific": {"month": {"2026-01": 100_001}}},
        {"calorific": 11_200},
        {"primary": {"electricity": {}}},
        {"primary": {"el ectricity": homes.factors()["primary"]["electricity"]}},
        {
            "primary": {
                "gas": {**homes.factors()["primary"]["electricity"], "grid": [0, 100_001, 0]}
            }
        },
        {"source": ""},
    ],
)
def test_a_table_that_slipped_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DomainError) as caught:
        documents.check({**homes.factors(), **change})
    assert caught.value.reason == Reason.MALFORMED_DOCUMENT


def test_gas_has_the_months_calorific_value_else_the_years_else_the_reference() -> None:
    table = documents.check(
        {
            **homes.factors(),
            "calorific": {"month": {"2026-01": 11_100, "2026-02": None}, "year": {"2026": 11_200}},
            "reference": {"gas_wh_per_m3": 10_000},
        }
    )
    january, february, later = homes.START, homes.START + 31 * homes.DAY, homes.START + 400 * 86_400
    assert factors.calorific_wh_per_m3(table, january) == 11_100
    assert factors.calorific_wh_per_m3(table, february) == 11_200
    assert factors.calorific_wh_per_m3(table, later) == 10_000
    assert factors.calorific_wh_per_m3(homes.factors(), january) is None


def test_what_a_table_lacks_is_named_and_never_zero() -> None:
    table = homes.factors()
    assert factors.primary(table, "gas") is None
    assert factors.primary(table, "electricity") == table["primary"]["electricity"]
    needed = ["heat_efficiency_ppm", "km_ug_per_m"]
    assert factors.lacking(table, needed) == needed
    table["reference"] = {"km_ug_per_m": 0, "heat_efficiency_ppm": None}
    assert factors.lacking(table, needed) == ["heat_efficiency_ppm"]
