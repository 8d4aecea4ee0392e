# SPDX-License-Identifier: Apache-2.0
"""The worked example of the rules (I): its sums, its indicators, whole or from shards."""

from typing import Any

import pytest

from pedchain_domain import balance, canonical, certificate, dayclose, figures, window
from tests.unit.domain import homes
from tests.unit.domain.homes import OPEN, close_days, days, registers_of

# Three sites, four hours (rules I): import, export, generation, discharge, charge.
EXAMPLE: dict[str, list[tuple[int, ...]]] = {
    "a": [(0, 900, 1500, 0, 200), (0, 300, 900, 0, 100), (50, 0, 100, 150, 0), (400, 0, 0, 0, 0)],
    "b": [(500, 0, 0, 0, 0), (700, 0, 0, 0, 0), (900, 0, 0, 0, 0), (300, 0, 0, 0, 0)],
    "c": [(300, 0, 0, 0, 0), (200, 0, 0, 0, 0), (600, 0, 0, 0, 0), (0, 0, 0, 0, 0)],
}
PLANS = {"a": "P3", "b": "P0", "c": "P0"}


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


def test_every_document_of_a_close_is_canonical_and_salted(
    closed: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    for document in closed:
        assert canonical.decode_canonical(canonical.encode(document)) == document
        assert len(document["salt"]) == 32
