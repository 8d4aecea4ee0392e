# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import plan
from pedchain_domain.intervals import Series
from tests.unit.domain.homes import KINDS


def balance(name: str, letter: str = "M", /, **values: int) -> plan.Balance:
    registers = {
        (KINDS[role], role): [Series([value], letter, [], [])] for role, value in values.items()
    }
    return plan.balance(name, registers, 1)


def consumption(name: str, **values: int) -> int:
    return balance(name, **values).flows["C"][0]


def test_consumption_is_derived_by_the_meter_plan() -> None:
    assert consumption("P0", I=70) == 70
    assert consumption("P1", I=100, G=1200, E=850) == 450
    assert consumption("P2", I=5, E=900) == 5
    assert consumption("P3", I=20, G=1200, E=400, Ch=500, D=0) == 320
    assert consumption("P3", I=30, G=0, E=0, Ch=0, D=470) == 500
    assert consumption("P4", I=10, E=40, out=100, **{"in": 20}) == 50
    assert consumption("P5", I=10, E=4) == 6
    assert consumption("P6", I=100, E=0) == 100
    assert consumption("P6", I=100, E=50, G=80) == 130


def test_a_plant_with_its_own_connection_generates_what_it_feeds_in() -> None:
    assert balance("P2", I=5, E=900).flows["G"] == [900]


def test_a_hybrid_inverters_generation_is_net_of_its_battery() -> None:
    assert balance("P4", I=80, E=0, out=0, **{"in": 70}).flows["G"] == [-70]


def test_a_small_negative_consumption_is_clamped_and_recorded() -> None:
    found = balance("P1", I=0, G=1200, E=1203)
    assert (found.flows["C"], found.residual, found.invalid) == ([0], [-3], [])
    at_tolerance = balance("P1", I=0, G=1200, E=1200 + 15 + 12)
    assert at_tolerance.residual == [-27]


def test_a_large_negative_consumption_makes_the_interval_invalid() -> None:
    found = balance("P1", I=7, G=1200, E=1200 + 7 + 15 + 12 + 1)
    assert found.invalid == [0]
    assert found.classes == ["X", "X", "X"]
    assert [values for values in found.flows.values() if values != [0]] == []


def test_a_bridged_profile_is_no_evidence_against_a_meter() -> None:
    found = balance("P1", "G", I=0, G=0, E=500)
    assert (found.invalid, found.residual, found.flows["E"]) == ([], [-500], [500])


def test_a_register_the_plan_needs_and_nobody_reads_is_missing() -> None:
    assert balance("P1", I=10, E=0).classes == ["M", "M", "X"]
    assert balance("P0", I=10).classes == ["M"]
    assert balance("P3", I=10, E=0, G=0).classes == ["M", "M", "M", "X", "X"]


def test_sub_meters_change_no_total() -> None:
    registers = {
        ("GCP", "I"): [Series([100], "M", [], [])],
        ("EVSE", "Ch"): [Series([90], "M", [], [])],
        ("HP", "I"): [Series([90], "X", [], [])],
    }
    assert plan.balance("P0", registers, 1) == plan.balance(
        "P0", {("GCP", "I"): registers[("GCP", "I")]}, 1
    )


def test_several_generators_are_summed() -> None:
    one = Series([40], "M", [], [])
    registers = {("GCP", "I"): [one], ("GCP", "E"): [one], ("GEN", "G"): [one, one]}
    found = plan.balance("P1", registers, 1)
    assert found.flows["G"] == [80]
    assert len(found.classes) == 4


def test_the_common_part_of_a_building_is_its_meter_less_the_units() -> None:
    assert plan.common_part([100, 50], [[30, 20], [40, 31]]) == [30, -1]


VALUES = st.integers(0, 5_000)


@pytest.mark.parametrize("name", [name for name in sorted(plan.NEEDS) if name != plan.BOUNDARY])
@given(data=st.data())
def test_the_site_identity_holds_with_its_residual(name: str, data: st.DataObject) -> None:
    roles = [role for _, role in plan.NEEDS[name]]
    letter = data.draw(st.sampled_from("MGX"))
    found = balance(name, letter, **{role: data.draw(VALUES) for role in roles})
    flow = {role: values[0] for role, values in found.flows.items()}
    drawn = flow["I"] + flow["G"] + flow["D"]
    assert drawn == flow["C"] + flow["E"] + flow["Ch"] + found.residual[0]
    assert flow["C"] >= 0
    assert found.residual[0] <= 0
