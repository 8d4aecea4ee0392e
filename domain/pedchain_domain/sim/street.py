# SPDX-License-Identifier: Apache-2.0
"""Two districts to try everything with: 17 measured homes, 31 generated ones, and mishaps.

Each home has a grid meter; with photovoltaics also a generation meter, with a battery a storage
meter. The generated homes of DistrictA have a metered heat pump and a metered charger with the
vehicle's odometer, those of DistrictB take heat from a network and declare their combustion cars.
Chargers sign transactions, all other meters are read by the hour. The DSO meters each district's
feeder. Mishaps, always the same: a home that is offline for a day, a gap in a meter's readings, a
meter exchanged, a record forged by somebody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from pedchain_domain.sim import citylearn
from pedchain_domain.sim.house import HouseHour, HouseSpec, hours_of
from pedchain_domain.sim.weather import DAY, HOUR, weather

IMPORT, EXPORT = "1-0:1.8.0*255", "1-0:2.8.0*255"
HEAT, DISTANCE = "6-0:1.0.0*255", "1-0:99.0.0*255"
DISTRICTS = ("DistrictA", "DistrictB")
CONNECTION_W = 25_000
SEED = 2026
#: The measured year ends here (Monday 2017-07-31 UTC); generated homes see that year's sun too.
RECORD_END = 1_501_459_200
WEEK = 7 * DAY
GENERATED = range(18, 49)
FIRST_IN_B = 33
#: Metres a home of DistrictB declares to drive with combustion on an average day.
COMBUSTION_M = 20_000
#: Of what flows through a feeder, what its lines lose.
LOSS_PERCENT = 2
#: What an odometer may rise in an hour, metres: its "power" (rules R4).
METRES_CAP = 200_000
#: How long after a full hour a car is plugged in, and before one unplugged, s.
PLUGGED_S = 450
SHORT = {
    "GCP": "grid", "GEN": "sun", "STO": "battery", "EVSE": "charger", "HP": "pump",
    "HEAT_IN": "heat", "MOB": "car", "FEEDER": "feeder",
}  # fmt: skip

Registers = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Meter:
    """A device at a point: which register has which role, and what it read at which instant (Wh).

    `since` and `until` are when it was installed and removed (UTC epoch seconds, None: not yet).
    `reasons` of a charger say what each reading is to its transaction (OCMF's `TX`).
    """

    id: str
    kind: str
    roles: Mapping[str, str]
    power_w: int
    since: int
    until: int | None
    readings: Sequence[tuple[int, Registers]]
    point: str
    reasons: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Home:
    """A site with its meters; `measured` says that its load and generation were."""

    id: str
    district: str
    plan: str
    measured: bool
    battery_wh: int
    heating: str
    vehicles: str
    meters: tuple[Meter, ...]
    combustion_m: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A meter replaced by another at an instant: what the old one read last, the new one first."""

    point: str
    old: str
    new: str
    at: int
    final: Mapping[str, int]
    initial: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Mishaps:
    """(home or device, start of the day) of each, the gap as (device, first, last missing)."""

    offline: tuple[str, int]
    forged: tuple[str, int]
    gap: tuple[str, int, int]
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Street:
    """Everything: homes, the DSO's feeders (sites of plan F0), mishaps, the period [start, end)
    in UTC epoch seconds, carbon by hour."""

    start: int
    end: int
    homes: tuple[Home, ...]
    feeders: tuple[Home, ...]
    mishaps: Mishaps
    carbon_ug_per_wh: tuple[int, ...]


def build(end: int, days: int) -> Street:
    """The street over `days` UTC days before `end` (a midnight). At least 2 days."""
    start = end - days * DAY
    homes = [*measured_homes(start, end), *generated_homes(start, end)]
    feeders = tuple(feeder(name, homes, start) for name in DISTRICTS)
    homes, mishaps = befall(homes, start, days)
    extract = citylearn.extract()
    carbon = tuple(
        extract.carbon_ug_per_wh[citylearn.index_at(hour, end)] for hour in range(start, end, HOUR)
    )
    return Street(start, end, tuple(homes), feeders, mishaps, carbon)


def measured_homes(start: int, end: int) -> Iterator[Home]:
    """The 17 homes of the CityLearn data: buildings 1 to 9 in DistrictA, the others in B."""
    for recorded in citylearn.extract().homes:
        at = [citylearn.index_at(hour, end) for hour in range(start, end, HOUR)]
        hours = [HouseHour(recorded.load_wh[i], recorded.generation_wh[i]) for i in at]
        name = f"home-{recorded.building:02}"
        district = DISTRICTS[0] if recorded.building <= 9 else DISTRICTS[1]
        yield home(name, district, start, hours, pv_w=recorded.pv_w, measured=True)


def generated_homes(start: int, end: int) -> Iterator[Home]:
    """31 more: in DistrictA with sun and battery, in DistrictB with smaller roofs or none.

    There are enough of a kind that most numbers may be published on most days (rules C2).
    """
    season = (end - RECORD_END) // WEEK * WEEK
    outside = weather(SEED, start - season, (end - start) // HOUR)
    for number in GENERATED:
        in_a = number < FIRST_IN_B
        roof = 10_000 if in_a else 5_500 if number % 8 else 0
        spec = HouseSpec(
            seed=number,
            base_wh=(24_000 if in_a else 20_000) + 700 * (number % 7),
            pv_w=roof,
            battery_wh=2_000 if in_a else 0,
            heat_loss_w_per_k=(60 if in_a else 90) + 5 * (number % 3),
            on_network=not in_a,
            trips_wh=2_500 + 300 * (number % 4) if in_a else 0,
        )
        yield home(
            f"home-{number:02}",
            DISTRICTS[0] if in_a else DISTRICTS[1],
            start,
            hours_of(spec, start - season, outside),
            pv_w=spec.pv_w,
            battery_wh=spec.battery_wh,
            heat="HP" if in_a else "HEAT_IN",
            combustion_m=0 if in_a else COMBUSTION_M,
        )


def feeder(district: str, homes: Sequence[Home], start: int) -> Home:
    """The DSO's meter at a district's feeder: what its homes draw together, and the losses."""
    grids = [one.meters[0].readings for one in homes if one.district == district]
    net = [
        sum(
            (after[1][IMPORT] - before[1][IMPORT]) - (after[1][EXPORT] - before[1][EXPORT])
            for before, after in steps
        )
        for steps in zip(*(list(pairwise(readings)) for readings in grids), strict=True)
    ]
    drawn = [wh + wh * LOSS_PERCENT // 100 if wh > 0 else 0 for wh in net]
    given = [-wh + wh * LOSS_PERCENT // 100 if wh < 0 else 0 for wh in net]
    name, power = f"{district}-feeder", CONNECTION_W * len(grids)
    roles = {IMPORT: ("I", drawn), EXPORT: ("E", given)}
    meters = (meter(name, "FEEDER", start, roles, power),)
    return Home(name, district, "F0", False, 0, "none", "none", meters)


def home(
    name: str,
    district: str,
    start: int,
    hours: Sequence[HouseHour],
    *,
    pv_w: int,
    battery_wh: int = 0,
    measured: bool = False,
    heat: str = "",
    combustion_m: int = 0,
) -> Home:
    """A home's meters from its hours; the meter plan follows from what it has (rules M3)."""
    draws = [max(0, hour.net) for hour in hours]
    feeds = [max(0, -hour.net) for hour in hours]
    meters = [meter(name, "GCP", start, {IMPORT: ("I", draws), EXPORT: ("E", feeds)}, CONNECTION_W)]
    if pv_w:
        made = {EXPORT: ("G", [hour.generation for hour in hours])}
        meters.append(meter(name, "GEN", start, made, pv_w * 2))
    if battery_wh:
        stored = {
            IMPORT: ("Ch", [hour.charge for hour in hours]),
            EXPORT: ("D", [hour.discharge for hour in hours]),
        }
        meters.append(meter(name, "STO", start, stored, 6_000))
    warmed = [hour.heat for hour in hours]
    if heat == "HP":
        pumped = {IMPORT: ("I", [hour.heat_pump for hour in hours]), HEAT: ("Q", warmed)}
        meters.append(meter(name, "HP", start, pumped, 20_000))
    elif heat:
        meters.append(meter(name, heat, start, {HEAT: ("Q", warmed)}, 15_000))
    is_driven = any(hour.metres for hour in hours)
    if is_driven:
        charged = {IMPORT: ("Ch", [hour.vehicle for hour in hours])}
        meters.append(transacting(meter(name, "EVSE", start, charged, 11_000)))
        driven = meter(name, "MOB", start, {DISTANCE: ("m", [h.metres for h in hours])}, METRES_CAP)
        meters.append(replace(driven, readings=driven.readings[::24]))
    return Home(
        name,
        district,
        "P3" if battery_wh else "P1" if pv_w else "P0",
        measured,
        battery_wh,
        "metered" if heat else "unknown",
        "metered" if is_driven else "declared" if combustion_m else "unknown",
        tuple(meters),
        combustion_m,
    )


def meter(
    name: str,
    kind: str,
    start: int,
    registers: Mapping[str, tuple[str, Sequence[int]]],
    power_w: int,
) -> Meter:
    """A meter whose registers begin at some old reading and count up from hour to hour."""
    columns = {
        obis: running(1_000 * (sum(map(ord, f"{name}{obis}")) % 9_000), energies)
        for obis, (_, energies) in registers.items()
    }
    count = len(next(iter(columns.values())))
    readings = [
        (start + at * HOUR, {obis: column[at] for obis, column in columns.items()})
        for at in range(count)
    ]
    roles = {obis: role for obis, (role, _) in registers.items()}
    device = f"{name}-{SHORT[kind]}" if kind != "FEEDER" else f"{name}-meter"
    return Meter(device, kind, roles, power_w, start - DAY, None, readings, device)


def transacting(charger: Meter) -> Meter:
    """The charger with its transactions alone: plugged in some minutes past the hour in which it
    begins to charge, unplugged some minutes before the end of the last one, read at each hour
    between."""
    kept, reasons = list[tuple[int, Registers]](), dict[int, str]()
    charging = False
    for (at, now), (_, then) in pairwise(charger.readings):
        draws = now != then
        if draws and not charging:
            kept.append((at + PLUGGED_S, now))
            reasons[at + PLUGGED_S] = "B"
        elif draws:
            kept.append((at, now))
            reasons[at] = "C"
        elif charging:
            kept.append((at - PLUGGED_S, now))
            reasons[at - PLUGGED_S] = "E"
        charging = draws
    return replace(charger, readings=kept, reasons=reasons)


def running(first: int, energies: Sequence[int]) -> list[int]:
    """A cumulative register at every boundary, the last one included."""
    column = [first]
    for energy in energies:
        column.append(column[-1] + energy)
    return column


def befall(homes: Sequence[Home], start: int, days: int) -> tuple[list[Home], Mishaps]:
    """The street with its mishaps: what is lost from files and what is said of the rest."""
    middle = start + days // 2 * DAY
    by_id = {one.id: one for one in homes}
    gap = ("home-05-grid", middle + 9 * HOUR, middle + 13 * HOUR)
    by_id["home-05"] = without(by_id["home-05"], *gap)
    by_id["home-12"], exchange = exchanged(by_id["home-12"], middle + 10 * HOUR)
    earlier = start + max(0, days // 2 - 1) * DAY
    mishaps = Mishaps(("home-07", earlier), ("home-03-grid", middle), gap, exchange)
    return [by_id[one.id] for one in homes], mishaps


def without(one: Home, device: str, first: int, last: int) -> Home:
    """The home with a meter that gave nothing from `first` to `last`."""
    kept = (
        replace(each, readings=[r for r in each.readings if not first <= r[0] <= last])
        if each.id == device
        else each
        for each in one.meters
    )
    return replace(one, meters=tuple(kept))


def exchanged(one: Home, at: int) -> tuple[Home, Exchange]:
    """The home with its grid meter replaced: the new one counts on from its own beginning."""
    old, *others = one.meters
    final = next(registers for instant, registers in old.readings if instant == at)
    new_id = f"{old.id}-2"
    fresh = [
        (instant, {obis: value - final[obis] for obis, value in registers.items()})
        for instant, registers in old.readings
        if instant >= at
    ]
    before = replace(
        old, until=at, readings=[reading for reading in old.readings if reading[0] <= at]
    )
    after = replace(old, id=new_id, since=at, readings=fresh)
    exchange = Exchange(
        old.point,
        old.id,
        new_id,
        at,
        {old.roles[obis]: value for obis, value in final.items()},
        dict.fromkeys(old.roles.values(), 0),
    )
    return replace(one, meters=(before, after, *others)), exchange
