# SPDX-License-Identifier: Apache-2.0
"""district.toml: what a district is, in the words of whoever fills it in; the registry's documents.

Local days, summer time included, become calendars of a year each; a grid's g CO2 per kWh becomes
the factor table.
"""

import tomllib
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pedchain_gateway import limits
from pedchain_gateway.registering.register import Registration

Document = dict[str, Any]
# ISO 52000-1's worked cases; renewable, non-renewable, CO2, each x 1000.
_ELECTRICITY = {
    "grid": [500, 2000, 420], "insitu": [1000, 0, 0], "export_a": [1000, 0, 0],
    "export_b": [500, 2000, 420],
}  # fmt: skip


class DistrictError(Exception):
    """district.toml is not what it must be; the text says where."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Boundary(_Part):
    """What bounds the district, and its name in sites.csv."""

    kind: str
    id: str


class Factors(_Part):
    """A factor table: grid intensity by year; primary energy factors as ISO 52000-1 has them."""

    version: str
    source: str
    grid_g_per_kwh: dict[str, Decimal]
    electricity: dict[str, list[int]] = _ELECTRICITY


class District(_Part):
    """A district's definition. `factors` may name a table that the registry has."""

    id: str
    operator: str
    dso: str = "DSOMSP"
    timezone: str
    first: date
    last: date
    grain: Literal[900, 3600] = 900
    zone: str = "zone-1"
    rule: Literal["R1", "R2", "R3"] = "R1"
    shards: int = Field(1, ge=1, le=64)
    boundary: Boundary
    holidays: list[date] = []
    factors: Factors | str
    parameters: dict[str, int] = {}

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("no such time zone") from error
        return value


def load(path: Path) -> District:
    """Read district.toml. Raises `DistrictError`."""
    try:
        with path.open("rb") as file:
            raw = file.read(limits.DOCUMENT_FILE_BYTES_MAX)
        return District.model_validate(tomllib.loads(raw.decode()))
    except OSError as error:
        raise DistrictError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DistrictError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DistrictError(f"{path}: {where}: {first['msg']}") from error


def registration(about: District) -> Registration:
    """What the registry needs before anything of the district can be registered."""
    found, table = calendars(about), about.factors
    document: Document = {
        "schema": "district/1",
        "id": about.id,
        "boundary": about.boundary.model_dump(),
        "zone": about.zone,
        "grain": about.grain,
        "calendar": [one["id"] for one in found],
        "factors": table if isinstance(table, str) else table.version,
        "dso": about.dso,
        "operator": about.operator,
        "rule": about.rule,
        "shards": about.shards,
        "parameters": about.parameters,
    }
    tables = [] if isinstance(table, str) else [factors(table)]
    return Registration(tables, found, [document], {})


def calendars(about: District) -> list[Document]:
    """Local days from the first through the last, a calendar a year."""
    zone, holidays = ZoneInfo(about.timezone), set(about.holidays)
    found: dict[int, Document] = {}
    day = about.first
    while day <= about.last:
        following = day + timedelta(days=1)
        row = {
            "day": day.isoformat(),
            "start": _midnight(day, zone),
            "end": _midnight(following, zone),
            "type": _type(day, holidays),
        }
        name = f"{about.id}-{day.year}"
        empty = {"schema": "calendar/1", "id": name, "rows": []}
        found.setdefault(day.year, empty)["rows"].append(row)
        day = following
    return list(found.values())


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _type(day: date, holidays: set[date]) -> str:
    if day in holidays or day.weekday() == 6:
        return "sunday_or_holiday"
    return "saturday" if day.weekday() == 5 else "working"


def factors(table: Factors) -> Document:
    """The factor table: ug CO2 per Wh is g per kWh times 1000."""
    return {
        "schema": "factors/1",
        "version": table.version,
        "source": table.source,
        "intensity": {"year": {y: int(g * 1_000) for y, g in table.grid_g_per_kwh.items()}},
        "primary": {"electricity": table.electricity},
        "reference": {},
    }
