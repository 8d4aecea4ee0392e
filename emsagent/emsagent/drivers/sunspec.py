# SPDX-License-Identifier: Apache-2.0
"""SunSpec's register models: how a device says what it has, and where its energy counters are.

Offsets are counted from a model's id, in 16-bit registers (sunspec/models). What a device does not
have it marks with one value, which is no number here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from emsagent import limits
from emsagent.drivers import Register
from emsagent.errors import DriverFault

MARKER = (0x5375, 0x6E53)  # "SunS"
BASES = (40_000, 50_000, 0)
END = 0xFFFF
MODELS_MAX = 64
IMPORT, EXPORT = "1-0:1.8.0*255", "1-0:2.8.0*255"


@dataclass(frozen=True, slots=True)
class Counter:
    """An energy counter in Wh: its OBIS code, offset, length and its scale's offset."""

    obis: str
    offset: int
    length: int
    scale: int


_METER = (Counter(IMPORT, 46, 2, 54), Counter(EXPORT, 38, 2, 54))
_INVERTER = (Counter(EXPORT, 24, 2, 26),)
COUNTERS: dict[int, tuple[Counter, ...]] = {
    **dict.fromkeys((101, 102, 103), _INVERTER),
    **dict.fromkeys((201, 202, 203, 204), _METER),
    701: (Counter(IMPORT, 23, 4, 120), Counter(EXPORT, 19, 4, 120)),
}
"""Inverters (101 to 103) count what they make; meters (201 to 204) what comes in and goes out;
701 is a battery or any other resource: what it absorbs and injects."""


@dataclass(frozen=True, slots=True)
class PowerSetpoint:
    """Where model 704 takes a power: enabled, in watts, the value, what it does without contact."""

    model: int = 704
    enabled: int = 22
    mode: int = 23
    watts: int = 24
    reverts: int = 30
    reverts_after_s: int = 31
    scale: int = 55


SETPOINT = PowerSetpoint()
LEVEL_MODEL, _LEVEL_AT, _LEVEL_SCALE = 713, 4, 8
"""Where a store says how full it is: percent, and its scale."""


def level(block: Sequence[int]) -> Decimal:
    """How full a store is, percent. Raises `DriverFault` where it does not say so."""
    if len(block) <= _LEVEL_SCALE:
        raise DriverFault("short", "the device's model 713 is too short")
    if block[_LEVEL_AT] == 0xFFFF:
        raise DriverFault("not-implemented", "the device does not say how full it is")
    return block[_LEVEL_AT] * Decimal(10) ** scale(block[_LEVEL_SCALE])


def setpoint(watts: int | None, block: Sequence[int]) -> list[tuple[int, list[int]]]:
    """What is written where in model 704 to draw so many W, or to leave the device to itself.

    SunSpec counts what a device gives as positive. Raises `DriverFault` for a model too short.
    """
    at = SETPOINT
    if len(block) <= at.scale:
        raise DriverFault("short", "the device's model 704 is too short")
    if watts is None:
        return [(at.enabled, [0])]
    value = int(-watts / Decimal(10) ** scale(block[at.scale])) & 0xFFFF_FFFF
    seconds = limits.COMMAND_S
    return [
        (at.mode, [1]),
        (at.watts, [value >> 16, value & 0xFFFF]),
        (at.reverts_after_s, [seconds >> 16, seconds & 0xFFFF]),
        (at.reverts, [0]),
        (at.enabled, [1]),
    ]


def counters(model: int) -> tuple[Counter, ...]:
    """The energy counters of a model. Raises `DriverFault` for one that has none."""
    try:
        return COUNTERS[model]
    except KeyError as error:
        raise DriverFault("model", f"{model} has no energy counter known here") from error


def register(counter: Counter, block: Sequence[int]) -> Register:
    """A counter's value in a model's registers. Raises `DriverFault` where there is none.

    A counter that never counted is 0, which SunSpec also writes for one that is not there.
    """
    words = block[counter.offset : counter.offset + counter.length]
    if len(words) < counter.length or counter.scale >= len(block):
        raise DriverFault("short", f"{counter.obis}: the device's model is too short")
    value = 0
    for word in words:
        value = value << 16 | word
    if value == (1 << 16 * counter.length) - 1:
        raise DriverFault("not-implemented", f"{counter.obis}: the device does not count it")
    return Register(counter.obis, f"{value * Decimal(10) ** scale(block[counter.scale]):f}", "Wh")


def scale(word: int) -> int:
    """A power of ten (`sunssf`). Raises `DriverFault` where it is none."""
    value = word - 0x1_0000 if word & 0x8000 else word
    if not -10 <= value <= 10:
        raise DriverFault("scale", "the device gives no scale")
    return value
