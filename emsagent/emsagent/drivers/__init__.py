# SPDX-License-Identifier: Apache-2.0
"""How meters are read: one small interface, one module per kind of meter.

A driver yields cumulative registers as the meter printed them (decimal text, never a float) at
instants it vouches for. What cannot be trusted is a `DriverFault`, never a number. Modules are
imported when a configuration names them, so that an agent carries only what it uses.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, runtime_checkable

from emsagent.config import DriverConfig
from emsagent.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Register:
    """One register's value as text, its OBIS code, its unit (`Wh` or `kWh`)."""

    obis: str
    text: str
    unit: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A meter's registers at one instant (UTC epoch seconds).

    `sync` is OCMF's time status: `S` synchronised, `R` relative, `I` informative, `U` unknown.
    `reason` is why a charger read itself, OCMF's `TX`: `B` begins a transaction, `C` is on its way,
    `E` (or `L`, `R`, `A`, `P`) ends it; a meter that is read by the clock has none.
    """

    instant: int
    sync: str
    registers: tuple[Register, ...]
    reason: str = ""


class Driver(Protocol):
    """Reads one meter."""

    def samples(self, after: int | None, until: int) -> Iterator[Sample]:
        """Samples with `after` < instant <= `until`, in order of time; None: from the first.

        A meter that keeps no history yields at most its present value. Raises `DriverFault`.
        """
        ...


@runtime_checkable
class Controllable(Protocol):
    """A device that can be told a power."""

    async def command(self, watts: int | None) -> None:
        """Draw so many W (give back, when negative) until told otherwise or `limits.COMMAND_S` have
        passed; None: follow your own rule again. Raises `DriverFault`."""
        ...


@runtime_checkable
class Storing(Protocol):
    """A device that holds energy and says how full it is."""

    def level_ppm(self) -> int:
        """How full it is now, ppm. Raises `DriverFault` where nobody knows."""
        ...


_KINDS = {
    "battery": "emsagent.drivers.battery",
    "csv": "emsagent.drivers.csvfile",
    "flexible": "emsagent.drivers.flexible",
    "modbus": "emsagent.drivers.modbus",
    "mqtt": "emsagent.drivers.mqtt",
    "ocmf": "emsagent.drivers.ocmf",
    "ocpp": "emsagent.drivers.ocpp",
    "p1": "emsagent.drivers.p1",
    "replay": "emsagent.drivers.replay",
}


def open_driver(config: DriverConfig) -> Driver:
    """The driver a configuration names. Raises `ConfigError` naming a wrong entry."""
    module = _KINDS.get(config.kind)
    if module is None:
        raise ConfigError(f"{config.where}.kind", f"{config.kind!r} is not one of {sorted(_KINDS)}")
    try:
        make: Callable[[DriverConfig], Driver] = import_module(module).make
    except ModuleNotFoundError as error:
        extra = f"{error.name} is not installed: pip install 'emsagent[{config.kind}]'"
        raise ConfigError(f"{config.where}.kind", extra) from error
    return make(config)
