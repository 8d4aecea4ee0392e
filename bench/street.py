# SPDX-License-Identifier: Apache-2.0
"""A district of 500 homes and 1,000 meters for measurements: documents, signed records, batches."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pedchain_domain import batch, instants, ocmf
from pedchain_gateway.intake.cells import text
from tests.unit.chaincode import district
from tests.unit.chaincode.district import DAY, START, Home, Meter, salt

HOMES = 500
GRAIN = 900
SHARDS = 4
INTERVALS = DAY // GRAIN
DAYS = 3 * 365
SINGLE, WHOLE_DAYS = 640, 56
"""Records in a batch: of one reading each, of a day each (a batch's bytes allow no more)."""

RISE = {"I": 100, "E": 60, "G": 150}
"""Wh an interval, by role."""


def homes() -> list[Home]:
    """500 homes, each with a grid meter and a roof's meter."""
    return [Home(f"home-{number:04d}") for number in range(HOMES)]


def meters(street: Sequence[Home]) -> list[Meter]:
    """All their meters, shard by shard, as gateways batch them."""
    return [meter for home in street for meter in home.meters]


def day_name(number: int) -> str:
    """The name of a day, counted from 2026-01-01."""
    return instants.format_day(START // DAY + number)


def calendars() -> list[dict[str, Any]]:
    """Days of 24 hours, a calendar a year."""
    made: dict[str, dict[str, Any]] = {}
    for number in range(DAYS):
        day, start = day_name(number), START + number * DAY
        name = f"days-{day[:4]}"
        empty = {"schema": "calendar/1", "id": name, "rows": []}
        row = {"day": day, "start": start, "end": start + DAY, "type": "working"}
        made.setdefault(name, empty)["rows"].append(row)
    return list(made.values())


def settings() -> dict[str, Any]:
    """What the district differs in from the tests' small one."""
    names = [each["id"] for each in calendars()]
    return {"grain": GRAIN, "shards": SHARDS, "calendar": names}


def registration(folder: Path, street: Sequence[Home]) -> Path:
    """A file for `ped-gateway register`."""
    file = folder / "registration.json"
    whole = {
        "factors": [district.factors()],
        "calendars": calendars(),
        "districts": [district.district(**settings())],
        "documents": {"DistrictA": [each for home in street for each in home.documents()]},
    }
    file.write_text(json.dumps(whole))
    return file


def single(meter: Meter, interval: int) -> bytes:
    """A record of one reading."""
    role = meter.roles[0]
    return meter.record([(START + interval * GRAIN, role, RISE[role] * interval)])


def whole_day(meter: Meter, day: int = 0) -> bytes:
    """A record of every register at all 97 boundaries of a day."""
    first = day * INTERVALS
    boundaries = range(first, first + INTERVALS + 1)
    return meter.record(
        [(START + k * GRAIN, role, RISE[role] * k) for k in boundaries for role in meter.roles]
    )


def midnights(meter: Meter, days: range) -> bytes:
    """A record of each day's first boundary only: history that is cheap to make."""
    boundaries = [day * INTERVALS for day in days]
    return meter.record(
        [(START + k * GRAIN, role, RISE[role] * k) for k in boundaries for role in meter.roles]
    )


def batches(
    records: Sequence[bytes], size: int, cells: Mapping[str, int] | None = None
) -> Iterator[dict[str, bytes]]:
    """Transient maps of SubmitReadings, told the `cells` of their devices as gateways do."""
    for at in range(0, len(records), size):
        some = records[at : at + size]
        told = {"cells": named(some, cells)} if cells else {}
        yield {"records": batch.encode(some), "salt": salt(at), **told}


def named(records: Sequence[bytes], known: Mapping[str, int]) -> bytes:
    """The cells of the records' devices, as a batch is told them."""
    return text(sorted({known[ocmf.parse(one).device] for one in records}))
