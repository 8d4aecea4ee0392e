# SPDX-License-Identifier: Apache-2.0
"""Factor tables: carbon intensity, primary energy, avoided CO2 (rules I7, I8, I9, I11).

    factors/1 {schema, version, source, reference: {name: integer},
      intensity: {hour: {start, values: [ug/Wh | null]}, month: {"2026-11": ug/Wh},
                  year: {"2026": ug/Wh}},
      primary: {carrier: {grid, insitu, export_a, export_b: [ren, nren, CO2] x 1000}},
      calorific?: {month: {"2026-11": Wh/m3}, year: {"2026": Wh/m3}}}

Carriers: `electricity`, `heat` (network), `gas` and other fuels by their name. `grid` weights what
is drawn across the boundary, `insitu` what is made inside, `export_a` and `export_b` what is given
away (ISO 52000-1, steps A and B; k_exp 0 or 1 is a parameter of the district). A table may lack
anything: what needs it is then null with reason `missing-factor`, never zero.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pedchain_domain import instants
from pedchain_domain.fields import Shape, count, count_or_none, identifier
from pedchain_domain.fields import check as check_fields
from pedchain_domain.numbers import PPM
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]
HOUR = 3600
RENEWABLE, NON_RENEWABLE, CO2 = 0, 1, 2
Weights = tuple[int, int, int]

REFERENCE: Final[Mapping[str, str]] = {
    "heat_efficiency_ppm": "efficiency of the boiler that metered heat replaces, ppm",
    "heat_ug_per_wh": "CO2 of the fuel it burnt, ug per Wh of fuel",
    "km_ug_per_m": "CO2 of the combustion car that a vehicle replaces, ug per metre",
    "network_heat_ug_per_wh": "CO2 of heat from the network, ug per Wh",
    "gas_ug_per_dm3": "CO2 of gas burnt, ug per cubic decimetre",
    "gas_wh_per_m3": "calorific value of gas where `calorific` has none, Wh per cubic metre",
}
"""The reference values there are, with their units."""

_MONTH: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])\Z")
_YEAR: Final = re.compile(r"[0-9]{4}\Z")
# No grid emits 5 kg per kWh, no energy is weighted a hundredfold, no gas holds 100 kWh per m3: a
# larger value is a slip of units, and it would stand in every certificate.
_MOST_UG_PER_WH, _MOST_WEIGHT, _MOST_WH_PER_M3 = 5_000_000, 100_000, 100_000
_HOURS: Final = 10_000


def _bounded(value: object, most: int) -> bool:
    return value is None or (type(value) is int and 0 <= value <= most)


def _by(pattern: re.Pattern[str], most: int) -> Any:
    def test(value: object) -> bool:
        return isinstance(value, dict) and all(
            pattern.match(name) is not None and _bounded(number, most)
            for name, number in value.items()
        )

    return test


def _hours(value: object) -> bool:
    if not isinstance(value, dict) or sorted(value) != ["start", "values"]:
        return False
    hours = value["values"]
    return (
        count(value["start"])
        and value["start"] % HOUR == 0
        and isinstance(hours, list)
        and len(hours) <= _HOURS
        and all(_bounded(number, _MOST_UG_PER_WH) for number in hours)
    )


def _intensity(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    months, years = _by(_MONTH, _MOST_UG_PER_WH), _by(_YEAR, _MOST_UG_PER_WH)
    check_fields(value, {"hour?": _hours, "month?": months, "year?": years})
    return True


def _calorific(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    months, years = _by(_MONTH, _MOST_WH_PER_M3), _by(_YEAR, _MOST_WH_PER_M3)
    check_fields(value, {"month?": months, "year?": years})
    return True


def _weights(value: object) -> bool:
    """Per carrier: [renewable, non-renewable, CO2] x 1000 of grid, on site, export A and B."""
    sides = ["export_a", "export_b", "grid", "insitu"]
    return isinstance(value, dict) and all(
        identifier(name)
        and isinstance(carrier, dict)
        and sorted(carrier) == sides
        and all(
            isinstance(carrier[side], list)
            and len(carrier[side]) == 3
            and all(count(factor) and factor <= _MOST_WEIGHT for factor in carrier[side])
            for side in sides
        )
        for name, carrier in value.items()
    )


def _reference(value: object) -> bool:
    """A misspelt name would be a factor that is missing without anybody knowing why."""
    return isinstance(value, dict) and all(
        name in REFERENCE and count_or_none(number) for name, number in value.items()
    )


SHAPE: Final[Shape] = {
    "version": identifier,
    "source": lambda value: isinstance(value, str) and 0 < len(value) <= 2_000,
    "intensity": _intensity,
    "primary": _weights,
    "reference": _reference,
    "calorific?": _calorific,
}


def check(table: Document) -> None:
    """Refuse values that contradict each other; DomainError `malformed-document`."""
    if table["reference"].get("heat_efficiency_ppm") == 0:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "heat_efficiency_ppm")


def calorific_wh_per_m3(table: Document, instant: int) -> int | None:
    """The calorific value of gas at an instant, Wh per m3: month, else year, else the reference.

    None where the table has none: energy of gas is then unknown, its volume is not.
    """
    month = instants.format_day(instant // instants.DAY)[:7]
    values = table.get("calorific", {})
    for period, name in (("month", month), ("year", month[:4])):
        found: int | None = values.get(period, {}).get(name)
        if found is not None:
            return found
    reference: int | None = table["reference"].get("gas_wh_per_m3")
    return reference


def primary(table: Document, carrier: str) -> Document | None:
    """The weights of a carrier by direction; None where the table has none."""
    found: Document | None = table["primary"].get(carrier)
    return found


def lacking(table: Document, needed: Sequence[str]) -> list[str]:
    """Of the reference values a computation needs, those the table lacks, in their order."""
    return [name for name in needed if table["reference"].get(name) is None]


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


def times(amount: int, name: str, reference: Document) -> int | None:
    """An amount x a reference factor; None where it needs a factor the table lacks."""
    return _times(amount, name, reference, 0)


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
