# SPDX-License-Identifier: Apache-2.0
"""Numbers and times as operators write them."""

import pytest

from pedchain_gateway.importing.mapping import Mapping
from pedchain_gateway.importing.values import Clock, RowError, quantity


def style(**more: object) -> Mapping:
    return Mapping.model_validate(
        {"columns": {"point": "p", "value": "v"}, "obis": "1-0:1.8.0*255", **more}
    )


@pytest.mark.parametrize(
    ("text", "unit", "decimal", "micro"),
    [
        ("0,125", "kWh", ",", 125_000_000),
        ("1.234,5", "kWh", ",", 1_234_500_000_000),
        ("1.234", "kWh", ",", 1_234_000_000_000),
        ("1,234.5", "Wh", ".", 1_234_500_000),
        ("1 234,5", "Wh", ",", 1_234_500_000),
        ("12", "Wh", ".", 12_000_000),
        ("0.000001", "Wh", ".", 1),
        ("3.6", "MJ", ".", 1_000_000_000),
        ("0.5", "MWh", ".", 500_000_000_000),
        ("-0.0", "kWh", ".", 0),
    ],
)
def test_a_value_is_read_exactly(text: str, unit: str, decimal: str, micro: int) -> None:
    assert quantity(text, unit, decimal, 900) == (micro, "Wh")


def test_mean_power_of_an_interval_is_energy() -> None:
    assert quantity("4", "kW", ".", 900) == (1_000_000_000, "Wh")


@pytest.mark.parametrize(
    ("text", "unit", "decimal", "reason"),
    [
        ("1.23", "kWh", ",", "no-number"),
        ("1,23", "kWh", ".", "no-number"),
        ("n/a", "kWh", ".", "no-number"),
        ("", "kWh", ".", "no-number"),
        ("-1", "kWh", ".", "negative"),
        ("1", "kVA", ".", "unknown-unit"),
        ("\u0661", "kWh", ".", "no-number"),
    ],
)
def test_what_is_not_sure_is_refused(text: str, unit: str, decimal: str, reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        quantity(text, unit, decimal, 900)


def test_power_without_an_interval_is_no_energy() -> None:
    with pytest.raises(RowError, match="unknown-unit"):
        quantity("4", "kW", ".", 0)


def test_the_hour_that_comes_twice_is_told_apart_by_order() -> None:
    clock = Clock(style(zone="Europe/Rome"))
    first = clock.instant("2026-10-25 02:45", None)
    again = clock.instant("2026-10-25 02:00", first)
    assert (first, again) == (1792889100, 1792890000)


def test_a_first_row_within_the_doubled_hour_is_the_earlier_one() -> None:
    assert Clock(style(zone="Europe/Rome")).instant("2026-10-25 02:00", None) == 1792886400


def test_the_hour_that_summer_time_skips_does_not_exist() -> None:
    clock = Clock(style(zone="Europe/Rome"))
    with pytest.raises(RowError, match="no-such-local-time"):
        clock.instant("2026-03-29 02:15", None)


@pytest.mark.parametrize(
    ("text", "time", "zone", "instant"),
    [
        ("2026-03-29T01:00:00+01:00", "iso", "UTC", 1774742400),
        ("2026-03-29T00:00:00Z", "iso", "Europe/Rome", 1774742400),
        ("29.03.2026 01:00", "%d.%m.%Y %H:%M", "Europe/Rome", 1774742400),
        ("29.03.2026 01:00", "%d.%m.%Y %H:%M", "+01:00", 1774742400),
        ("1774742400", "epoch", "UTC", 1774742400),
    ],
)
def test_times_by_zone_offset_and_format(text: str, time: str, zone: str, instant: int) -> None:
    assert Clock(style(time=time, zone=zone)).instant(text, None) == instant


def test_winter_time_all_year_has_no_doubled_hour() -> None:
    clock = Clock(style(zone="+01:00"))
    first = clock.instant("2026-10-25 02:00", None)
    assert clock.instant("2026-10-25 03:00", first) - first == 3_600


@pytest.mark.parametrize("text", ["25.10.2026", "", "2026-13-01 00:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(RowError, match="no-time"):
        Clock(style(zone="Europe/Rome", time="%Y-%m-%d %H:%M")).instant(text, None)
