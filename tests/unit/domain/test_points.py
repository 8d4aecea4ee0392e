# SPDX-License-Identifier: Apache-2.0
from typing import Any

from pedchain_domain import fold, points, roster
from pedchain_domain.intervals import Series
from pedchain_domain.reasons import Reason
from tests.unit.domain import homes
from tests.unit.domain.homes import DAY, START

DAYS = homes.days(3)
HOURS = range(0, DAY + 1, 3600)


def folded(registers: dict[str, dict[int, dict[str, int]]]) -> fold.Folded:
    return fold.fold(homes.rows(registers), fold.empty_head(0), DAYS, period=1, shard=0, grain=3600)


def series(
    made: dict[str, Any],
    registers: dict[str, dict[int, dict[str, int]]],
    role: str = "I",
    **kw: Any,
) -> Series:
    document = folded(registers).folds.get("2026-01-01")
    return points.of_shard(DAYS[0], document, made, 3600, **kw)["h.GCP"][role]


def steady(start: int = START, step: int = 100, first: int = 0) -> dict[int, dict[str, int]]:
    return {start + at: {"I": first + step * (at // 3600)} for at in HOURS}


def test_a_complete_day_needs_no_neighbour() -> None:
    made = homes.roster_of({"h": "P0"})
    document = folded({"h.GCP.d": steady()}).folds["2026-01-01"]
    assert points.needs(DAYS[0], document, made, 3600) == (False, False)


def test_a_day_with_open_ends_needs_what_lies_beside_it() -> None:
    made = homes.roster_of({"h": "P0"})
    registers = {at: found for at, found in steady().items() if START < at < START + DAY}
    document = folded({"h.GCP.d": registers}).folds["2026-01-01"]
    assert points.needs(DAYS[0], document, made, 3600) == (True, True)
    assert points.needs(DAYS[0], None, made, 3600) == (True, True)
    edges = folded({"h.GCP.d": {START + DAY + 3600: {"I": 2500}}}).edges["2026-01-02"]
    assert points.needs(DAYS[0], document, made, 3600, (), [edges]) == (True, False)
    found = series(made, {"h.GCP.d": registers}, after=[edges])
    assert found.classes == "X" + "M" * 22 + "G"
    assert found.values[-1] == 100


def test_a_device_not_installed_at_an_end_needs_nothing_there() -> None:
    made = roster.empty(0)
    for document in (
        homes.site("h", "P0"),
        homes.point("h.GCP", "h", "GCP"),
        homes.device("h.GCP.d", "h.GCP", "I", **{"from": START + 3600, "to": START + 7200}),
    ):
        made = roster.add(made, document)
    assert points.needs(DAYS[0], None, made, 3600) == (False, False)


def exchanged() -> dict[str, Any]:
    made = homes.roster_of({"h": "P0"})
    made = roster.add(made, homes.device("h.GCP.e", "h.GCP", "I", **{"from": START + 9000}))
    return roster.add(
        made,
        {
            "schema": "exchange/1",
            "point": "h.GCP",
            "old": "h.GCP.d",
            "final": {"I": 250},
            "new": "h.GCP.e",
            "initial": {"I": 5},
            "at": START + 9000,
        },
    )


def test_an_exchange_joins_two_devices_into_one_series() -> None:
    old = {at: found for at, found in steady().items() if at <= START + 7200}
    new = {at: {"I": found["I"] - 245} for at, found in steady().items() if at > START + 9000}
    found = series(exchanged(), {"h.GCP.d": old, "h.GCP.e": new})
    assert found.classes == "MMG" + "M" * 21
    assert found.values == [100] * 24


def test_a_day_after_the_exchange_is_the_new_devices_alone() -> None:
    later = {at + DAY: {"I": found["I"]} for at, found in steady().items()}
    document = folded({"h.GCP.e": later}).folds["2026-01-02"]
    found = points.of_shard(DAYS[1], document, exchanged(), 3600)["h.GCP"]["I"]
    assert found.classes == "M" * 24


def beside(authority: str) -> dict[str, Any]:
    made = homes.roster_of({"h": "P0"})
    return roster.add(made, homes.device("h.GCP.z", "h.GCP", "I", authority=authority))


def test_the_dsos_word_stands_before_the_agents() -> None:
    dso = {at: found for at, found in steady(step=103).items() if at <= START + 12 * 3600}
    found = series(beside("dso"), {"h.GCP.d": steady(), "h.GCP.z": dso})
    assert found.values == [103] * 12 + [100] * 12
    assert found.classes == "M" * 24


def test_a_measured_interval_stands_before_the_dsos_bridge() -> None:
    dso = {START: {"I": 0}, START + DAY: {"I": 2400}}
    found = series(beside("dso"), {"h.GCP.d": steady(), "h.GCP.z": dso})
    assert found.classes == "M" * 24


def test_sources_that_differ_by_more_than_a_hundredth_are_found() -> None:
    close = series(beside("meter"), {"h.GCP.d": steady(), "h.GCP.z": steady(step=101)})
    assert close.findings == []
    apart = series(beside("meter"), {"h.GCP.d": steady(), "h.GCP.z": steady(step=105)})
    assert apart.findings == [(Reason.SOURCES_DIFFER, 0)]
    assert apart.values == [105] * 24
