# SPDX-License-Identifier: Apache-2.0
"""Sub-meters, units, feeders, mileage: detail of a day that enters no balance."""

from pedchain_domain import dayclose, fold, roster
from tests.unit.domain import homes
from tests.unit.domain.homes import START, STEADY, days, one_home, ramp, registers_of


def test_sub_meters_are_detail_and_change_no_total() -> None:
    made, folded = one_home(STEADY)
    before = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, homes.district(), homes.factors()
    ).partial
    with_charger = roster.add(made, homes.point("h.EVSE", "h", "EVSE"))
    with_charger = roster.add(with_charger, homes.device("h.EVSE.d", "h.EVSE", ("Ch",)))
    rows = homes.rows(registers_of({"h": STEADY}))
    rows += homes.rows(
        {"h.EVSE.d": {at: {"Ch": wh} for at, wh in ramp([7] * 24, START, 3600).items()}}
    )
    folded = fold.fold(rows, fold.empty_head(0), days(1), period=1, shard=0, grain=3600)
    after = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], with_charger, homes.district(), homes.factors()
    ).partial
    assert after["detail"] == {"EVSE.Ch": 168}
    assert after["profiles"] == {"EV": [7] * 24}
    for name in ("zones", "flows", "coverage", "classes", "bounds", "residual"):
        assert after[name] == before[name]


def test_a_building_is_closed_by_its_own_meter_and_its_units_are_detail() -> None:
    made = homes.roster_of({"h": "P6"})
    for unit in ("u1", "u2"):
        made = roster.add(made, homes.point(f"h.{unit}", "h", "UNIT", parent="h.GCP"))
        made = roster.add(made, homes.device(f"h.{unit}.d", f"h.{unit}", ("I",)))
    found = registers_of({"h": {"I": [100] * 24, "E": [0] * 24}})
    for unit in ("u1", "u2"):
        found[f"h.{unit}.d"] = {at: {"I": wh} for at, wh in ramp([30] * 24, START, 3600).items()}
    folded = fold.fold(
        homes.rows(found), fold.empty_head(0), days(1), period=1, shard=0, grain=3600
    )
    partial = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, homes.district(), homes.factors()
    ).partial
    assert partial["flows"]["C"] == [100] * 24
    common = {"UNIT.common": 40 * 24, "UNIT.common_unknown": 0}
    assert partial["detail"] == {"UNIT.I": 2 * 30 * 24, **common}


def test_what_a_building_uses_beside_its_units_is_known_where_all_its_meters_are() -> None:
    made = homes.roster_of({"h": "P6"})
    made = roster.add(made, homes.point("h.u1", "h", "UNIT", parent="h.GCP"))
    made = roster.add(made, homes.device("h.u1.d", "h.u1", ("I",)))
    found = registers_of({"h": {"I": [100] * 24, "E": [0] * 24}})
    found["h.u1.d"] = {at: {"I": wh} for at, wh in ramp([30] * 12, START, 3600).items()}
    folded = fold.fold(
        homes.rows(found), fold.empty_head(0), days(1), period=1, shard=0, grain=3600
    )
    detail = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, homes.district(), homes.factors()
    ).partial["detail"]
    assert (detail["UNIT.common"], detail["UNIT.common_unknown"]) == (70 * 12, 12)


def test_a_feeders_meter_and_declared_mileage_enter_no_balance() -> None:
    made = homes.roster_of({"h": "P0"}, combustion_m_per_day=30_000)
    plain = homes.roster_of({"h": "P0"})
    made = roster.add(made, homes.site("f", "F0"))
    made = roster.add(made, homes.point("f.m", "f", "FEEDER"))
    made = roster.add(made, homes.device("f.m.d", "f.m", ("I", "E")))
    found = registers_of({"h": {"I": [100] * 24}})
    house = homes.rows(found)
    feeder = ramp([103] * 24, START, 3600)
    found["f.m.d"] = {at: {"I": wh, "E": 5} for at, wh in feeder.items()}
    one, other = (
        dayclose.close_shard(
            days(1)[0],
            fold.fold(rows, fold.empty_head(0), days(1), period=1, shard=0, grain=3600).folds[
                "2026-01-01"
            ],
            of,
            homes.district(),
            homes.factors(),
        ).partial
        for of, rows in ((made, homes.rows(found)), (plain, house))
    )
    assert one["feeder"] == {"points": 1, "I": 103 * 24, "E": 0, "missing": 0}
    assert one["detail"] == {"MOB.declared": 30_000}
    for name in ("sites", "zones", "flows", "coverage", "classes", "bounds", "connections_w"):
        assert one[name] == other[name]
