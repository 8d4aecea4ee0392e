# SPDX-License-Identifier: Apache-2.0
"""A generated home: load, photovoltaics, battery, heat (pump with tank, or network), vehicle.

Hour by hour from a seed. The heat pump fills its tank when the sun shines, the battery takes what
is left over and gives it back in the evening, the vehicle charges when it comes home. Energies are
whole Wh, so that the home's meters balance exactly (rules M4).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from pedchain_domain.sim.weather import DAY, HOUR, Hour

#: Share of the daily base load by hour of day: a morning and an evening peak.
PROFILE = (
    3, 2, 2, 2, 2, 3, 5, 6, 5, 4, 4, 4, 5, 4, 4, 4, 5, 6, 8, 8, 7, 6, 5, 4,
)  # fmt: skip
HEAT_LIMIT_C = 16.0
TANK_WH = 8_000
#: Heat of a day's hot water, summer and winter.
HOT_WATER_WH = 7_000
EFFICIENCY = 0.95
CHARGER_W = 3_700
#: Of the vehicle, Wh per metre: a little less than what is measured on European roads.
WH_PER_M = 0.2


@dataclass(frozen=True, slots=True)
class HouseSpec:
    """What stands in the home: daily base load in Wh, powers in W, capacity in Wh.

    Its heat comes from a heat pump, or `on_network` from a heat network.
    """

    seed: int
    base_wh: int
    pv_w: int = 0
    battery_wh: int = 0
    battery_w: int = 3_000
    heat_loss_w_per_k: int = 0
    on_network: bool = False
    trips_wh: int = 0


@dataclass(frozen=True, slots=True)
class HouseHour:
    """Energies of one hour in Wh; `heat_pump` and `vehicle` are part of `load`. `heat` is what
    the pump or the network gave, `metres` what the vehicle drove."""

    load: int
    generation: int = 0
    charge: int = 0
    discharge: int = 0
    heat_pump: int = 0
    vehicle: int = 0
    heat: int = 0
    metres: int = 0

    @property
    def net(self) -> int:
        """Drawn at the grid connection if positive, fed in if negative."""
        return self.load + self.charge - self.generation - self.discharge


class House:
    """The home's stores between hours: battery, tank and vehicle in Wh."""

    def __init__(self, spec: HouseSpec) -> None:
        self.spec = spec
        self.battery = spec.battery_wh * 0.5
        self.tank = TANK_WH * 0.5
        self.missing = 0.0

    def hour(self, instant: int, outside: Hour) -> HouseHour:
        """One hour from `instant` (UTC epoch seconds) on."""
        chance = random.Random(self.spec.seed * 7_919 + instant // HOUR)
        of_day = (instant % DAY) // HOUR
        base = self.spec.base_wh * PROFILE[of_day] / sum(PROFILE) * chance.uniform(0.6, 1.5)
        generation = round(self.spec.pv_w * outside.sun * chance.uniform(0.93, 1.0))
        heat_pump, heat = self._heat(outside, of_day, generation - base)
        vehicle, metres = self._drive(instant, of_day, chance)
        load = round(base) + heat_pump + vehicle
        charge, discharge = self._store(generation - load)
        return HouseHour(load, generation, charge, discharge, heat_pump, vehicle, heat, metres)

    def _heat(self, outside: Hour, of_day: int, surplus: float) -> tuple[int, int]:
        """Electricity of the heat pump and its heat: the tank never runs empty and takes the
        surplus. A network gives what is lost, without electricity of the home's."""
        loss = self.spec.heat_loss_w_per_k
        if loss == 0:
            return 0, 0
        lost = loss * max(0.0, HEAT_LIMIT_C - outside.temperature_c)
        lost += HOT_WATER_WH * PROFILE[of_day] / sum(PROFILE)
        if self.spec.on_network:
            return 0, round(lost)
        self.tank -= lost
        factor = max(2.0, 3.0 + 0.05 * outside.temperature_c)
        wanted = max(0.0, -self.tank) + (TANK_WH * 0.2 if self.tank < TANK_WH * 0.2 else 0)
        spare = min(max(0.0, surplus) * factor, TANK_WH - self.tank)
        heat = max(wanted, spare)
        self.tank += heat
        return round(heat / factor), round(heat)

    def _drive(self, instant: int, of_day: int, chance: random.Random) -> tuple[int, int]:
        """Electricity of the charger and metres driven: by day on the road, charged from six in
        the evening."""
        if self.spec.trips_wh == 0:
            return 0, 0
        weekday = (instant // DAY + 3) % 7
        spent = 0.0
        if of_day == 18:
            spent = self.spec.trips_wh * chance.uniform(0.5, 1.5) * (weekday < 5 or 0.6)
            self.missing += spent
        if of_day < 18 and of_day > 6:
            return 0, 0
        energy = min(self.missing, CHARGER_W)
        self.missing -= energy
        return round(energy), round(spent / WH_PER_M)

    def _store(self, surplus: int) -> tuple[int, int]:
        """What the battery takes and gives this hour."""
        spec = self.spec
        if spec.battery_wh == 0:
            return 0, 0
        if surplus > 0:
            room = (spec.battery_wh - self.battery) / EFFICIENCY
            charge = int(min(surplus, spec.battery_w, room))
            self.battery += charge * EFFICIENCY
            return charge, 0
        discharge = int(min(-surplus, spec.battery_w, self.battery * EFFICIENCY))
        self.battery -= discharge / EFFICIENCY
        return 0, discharge


def hours_of(spec: HouseSpec, start: int, outside: Sequence[Hour]) -> list[HouseHour]:
    """All hours from `start` on, one for each hour of weather."""
    house = House(spec)
    return [house.hour(start + at * HOUR, one) for at, one in enumerate(outside)]
