# SPDX-License-Identifier: Apache-2.0
"""`emsagent street`: a folder with everything to try a consortium with (domain.sim.street).

    <out>/<district>/agent.toml           agents of the district's homes
    <out>/<district>/registers/*.csv      what their meters will read
    <out>/<district>/state/keys/*.pem     a key per meter, made here as each device would
    <out>/registration.json               what the DSO registers (`ped-gateway register`)

What is printed as one JSON line says what the street holds and which mishaps wait in it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emsagent import config as configuration
from emsagent.keyring import device_of, load_or_create
from emsagent.keys import public_hex
from pedchain_domain.sim import street as sim
from pedchain_domain.sim.street import Home, Meter, Street
from pedchain_domain.sim.weather import DAY, HOUR

Document = dict[str, Any]
#: Hours that travel in one signed record: a quarter of a day, in a long replay a whole one.
SAMPLES_PER_RECORD, SAMPLES_WHEN_LONG, LONG_DAYS = 6, 24, 60
CALENDAR, FACTORS = "utc-days", "demo-1"
#: Roles whose registers do not count Wh.
UNITS = {"m": "m"}
SOURCE = (
    "carbon intensity: CityLearn 2022 extract, hourly; primary energy: ISO 52000-1's worked "
    "cases (grid 0.5/2.0/0.42), heat network 0/1.3/0.3 (RITE 2014); heat replaced: natural gas "
    "202 g/kWh at 90 %; heat network 120 g/kWh; mobility: 150 g/km"
)


def write(out: Path, days: int, gateways: Mapping[str, str], now: int) -> Document:
    """Writes the folder for `days` UTC days that ended last midnight; returns what it holds."""
    made = sim.build(now // DAY * DAY, days)
    lay_out(out, made, gateways)
    return summary(made)


def lay_out(
    out: Path, made: Street, gateways: Mapping[str, str], *, flexible: bool = False
) -> None:
    """Writes the folder of any street; grid meters of a `flexible` one follow setpoints."""
    days = (made.end - made.start) // DAY
    samples = SAMPLES_WHEN_LONG if days > LONG_DAYS else SAMPLES_PER_RECORD
    for district in sim.DISTRICTS:
        homes = sites_of(made, district)
        folder = out / district
        (folder / "registers").mkdir(parents=True)
        for meter in meters(homes):
            (folder / "registers" / f"{meter.id}.csv").write_text(registers(meter))
        config = agent(district, gateways[district], homes, samples, flexible=flexible)
        (folder / "agent.toml").write_text(config)
    registration = {
        "factors": [factors(made)],
        "calendars": [calendar(made)],
        "districts": [district_document(made, name) for name in sim.DISTRICTS],
        "documents": {name: documents(out, made, name) for name in sim.DISTRICTS},
    }
    (out / "registration.json").write_text(json.dumps(registration))


def sites_of(made: Street, district: str) -> list[Home]:
    """The district's homes and its feeder."""
    return [one for one in (*made.homes, *made.feeders) if one.district == district]


def meters(homes: Sequence[Home]) -> Iterator[Meter]:
    for home in homes:
        yield from home.meters


def registers(meter: Meter) -> str:
    """The register file that the `csv` driver replays."""
    columns = list(meter.roles)
    units = {obis: UNITS.get(role, "Wh") for obis, role in meter.roles.items()}
    reason = ["reason"] if meter.reasons else []
    lines = [",".join(["instant", *(f"{obis}/{units[obis]}" for obis in columns), *reason])]
    lines += [
        ",".join([str(instant), *(str(values[obis]) for obis in columns), *said(meter, instant)])
        for instant, values in meter.readings
    ]
    return "\n".join(lines) + "\n"


def said(meter: Meter, instant: int) -> list[str]:
    """What a charger's reading is to its transaction; other meters say nothing."""
    return [meter.reasons[instant]] if meter.reasons else []


def agent(
    district: str, url: str, homes: Sequence[Home], samples: int, *, flexible: bool = False
) -> str:
    """The configuration of the district's agents."""
    parts = [
        'schema = "emsagent/1"\nnetwork = "pedchain"\nchannel = "ped"\n'
        f'[gateway.{district}]\nurl = "{url}"\n'
    ]
    for home in homes:
        parts.append(
            f'[[home]]\nid = "{home.id}"\ndistrict = "{district}"\ninterval_s = {HOUR}\n'
            f"samples_per_record = {samples}\n"
        )
        parts += [
            f'[[home.device]]\nid = "{meter.id}"\n'
            f"driver = {driver(home, meter, flexible=flexible)}\n"
            for meter in home.meters
        ]
    return "\n".join(parts)


def driver(home: Home, meter: Meter, *, flexible: bool) -> str:
    """How a meter is read: its register file, which events change where it can follow."""
    file = f'file = "registers/{meter.id}.csv"'
    if flexible and meter.kind == "GCP":
        return f'{{ kind = "flexible", {file}, setpoints = "setpoints/{home.id}.csv" }}'
    return f'{{ kind = "csv", {file} }}'


def factors(made: Street) -> Document:
    """Factor table demo-1 (rules I7, I8, I11)."""
    return {
        "schema": "factors/1",
        "version": FACTORS,
        "source": SOURCE,
        "intensity": {"hour": {"start": made.start, "values": list(made.carbon_ug_per_wh)}},
        "primary": {
            "electricity": {
                "grid": [500, 2000, 420],
                "insitu": [1000, 0, 0],
                "export_a": [1000, 0, 0],
                "export_b": [500, 2000, 420],
            },
            "heat": {
                "grid": [0, 1300, 300],
                "insitu": [0, 0, 0],
                "export_a": [0, 0, 0],
                "export_b": [0, 1300, 300],
            },
        },
        "reference": {
            "heat_efficiency_ppm": 900_000,
            "heat_ug_per_wh": 202_000,
            "network_heat_ug_per_wh": 120_000,
            "km_ug_per_m": 150_000,
        },
    }


def calendar(made: Street) -> Document:
    """UTC days as market days, one beyond the last."""
    rows = [
        {
            "day": day_name(start),
            "start": start,
            "end": start + DAY,
            "type": day_type(start),
        }
        for start in range(made.start, made.end + DAY, DAY)
    ]
    return {"schema": "calendar/1", "id": CALENDAR, "rows": rows}


def day_type(start: int) -> str:
    weekday = datetime.fromtimestamp(start, UTC).weekday()
    return {5: "saturday", 6: "sunday_or_holiday"}.get(weekday, "working")


def day_name(start: int) -> str:
    return datetime.fromtimestamp(start, UTC).date().isoformat()


def district_document(made: Street, name: str) -> Document:
    connections = sum(home.district == name for home in made.homes)
    return {
        "schema": "district/1",
        "id": name,
        "boundary": {"id": f"{name}-feeder", "kind": "feeder"},
        "zone": "zone-1",
        "grain": HOUR,
        "calendar": [CALENDAR],
        "factors": FACTORS,
        "dso": "DSOMSP",
        "operator": f"{name}MSP",
        # Heating and vehicles of most homes are unknown, which refuses the wider rule (V4).
        "rule": "R1",
        "shards": 1,
        # Every connection behind the feeder is a member, so the feeder's balance must close.
        "parameters": {"connections": connections},
    }


def documents(out: Path, made: Street, district: str) -> list[Document]:
    """Sites, points, devices with the keys made here, and the meter exchange, if it is here."""
    config = configuration.load(out / district / "agent.toml")
    found: list[Document] = []
    for home in sites_of(made, district):
        found += home_documents(config, home)
    exchange = made.mishaps.exchange
    if any(document["id"] == exchange.old for document in found):
        found.append(
            {
                "schema": "exchange/1",
                "point": exchange.point,
                "old": exchange.old,
                "new": exchange.new,
                "at": exchange.at,
                "final": dict(exchange.final),
                "initial": dict(exchange.initial),
            }
        )
    return found


def home_documents(config: configuration.Config, home: Home) -> Iterator[Document]:
    yield {
        "schema": "site/1",
        "id": home.id,
        "plan": home.plan,
        "connection_w": sim.CONNECTION_W,
        "feeder": f"{home.district}-feeder",
        "substation": "substation-1",
        "zone": "zone-1",
        "heating": home.heating,
        "vehicles": home.vehicles,
        "from": home.meters[0].since,
        "battery_wh": home.battery_wh,
        "combustion_m_per_day": home.combustion_m,
    }
    known: set[str] = set()
    for meter in home.meters:
        if meter.point not in known:
            known.add(meter.point)
            parent = None if meter is home.meters[0] else home.meters[0].point
            yield {
                "schema": "point/1",
                "id": meter.point,
                "site": home.id,
                "kind": meter.kind,
                "parent": parent,
                "p_max_w": meter.power_w,
            }
        key = load_or_create(config, device_of(config, meter.id))
        yield {
            "schema": "device/1",
            "id": meter.id,
            "point": meter.point,
            "key": {"alg": "ES256", "spki": public_hex(key)},
            "registers": {obis: {"role": role} for obis, role in meter.roles.items()},
            "from": meter.since,
            "to": None,
            "first_counter": 1,
        }


def summary(made: Street) -> Document:
    """What the street holds, for whoever drives it."""
    mishaps = made.mishaps
    of = {meter.id: home.district for home in made.homes for meter in home.meters}
    feeders = sum(len(site.meters) for site in made.feeders)
    of |= {home.id: home.district for home in made.homes}

    def faults(name: str, start: int) -> dict[str, list[list[str]]]:
        return {of[name]: [[name, day_name(start)]]}

    return {
        "sites": len(made.homes),
        "real": sum(home.measured for home in made.homes),
        "devices": sum(len(home.meters) for home in made.homes) + feeders,
        "days": [day_name(start) for start in range(made.start, made.end, DAY)],
        "faults": {
            "offline": faults(*mishaps.offline),
            "forge": faults(*mishaps.forged),
            "gap": [mishaps.gap[0], mishaps.gap[1], mishaps.gap[2]],
            "exchange": [mishaps.exchange.old, mishaps.exchange.new],
        },
    }
