# SPDX-License-Identifier: Apache-2.0
"""A mapping file: how one operator writes its files (docs/import.md).

TOML, checked whole before a file is opened; what is not said has the default of most operators.
"""

import tomllib
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pedchain_gateway import limits

Format = Literal["csv", "xlsx", "espi", "cim"]
Mark = Literal["M", "S", "X"]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class MappingError(Exception):
    """The mapping file is not what it must be; the text says where."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(_Part):
    """Headers of the file by what they hold. `clock` is the time of day where it stands apart."""

    point: Text | None = None
    time: Text = "time"
    clock: Text | None = None
    value: Text | None = None
    obis: Text | None = None
    unit: Text | None = None
    quality: Text | None = None
    event: Text | None = None


class Mapping(_Part):
    """One operator's way to write.

    `kind`: a row is the energy of an interval, or what the register stood at. `stamp`: an
    interval's time is its start or its end. `zone`: of times without an offset, a name of the time
    zone database or an offset such as `+01:00`. `registers`, `points`, `quality` translate the
    operator's codes; `values` names columns that each hold one register's values.
    """

    format: Format = "csv"
    kind: Literal["interval", "register"] = "interval"
    stamp: Literal["start", "end"] = "start"
    interval_s: Literal[300, 600, 900, 1800, 3600] = 900
    encoding: str = "utf-8-sig"
    delimiter: str = Field(",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    skip: int = Field(0, ge=0, le=1_000)
    sheet: str | None = None
    zone: str = "UTC"
    time: str = "iso"
    unit: str = "kWh"
    point: str | None = None
    obis: str | None = None
    unknown_quality: Mark | None = None
    columns: Columns = Columns()
    values: Dict[Text, str] = {}
    registers: Dict[str, str] = {}
    points: Dict[str, str] = {}
    quality: Dict[str, Mark] = {}

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value[:1] not in "+-":
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise ValueError("no such time zone") from error
        elif not (len(value) == 6 and value[3] == ":" and (value[1:3] + value[4:]).isdecimal()):
            raise ValueError("an offset is written +01:00")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.format in ("espi", "cim"):
            return self
        if not (self.columns.point or self.point):
            raise ValueError("needs columns.point, or point for a file of one point")
        if bool(self.columns.value) == bool(self.values):
            raise ValueError("needs columns.value, or values, and not both")
        if self.columns.value and not (self.columns.obis or self.obis):
            raise ValueError("needs columns.obis, or obis for a file of one register")
        return self


def load(path: Path) -> Mapping:
    """Read a mapping file. Raises `MappingError`."""
    try:
        with path.open("rb") as file:
            raw = file.read(limits.DOCUMENT_FILE_BYTES_MAX + 1)
        if len(raw) > limits.DOCUMENT_FILE_BYTES_MAX:
            raise MappingError(f"{path}: too large")
        return Mapping.model_validate(tomllib.loads(raw.decode()))
    except OSError as error:
        raise MappingError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MappingError(f"{path}: {where} {first['msg']}".replace("  ", " ")) from error
