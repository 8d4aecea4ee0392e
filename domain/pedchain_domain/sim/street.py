# SPDX-License-Identifier: Apache-2.0
"""Two districts to try everything with: 17 measured homes, 31 generated ones, and mishaps.

Each home has a grid meter; with photovoltaics also a generation meter, with a battery a storage
meter, one has a meter at its charger. Mishaps, always the same: a home that is offline for a day,
a gap in a meter's readings, a meter exchanged, a record forged by somebody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pedchain_domain.sim import citylearn
from pedchain_domain.sim.house import HouseHour, HouseSpec, hours_of
from pedchain_domain.sim.weather import DAY, HOUR, weather

IMPORT, EXPORT = "1-0:1.8.0*255", "1-0:2.8.0*255"
DISTRICTS = ("DistrictA", "DistrictB")
CONNECTION_W = 25_000
SEED = 2026
#: The measured year ends here (Monday 2017-07-31 UTC); generated homes see that year's sun too.
RECORD_END = 1_501_459_200
WEEK = 7 * DAY
GENERATED = range(18, 49)
FIRST_IN_B = 33
WITH_CHARGER = 20

Registers = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Meter:
    """A device at a point: which register has which role, and what it read at which instant (Wh).

    `since` and `until` are when it was installed and removed (UTC epoch seconds, None: not yet).
    """

    id: str
    kind: str
    roles: Mapping[str, str]
    power_w: int
    since: int
    until: int | None
    readings: Sequence[tuple[int, Registers]]
    point: str


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
    """Everything: homes, mishaps, the period [start, end) in UTC epoch seconds, carbon by hour."""

    start: int
    end: int
    homes: tuple[Home, ...]
    mishaps: Mishaps
    carbon_ug_per_wh: tuple[int, ...]


def build(end: int, days: int) -> Street:
    """The street over `days` UTC days before `end` (a midnight). At least 2 days."""
    start = end - days * DAY
    homes = [*measured_homes(start, end), *generated_homes(start, end)]
    homes, mishaps = befall(homes, start, days)
    extract = citylearn.extract()
    carbon = tuple(
        extract.carbon_ug_per_wh[citylearn.index_at(hour, end)] for hour in range(start, end, HOUR)
    )
    return Street(start, end, tuple(homes), mishaps, carbon)


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
            heat_loss_w_per_k=120 if number % 5 == 0 else 0,
            trips_wh=4_000 if number % 6 == 2 else 0,
        )
        yield home(
            f"home-{number:02}",
            DISTRICTS[0] if in_a else DISTRICTS[1],
            start,
            hours_of(spec, start - season, outside),
            pv_w=spec.pv_w,
            battery_wh=spec.battery_wh,
            heating="declared" if spec.heat_loss_w_per_k else "unknown",
            charger=number == WITH_CHARGER,
        )


def home(
    name: str,
    district: str,
    start: int,
    hours: Sequence[HouseHour],
    *,
    pv_w: int,
    battery_wh: int = 0,
    measured: bool = False,
    heating: str = "unknown",
    charger: bool = False,
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
    if charger:
        driven = {IMPORT: ("Ch", [hour.vehicle for hour in hours])}
        meters.append(meter(name, "EVSE", start, driven, 11_000))
    plan = "P3" if battery_wh else "P1" if pv_w else "P0"
    vehicles = "metered" if charger else "unknown"
    return Home(name, district, plan, measured, battery_wh, heating, vehicles, tuple(meters))


def meter(
    name: str,
    kind: str,
    start: int,
    registers: Mapping[str, tuple[str, Sequence[int]]],
    power_w: int,
) -> Meter:
    """A meter whose registers begin at some old reading and count up from hour to hour."""
    short = {"GCP": "grid", "GEN": "sun", "STO": "battery", "EVSE": "charger"}[kind]
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
    device = f"{name}-{short}"
    return Meter(device, kind, roles, power_w, start - DAY, None, readings, device)


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
