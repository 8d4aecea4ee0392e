# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from pedchain_domain import canonical, certificate, window
from tests.unit.domain import homes
from tests.unit.domain.homes import close_days, days, registers_of

HOURS = 24


def street(sites: int, plan: str = "P1", **energies: int) -> dict[str, Any]:
    steady = {"I": 100, "E": 40, "G": 90, **energies}
    values = {
        f"h{number:02d}": {role: [wh] * HOURS * 2 for role, wh in steady.items()}
        for number in range(sites)
    }
    return {"made": homes.roster_of(dict.fromkeys(values, plan)), "values": values}


def issue(street_of: dict[str, Any], about: dict[str, Any], drop: int = 0) -> list[dict[str, Any]]:
    registers = registers_of(street_of["values"])
    for name in list(registers)[:drop]:
        del registers[name][homes.START + 5 * 3600]
    filed = homes.rows(registers)
    table = homes.factors()
    made, documents = window.empty(365), []
    results = close_days(street_of["made"], filed, about, table, days(2))
    for day, (_, totals) in zip(days(2), results, strict=True):
        made = window.advance(made, totals)
        documents.append(certificate.build(about, day, "P", totals, made, "ab" * 32))
    return documents


def test_a_certificate_says_what_it_rests_on() -> None:
    document = issue(street(16), homes.district(rule="R3"))[1]
    assert document["rule"] == "ped"
    assert (document["district"], document["day"], document["run"]) == ("A", "2026-01-02", "P")
    assert (document["factors"], document["k_exp"], document["sites"]) == ("v1", 1, 16)
    assert document["classes"] == {"M": 16 * 3 * 24, "G": 0, "S": 0, "X": 0}
    assert document["coverage"] == {"energy_ppm": 1_000_000, "profile_ppm": 1_000_000}
    assert document["electricity"]["import_wh"] == 16 * 2400
    assert document["electricity"]["drawn_wh"] == 16 * 60 * 24
    assert document["window"]["electricity"]["import_wh"] == 2 * 16 * 2400
    assert document["notes"] == {}
    assert canonical.decode_canonical(canonical.encode(document)) == document


def test_before_a_year_there_is_a_balance_to_date_and_no_verdict() -> None:
    document = issue(street(16, E=400, G=400), homes.district())[1]
    found = document["verdict"]
    assert found["verdict"] == "insufficient_history"
    assert found["to_date"] == {"days": 2, "surplus_wh": 2 * 16 * 300 * 24}
    assert "positive" not in canonical.encode(document).decode()


def test_a_full_window_has_a_verdict_and_no_balance_to_date() -> None:
    document = issue(street(16, E=400, G=400), homes.district(window_days=2))[1]
    assert document["verdict"]["verdict"] == "positive"
    assert document["verdict"]["to_date"] is None
    assert document["verdict"]["worst_case"]["electric_wh"] == 2 * 16 * 300 * 24


def test_numbers_of_too_few_sites_are_null_with_the_reason() -> None:
    document = issue(street(14), homes.district())[0]
    printed = {"charged_wh", "discharged_wh", "ci_fallback_hours"}
    printed |= {"avoided_heat_ug", "avoided_mobility_ug"}  # nobody contributes: plain zeros
    for group in ("electricity", "emissions", "primary_wh_milli"):
        for name, value in document[group].items():
            assert (value is None) == (name not in printed), name
    assert document["indicators"]["oer_ppm"] is None
    assert document["indicators"]["mhd_wh"] is None
    assert document["verdict"]["to_date"] == {"days": 1, "surplus_wh": None}
    assert document["verdict"]["worst_case"] is None
    assert document["notes"]["electricity.import_wh"] == "group-too-small"
    assert document["notes"]["window.electricity.import_wh"] == "differencing"


def test_what_one_silent_home_is_given_is_not_printed() -> None:
    document = issue(street(16), homes.district(window_days=2), drop=1)[1]
    assert document["verdict"]["verdict"] == "not_positive"
    assert document["verdict"]["worst_case"] is None
    assert document["notes"]["verdict.worst_case.electric_wh"] == "group-too-small"


def test_profile_dependent_indices_need_profile_coverage() -> None:
    document = issue(street(16), homes.district(), drop=32)[0]
    assert document["coverage"]["energy_ppm"] == 1_000_000
    assert document["coverage"]["profile_ppm"] < 950_000
    shown = document["indicators"]
    for name in ("self_consumption_ppm", "amr_ppm", "mhs_wh", "mhd_ppm", "gii_ppm"):
        assert shown[name] is None
        assert document["notes"][f"indicators.{name}"] == "low-profile-coverage"
    assert shown["oer_ppm"] is not None


def test_a_ratio_over_nothing_is_null_with_its_reason() -> None:
    document = issue(street(16, "P0"), homes.district())[0]
    assert document["electricity"]["generation_wh"] == 0
    assert document["indicators"]["self_consumption_ppm"] is None
    assert document["notes"]["indicators.self_consumption_ppm"] == "zero-denominator"


def test_a_missing_factor_leaves_the_energy_part() -> None:
    about = homes.district(rule="R3", window_days=2)
    values = street(16)
    table = homes.factors(year=300_000)
    table["intensity"] = {}
    made = window.empty(365)
    results = close_days(
        values["made"], homes.rows(registers_of(values["values"])), about, table, days(2)
    )
    for _, totals in results:
        made = window.advance(made, totals)
    document = certificate.build(about, days(2)[1], "F", results[1][1], made, "00" * 32)
    assert document["electricity"]["import_wh"] == 16 * 2400
    assert document["emissions"]["ghg_balance_ug"] is None
    assert document["notes"]["emissions.ghg_balance_ug"] == "missing-factor"
    assert document["verdict"]["verdict"] == "not_positive"
    assert document["verdict"]["reasons"] == ["missing-factor"]


def test_a_share_outside_its_range_is_clipped_and_flagged() -> None:
    # Discharge of what was charged on an earlier day: more covered than generated today.
    energies = {"I": 0, "E": 0, "G": 10, "Ch": 0, "D": 90}
    document = issue(street(16, "P3", **energies), homes.district())[0]
    assert document["indicators"]["self_consumption_ppm"] == 1_000_000
    assert "self_consumption_ppm" in document["indicators"]["clipped"]


def test_the_window_can_be_redone_from_the_days_certificates() -> None:
    first, second = issue(street(16), homes.district())
    for group in ("electricity", "emissions", "primary_wh_milli"):
        for name, value in second["window"][group].items():
            assert value == first[group][name] + second[group][name]


@pytest.mark.parametrize("word", ["h00", "GCP.d", "z1"])
def test_no_household_is_named(word: str) -> None:
    shown = canonical.encode(issue(street(16), homes.district())).decode()
    assert word not in shown
