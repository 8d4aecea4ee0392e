# SPDX-License-Identifier: Apache-2.0
"""The demo's homes as two meter operators' files would tell of them, and as their sites.csv.

North writes registers: a line per point, register and instant, kWh with a decimal comma, local
time. South writes intervals: a line per point and hour that has ended, registers beside each other,
Wh, time with an offset. Charging sessions and odometers come from North.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pedchain_domain.sim import street as sim

ROME = ZoneInfo("Europe/Rome")
NORTH = """
kind = "register"
delimiter = ";"
decimal = ","
zone = "Europe/Rome"
time = "%d.%m.%Y %H:%M:%S"
[columns]
point = "Zählpunkt"
obis = "Kennzahl"
time = "Zeitpunkt"
value = "Stand"
unit = "Einheit"
quality = "Status"
event = "Vorgang"
[quality]
W = "M"
E = "S"
F = "X"
"""
SOUTH = """
kind = "interval"
interval_s = 3600
stamp = "end"
unit = "Wh"
[columns]
point = "metering_point"
time = "period_end"
[values]
"1-0:1.8.0*255" = "1-0:1.8.0*255"
"1-0:2.8.0*255" = "1-0:2.8.0*255"
"6-0:1.0.0*255" = "6-0:1.0.0*255"
"""
_COLUMNS = ("1-0:1.8.0*255", "1-0:2.8.0*255", "6-0:1.0.0*255")


def write(folder: Path, homes: Sequence[sim.Home], feeder: str) -> None:
    """Both operators' mappings and files, sites.csv and points.csv."""
    folder.mkdir(parents=True)
    (folder / "north.toml").write_text(NORTH)
    (folder / "south.toml").write_text(SOUTH)
    _table(folder / "north.csv", ";", north(homes))
    _table(folder / "south.csv", ",", south(homes))
    _table(folder / "sites.csv", ",", sites(homes, feeder))
    _table(folder / "points.csv", ";", points(homes))


def district(twin: Mapping[str, Any], name: str, first: str, last: str) -> str:
    """district.toml of a district like a registered one."""
    parameters = "\n".join(f"{key} = {value}" for key, value in twin["parameters"].items())
    return f"""
id = "{name}"
operator = "{name}MSP"
timezone = "UTC"
first = {first}
last = {last}
grain = {twin["grain"]}
rule = "{twin["rule"]}"
factors = "{twin["factors"]}"
boundary = {{ kind = "feeder", id = "{name}-feeder" }}
[parameters]
{parameters}
"""


def _table(path: Path, delimiter: str, rows: Iterator[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def is_north(home: sim.Home, meter: sim.Meter) -> bool:
    """Whether a meter's readings come as registers."""
    number = home.id.removeprefix("home-")
    return not number.isdecimal() or int(number) <= 11 or meter.kind in ("EVSE", "MOB")


def north(homes: Sequence[sim.Home]) -> Iterator[Sequence[object]]:
    yield ("Zählpunkt", "Kennzahl", "Zeitpunkt", "Stand", "Einheit", "Status", "Vorgang")
    for home in homes:
        for meter in home.meters:
            if not is_north(home, meter):
                continue
            for instant, values in meter.readings:
                local = datetime.fromtimestamp(instant, ROME).strftime("%d.%m.%Y %H:%M:%S")
                for obis, value in values.items():
                    unit = "km" if meter.kind == "MOB" else "kWh"
                    stand = f"{value // 1000},{value % 1000:03d}"
                    event = meter.reasons.get(instant, "")
                    yield (meter.point, obis, local, stand, unit, "W", event)


def south(homes: Sequence[sim.Home]) -> Iterator[Sequence[object]]:
    yield ("metering_point", "period_end", *_COLUMNS)
    for home in homes:
        for meter in home.meters:
            if is_north(home, meter):
                continue
            for (_, before), (end, after) in pairwise(meter.readings):
                risen = [after[o] - before[o] if o in after else "" for o in _COLUMNS]
                yield (meter.point, datetime.fromtimestamp(end, UTC).isoformat(), *risen)


def sites(homes: Sequence[sim.Home], feeder: str) -> Iterator[Sequence[object]]:
    yield (
        "id", "plan", "connection_w", "feeder", "substation", "zone", "heating", "vehicles", "from",
        "battery_wh", "combustion_m_per_day",
    )  # fmt: skip
    for home in homes:
        since = datetime.fromtimestamp(home.meters[0].since, UTC).isoformat()
        yield (
            home.id, home.plan, sim.CONNECTION_W, feeder, "substation-1", "zone-1", home.heating,
            home.vehicles, since, home.battery_wh, home.combustion_m,
        )  # fmt: skip


def points(homes: Sequence[sim.Home]) -> Iterator[Sequence[object]]:
    yield ("id", "site", "kind", "parent", "p_max_w", "registers")
    for home in homes:
        first = {meter.point: meter for meter in reversed(home.meters)}
        for meter in sorted(first.values(), key=home.meters.index):
            parent = "" if meter.point == home.meters[0].point else home.meters[0].point
            registers = " ".join(f"{obis}={role}" for obis, role in meter.roles.items())
            yield (meter.point, home.id, meter.kind, parent, meter.power_w, registers)
