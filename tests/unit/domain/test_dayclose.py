# SPDX-License-Identifier: Apache-2.0
"""The day's close, from rows to totals, by the worked examples of the rules."""

from typing import Any

import pytest

from pedchain_domain import (
    balance,
    bounds,
    canonical,
    certificate,
    dayclose,
    figures,
    fold,
    leaves,
    merkle,
    registers,
    roster,
    window,
)
from pedchain_domain.documents import parameters
from tests.unit.domain import homes
from tests.unit.domain.homes import DAY, START, close_days, days, ramp

# Three sites, four hours (rules I): import, export, generation, discharge, charge.
EXAMPLE: dict[str, list[tuple[int, ...]]] = {
    "a": [(0, 900, 1500, 0, 200), (0, 300, 900, 0, 100), (50, 0, 100, 150, 0), (400, 0, 0, 0, 0)],
    "b": [(500, 0, 0, 0, 0), (700, 0, 0, 0, 0), (900, 0, 0, 0, 0), (300, 0, 0, 0, 0)],
    "c": [(300, 0, 0, 0, 0), (200, 0, 0, 0, 0), (600, 0, 0, 0, 0), (0, 0, 0, 0, 0)],
}
PLANS = {"a": "P3", "b": "P0", "c": "P0"}
OPEN: dict[str, Any] = {"group_sites": 1, "group_share_percent": 100}


def registers_of(
    energies: dict[str, dict[str, list[int]]], grain: int = 3600, start: int = START
) -> dict[str, dict[int, dict[str, int]]]:
    """{site: {role: Wh per interval}} as registers of the devices of `homes.roster_of`."""
    found: dict[str, dict[int, dict[str, int]]] = {}
    for site, roles in energies.items():
        for role, values in roles.items():
            name = f"{site}.{homes.KINDS[role]}.d"
            for at, wh in ramp(values, start, grain).items():
                found.setdefault(name, {}).setdefault(at, {})[role] = wh
    return found


def example() -> dict[str, dict[str, list[int]]]:
    rest = [0] * 20
    energies: dict[str, dict[str, list[int]]] = {}
    for site, hours in EXAMPLE.items():
        columns = [list(column) + rest for column in zip(*hours, strict=True)]
        roles = dict(zip(("I", "E", "G", "D", "Ch"), columns, strict=True))
        kept = ("I",) if PLANS[site] == "P0" else roles
        energies[site] = {role: roles[role] for role in kept}
    return energies


@pytest.fixture(scope="module")
def closed() -> tuple[dict[str, Any], dict[str, Any]]:
    rows = homes.rows(registers_of(example()))
    made = homes.roster_of(PLANS)
    return close_days(made, rows, homes.district(**OPEN), homes.factors(), days(1))[0]


def test_sums_of_the_worked_example(closed: tuple[dict[str, Any], dict[str, Any]]) -> None:
    additive = closed[1]["additive"]
    shown = {name: additive[name] for name in ("I", "E", "G", "C", "L", "shared", "X", "Y")}
    assert shown == {
        "I": 3950, "E": 1200, "G": 2500, "C": 5100, "L": 5250, "shared": 1100, "X": 2850, "Y": 100,
    }  # fmt: skip
    assert additive["Ch"] - additive["D"] == 150
    assert additive["covered_site"] == 1150
    assert additive["G"] - additive["L"] == additive["E"] - additive["I"] == -2750


def test_indicators_of_the_worked_example(closed: tuple[dict[str, Any], dict[str, Any]]) -> None:
    district, day = homes.district(**OPEN), days(1)[0]
    filled = window.advance(window.empty(365), closed[1])
    document = certificate.build(district, day, "P", closed[1], filled, "00" * 32)
    shown = document["indicators"]
    assert shown["oer_ppm"] == 476_190
    assert shown["self_consumption_site_ppm"] == 460_000
    assert shown["self_consumption_ppm"] == 900_000
    assert shown["self_sufficiency_site_ppm"] == 225_490
    assert shown["self_sufficiency_ppm"] == 441_176
    assert (shown["amr_ppm"], shown["amr_hours"], shown["hours_without_demand"]) == (572_420, 4, 20)
    assert (shown["mhs_ppm"], shown["mhd_ppm"]) == (83_333, 1_000_000)
    assert (shown["mhs_wh"], shown["mhd_wh"]) == (100, 1550)


def test_the_grid_interaction_index_of_the_worked_example() -> None:
    net = [100, -600, -1550, -700]
    s2 = sum(value * value for value in net)
    assert figures.grid_interaction(4, sum(net), s2, 1550) == 377_829
    assert figures.grid_interaction(4, 0, 0, 0) is None


def test_gsys_vector_of_self_consumption() -> None:
    """G 10, C 3, E 4, Ch 5, D 2 at site level."""
    energies = {"a": {"I": [0], "E": [4], "G": [10], "Ch": [5], "D": [2]}}
    padded = {"a": {role: values + [0] * 23 for role, values in energies["a"].items()}}
    rows = homes.rows(registers_of(padded))
    made = homes.roster_of({"a": "P3"})
    totals = close_days(made, rows, homes.district(**OPEN), homes.factors(), days(1))[0][1]
    additive = totals["additive"]
    assert (additive["C"], additive["covered_site"], additive["G"]) == (3, 3, 10)


def test_energy_is_shared_within_a_zone_only() -> None:
    energies = {"a": {"I": [0] * 24, "E": [100] * 24, "G": [100] * 24}, "b": {"I": [60] * 24}}
    made = roster.empty(0)
    for name, plan, zone in (("a", "P1", "z1"), ("b", "P0", "z2")):
        one = homes.roster_of({name: plan}, zone=zone)
        made = {
            **made,
            **{key: {**made[key], **one[key]} for key in ("sites", "points", "devices")},
        }
    rows = homes.rows(registers_of(energies))
    totals = close_days(made, rows, homes.district(**OPEN), homes.factors(), days(1))[0][1]
    assert "shared" not in totals["additive"]
    assert totals["additive"]["X"] == 60 * 24


def test_shards_add_up_in_any_order_to_what_one_shard_gives() -> None:
    energies, about, table, day = example(), homes.district(**OPEN), homes.factors(), days(1)[0]
    partials = []
    for shard, (site, plan) in enumerate(PLANS.items()):
        made = {**homes.roster_of({site: plan}), "shard": shard}
        rows = homes.rows(registers_of({site: energies[site]}))
        partials.append(close_days(made, rows, about, table, [day])[0][0])
    whole, _ = close_days(
        homes.roster_of(PLANS), homes.rows(registers_of(energies)), about, table, [day]
    )[0]
    forward = backward = None
    for partial in partials:
        forward = dayclose.add(forward, partial)
    for partial in reversed(partials):
        backward = dayclose.add(backward, partial)
    assert forward is not None
    assert backward is not None
    assert dayclose.district_root(forward) == dayclose.district_root(backward)
    assert forward["roots"] == {str(at): one["root"] for at, one in enumerate(partials)}
    one = dayclose.add(None, whole)
    sums = [
        {**balance.day_totals(total, day, about, table), "salt": "", "root": ""}
        for total in (forward, backward, one)
    ]
    assert sums[0] == sums[1] == sums[2]


def one_home(
    energies: dict[str, list[int]], drop: tuple[int, ...] = (), **site: Any
) -> tuple[dict[str, Any], fold.Folded]:
    made = homes.roster_of({"h": "P1"}, **site)
    found = registers_of({"h": energies})
    for at in drop:
        del found["h.GCP.d"][START + at * 3600]
    folded = fold.fold(
        homes.rows(found), fold.empty_head(0), days(2), period=1, shard=0, grain=3600
    )
    return made, folded


STEADY = {"I": [100] * 24, "E": [0] * 24, "G": [50] * 24}


def test_coverage_counts_register_seconds_of_the_plan() -> None:
    made, folded = one_home(STEADY, (5, 6))
    closed = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, homes.district(), homes.factors()
    )
    seconds = 3 * DAY
    assert closed.partial["coverage"] == [seconds, seconds - 2 * 3 * 3600, seconds]
    assert closed.partial["classes"] == {"M": 66, "G": 6, "S": 0, "X": 0}
    assert not closed.needs_history


def test_missing_import_is_bound_by_the_connection_without_history() -> None:
    made, folded = one_home(STEADY, (23, 24), connection_w=3_000)
    about = homes.district()
    closed = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, about, homes.factors()
    )
    assert closed.needs_history
    assert closed.partial["bounds"]["draw"] == 2 * registers.cap(3_000, 3600, 3600)
    assert closed.partial["bounds"]["draw_ghg"] == closed.partial["bounds"]["draw"] * 300_000


def test_missing_import_is_bound_by_the_highest_draw_of_its_clock_time() -> None:
    made, folded = one_home(STEADY, (23, 24))
    history = [{"sites": {"h": [None] * 22 + [70 + at, 200 - at]}} for at in range(5)]
    arguments = (days(1)[0], folded.folds["2026-01-01"], made)
    closed = dayclose.close_shard(*arguments, homes.district(), homes.factors(), history=history)
    assert closed.partial["bounds"]["draw"] == 74 + 200
    short = dayclose.close_shard(*arguments, homes.district(), homes.factors(), history=history[:4])
    assert short.partial["bounds"]["draw"] == 2 * registers.cap(10_000, 3600, 3600)
    strict = dayclose.close_shard(
        *arguments, homes.district(bound_by_capacity=1), homes.factors(), history=history
    )
    assert strict.partial["bounds"]["draw"] == 2 * registers.cap(10_000, 3600, 3600)
    assert not strict.needs_history


def test_a_silent_site_is_missing_and_bound() -> None:
    made = homes.roster_of({"h": "P1"})
    closed = dayclose.close_shard(days(1)[0], None, made, homes.district(), homes.factors())
    assert closed.partial["classes"]["X"] == 72
    assert closed.partial["bounds"]["draw"] == 24 * registers.cap(10_000, 3600, 3600)
    assert closed.draws["sites"] == {"h": [None] * 24}


def test_a_site_counts_only_while_it_is_in_service() -> None:
    made = homes.roster_of({"h": "P0", "i": "P0"}, **{"from": START + DAY})
    closed = dayclose.close_shard(days(1)[0], None, made, homes.district(), homes.factors())
    assert (closed.partial["sites"], closed.partial["coverage"]) == (0, [0, 0, 0])
    gone = homes.roster_of({"h": "P0"}, to=START)
    closed = dayclose.close_shard(days(1)[0], None, gone, homes.district(), homes.factors())
    assert closed.partial["sites"] == 0


def test_a_bridge_takes_import_at_the_highest_and_export_at_the_lowest_intensity() -> None:
    hours = [100, 200, 300, 400] + [100] * 20
    made, folded = one_home({"I": [10] * 24, "E": [4] * 24, "G": [50] * 24}, (1, 2))
    closed = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, homes.district(), homes.factors(hours)
    )
    # The gap is the first three hours: 30 Wh in, 12 Wh out, intensities 100 to 300.
    assert closed.partial["bounds"]["gap_ghg"] == (30 * 300 - 10 * 600) + (4 * 600 - 12 * 100)
    assert closed.partial["bounds"]["start"] == closed.partial["bounds"]["end"] == [0, 0, 0]


def test_a_bridge_over_midnight_may_hide_on_which_side_its_energy_fell() -> None:
    energies = {"I": [10] * 48, "E": [4] * 48, "G": [0] * 48}
    made, folded = one_home(energies, (24,))
    first, second = (
        dayclose.close_shard(
            day, folded.folds[day["day"]], made, homes.district(), homes.factors(),
            before=[folded.edges["2026-01-01"]], after=[folded.edges["2026-01-02"]],
        ).partial["bounds"]
        for day in days(2)
    )  # fmt: skip
    # 20 Wh in and 8 Wh out over two hours, half given to each day; all may belong to either.
    assert first["end"] == [10, 4, 14 * 300_000]
    assert second["start"] == [10, 4, 14 * 300_000]
    assert first["start"] == second["end"] == [0, 0, 0]


def test_changed_sites_are_counted_between_runs() -> None:
    made, folded = one_home(STEADY, (5, 6))
    _, repaired = one_home(STEADY)
    first, second = (
        dayclose.close_shard(
            days(1)[0], one.folds["2026-01-01"], made, homes.district(), homes.factors()
        ).partial
        for one in (folded, repaired)
    )
    assert dayclose.changed(first, second) == 1
    assert dayclose.changed(second, second) == 0
    assert dayclose.changed(None, second) == 1


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


def test_an_implausible_interval_is_a_finding_and_missing() -> None:
    made, folded = one_home({"I": [0] * 24, "E": [500] + [0] * 23, "G": [0] * 24})
    partial = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, homes.district(), homes.factors()
    ).partial
    assert partial["findings"] == [["implausible-site", "h", START]]
    assert partial["zones"]["z1"]["E"][0] == 0
    assert partial["classes"]["X"] == 3


def test_the_tree_of_a_shard_leads_to_its_intervals() -> None:
    made, folded = one_home(STEADY)
    closed = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, homes.district(), homes.factors()
    )
    tree = closed.intervals["points"]
    shown = tree["h.GCP"]["registers"]
    hashes = [
        merkle.leaf_hash(
            leaves.leaf_salt(tree["h.GCP"]["seed"], at)
            + leaves.leaf_bytes(
                "h.GCP",
                START + at * 3600,
                {role: [classes[at], values[at]] for role, (values, classes) in shown.items()},
            )
        )
        for at in range(24)
    ]
    assert merkle.root(hashes).hex() == tree["h.GCP"]["root"]
    roots = [bytes.fromhex(tree[point]["root"]) for point in sorted(tree)]
    assert leaves.nested_root(roots).hex() == closed.partial["root"]


def test_seeds_come_from_the_records_and_differ_by_point() -> None:
    made, folded = one_home(STEADY)
    closed = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, homes.district(), homes.factors()
    )
    seeds = [point["seed"] for point in closed.intervals["points"].values()]
    assert len(dict.fromkeys(seeds)) == 2


def test_every_document_of_a_close_is_canonical_and_salted(
    closed: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    for document in closed:
        assert canonical.decode_canonical(canonical.encode(document)) == document
        assert len(document["salt"]) == 32


def test_heat_and_gas_that_fall_silent_are_taken_at_their_power() -> None:
    made = homes.roster_of({"h": "P0"})
    made = roster.add(made, homes.point("h.HEAT", "h", "HEAT_IN", p_max_w=1_000))
    made = roster.add(made, homes.device("h.HEAT.d", "h.HEAT", ("Q",)))
    table = homes.factors()
    table["primary"]["heat"] = {
        "grid": [0, 1300, 300],
        "insitu": [0, 0, 0],
        "export_a": [0, 0, 0],
        "export_b": [0, 1300, 300],
    }
    table["reference"] = {"network_heat_ug_per_wh": 100_000}
    totals = close_days(made, [], homes.district(), table, days(1))[0][1]["additive"]
    unseen = 24 * registers.cap(1_000, 3600, 3600)
    draw = 24 * registers.cap(10_000, 3600, 3600)
    assert totals["ghg_worst"] == unseen * 100_000 + draw * 300_000
    assert totals["nren_worst"] == unseen * 1300 + draw * 2000


def test_bounds_of_nothing_are_nothing() -> None:
    assert bounds.add(bounds.empty(), bounds.empty()) == bounds.empty()
    assert parameters(homes.district()).bound_by_capacity == 0


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


def test_sharing_is_bound_by_the_measured_part_where_giving_weighs_less() -> None:
    """Two homes share 50 Wh an hour; one goes silent for an hour, whose sharing is then unsure."""
    energies = {
        "a": {"I": [50] * 24, "E": [0] * 24, "G": [0] * 24},
        "b": {"I": [0] * 24, "E": [50] * 24, "G": [50] * 24},
    }
    registers = registers_of(energies)
    table = homes.factors()
    table["primary"]["electricity"]["grid"] = [500, 3000, 420]
    made, about = homes.roster_of({"a": "P1", "b": "P1"}), homes.district(**OPEN)
    true = close_days(made, homes.rows(registers), about, table, days(1))[0][1]["additive"]
    del registers["a.GCP.d"][START + 3600]
    quiet = close_days(made, homes.rows(registers), about, table, days(1))[0][1]["additive"]
    assert true.get("nren_worst", 0) == true.get("primary_nren", 0) == 0
    assert quiet["nren_worst"] == 2 * 50 * (3000 - 2000)
