# SPDX-License-Identifier: Apache-2.0
"""Factor tables: carbon intensity, primary energy, avoided CO2 (rules I7, I8, I9, I11).

    factors/1 {schema, version, source, reference: {name: integer},
      intensity: {hour: {start, values: [ug/Wh | null]}, month: {"2026-11": ug/Wh},
                  year: {"2026": ug/Wh}},
      primary: {carrier: {grid, insitu, export_a, export_b: [ren, nren, CO2] x 1000}}}

Carriers: `electricity`, `heat` (network), `gas`. Reference names: `heat_efficiency_ppm`,
`heat_ug_per_wh` (fuel the heat replaces), `km_ug_per_m`, `network_heat_ug_per_wh`,
`gas_ug_per_dm3`, `gas_wh_per_m3`.
"""

from collections.abc import Sequence
from typing import Any

from pedchain_domain import instants
from pedchain_domain.numbers import PPM

Document = dict[str, Any]
HOUR = 3600
RENEWABLE, NON_RENEWABLE, CO2 = 0, 1, 2
Weights = tuple[int, int, int]


class Intensity:
    """Grid carbon intensity by instant, in ug CO2 per Wh."""

    def __init__(self, factors: Document) -> None:
        table = factors["intensity"]
        hours = table.get("hour", {"start": 0, "values": []})
        self._start: int = hours["start"]
        self._hours: list[int | None] = hours["values"]
        self._months: dict[str, int | None] = table.get("month", {})
        self._years: dict[str, int | None] = table.get("year", {})

    def at(self, instant: int) -> tuple[int | None, bool]:
        """(intensity, whether a coarser value stood in): hour, else month, else year (I11).

        (None, True) if the table has none at all.
        """
        hour = (instant - self._start) // HOUR
        if 0 <= hour < len(self._hours):
            value = self._hours[hour]
            if value is not None:
                return value, False
        month = instants.format_day(instant // instants.DAY)[:7]
        coarse = self._months.get(month)
        return (self._years.get(month[:4]) if coarse is None else coarse), True

    def series(self, start: int, end: int, grain: int) -> list[int | None]:
        """The intensity of each interval of [start, end)."""
        values: list[int | None] = []
        for hour in range(start // HOUR * HOUR, end, HOUR):
            low, high = max(start, hour), min(end, hour + HOUR)
            values += [self.at(hour)[0]] * ((high - low) // grain)
        return values

    def fallbacks(self, start: int, end: int) -> int:
        """Hours of [start, end) a coarser value stood in for."""
        hours = range(start // HOUR * HOUR, end, HOUR)
        return sum(1 for hour in hours if self.at(hour)[1])

    def extremes(self, start: int, end: int) -> tuple[int, int] | None:
        """(lowest, highest) over [start, end), which a bridge's unknown profile is bounded by."""
        found = [self.at(hour)[0] for hour in range(start // HOUR * HOUR, end, HOUR)]
        values = [value for value in found if value is not None]
        return (min(values), max(values)) if len(values) == len(found) else None


def export_weight(carrier: Document, k_exp: int, part: int) -> int:
    """Weight x 1000 of exported energy: step A, moved towards step B by k_exp 0 or 1 (I7)."""
    a: int = carrier["export_a"][part]
    b: int = carrier["export_b"][part]
    return a + k_exp * (b - a)


def boundary_balance(carrier: Document, drawn: int, given: int, made: int, k_exp: int) -> Weights:
    """Weighted energy of a carrier across the boundary, Wh x 1000: drawn x grid + made on site x
    its weight - given x export weight, as (renewable, non-renewable, CO2) (ISO 52000-1, I7)."""
    parts = [
        drawn * carrier["grid"][part]
        + made * carrier["insitu"][part]
        - given * export_weight(carrier, k_exp, part)
        for part in (RENEWABLE, NON_RENEWABLE, CO2)
    ]
    return parts[0], parts[1], parts[2]


def weighted(values: Sequence[int], intensities: Sequence[int | None]) -> int | None:
    """Sum of Wh x ug/Wh; None where a value needs an intensity the table lacks (I11)."""
    total = 0
    for value, intensity in zip(values, intensities, strict=True):
        if intensity is not None:
            total += value * intensity
        elif value:
            return None
    return total


def avoided_heat(heat_wh: int, pump_ug: int | None, reference: Document) -> int | None:
    """Heat / efficiency x fuel's factor - heat pumps' grid CO2 (I8), ug."""
    if pump_ug is None:
        return None
    if heat_wh == 0:
        return -pump_ug
    efficiency, factor = reference.get("heat_efficiency_ppm"), reference.get("heat_ug_per_wh")
    if not efficiency or factor is None:
        return None
    fuel: int = heat_wh * PPM // efficiency * factor - pump_ug
    return fuel


def avoided_mobility(metres: int, charging_ug: int | None, reference: Document) -> int | None:
    """Distance x combustion factor - charging's grid CO2 (I8), ug."""
    return _times(metres, "km_ug_per_m", reference, charging_ug)


def _times(amount: int, name: str, reference: Document, less: int | None) -> int | None:
    factor = reference.get(name, 0 if amount == 0 else None)
    return None if factor is None or less is None else amount * factor - less


def other_carriers_ghg(detail: Document, reference: Document) -> int | None:
    """Heat network and fuels across the boundary, ug (I9)."""
    heat = _times(
        detail.get("HEAT_IN.Q", 0) - detail.get("HEAT_OUT.Q", 0),
        "network_heat_ug_per_wh",
        reference,
        0,
    )
    gas = _times(detail.get("GAS.V", 0), "gas_ug_per_dm3", reference, 0)
    return None if heat is None or gas is None else heat + gas
