# SPDX-License-Identifier: Apache-2.0
"""The day's close, from rows to totals: who counts, what is covered, what its tree holds."""

from pedchain_domain import dayclose, leaves, merkle, roster
from tests.unit.domain import homes
from tests.unit.domain.homes import (
    DAY,
    OPEN,
    START,
    STEADY,
    close_days,
    days,
    one_home,
    registers_of,
)


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


def test_coverage_counts_register_seconds_of_the_plan() -> None:
    made, folded = one_home(STEADY, (5, 6))
    closed = dayclose.close_shard(
        days(1)[0], folded.folds["2026-01-01"], made, homes.district(), homes.factors()
    )
    seconds = 3 * DAY
    assert closed.partial["coverage"] == [seconds, seconds - 2 * 3 * 3600, seconds]
    assert closed.partial["classes"] == {"M": 66, "G": 6, "S": 0, "X": 0}
    assert not closed.needs_history


def test_a_site_counts_only_while_it_is_in_service() -> None:
    made = homes.roster_of({"h": "P0", "i": "P0"}, **{"from": START + DAY})
    closed = dayclose.close_shard(days(1)[0], None, made, homes.district(), homes.factors())
    assert (closed.partial["sites"], closed.partial["coverage"]) == (0, [0, 0, 0])
    gone = homes.roster_of({"h": "P0"}, to=START)
    closed = dayclose.close_shard(days(1)[0], None, gone, homes.district(), homes.factors())
    assert closed.partial["sites"] == 0


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
