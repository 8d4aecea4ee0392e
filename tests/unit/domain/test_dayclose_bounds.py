# SPDX-License-Identifier: Apache-2.0
"""What a day's missing and bridged energy may have been at worst."""

from pedchain_domain import bounds, dayclose, registers, roster
from pedchain_domain.documents import parameters
from tests.unit.domain import homes
from tests.unit.domain.homes import OPEN, START, STEADY, close_days, days, one_home, registers_of


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
