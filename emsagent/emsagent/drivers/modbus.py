# SPDX-License-Identifier: Apache-2.0
"""Meters, inverters and batteries on Modbus, over TCP or a serial line (RTU).

    driver = { kind = "modbus", host = "192.0.2.9", model = 103 }              # SunSpec
    driver = { kind = "modbus", path = "/dev/ttyUSB0", baud = 9600, unit = 2,
               registers = [{ obis = "1-0:1.8.0*255", address = 342, type = "f32", in = "kWh" }] }

A battery with SunSpec's model 704 can be told a power; with `level = true` it is asked how full it
is (model 713).
With `model` the device is asked where its SunSpec models are and read by them. Without, `registers`
says where each counter is: `type` u32, u64 or f32 (big end first), `table` holding (else) or input,
`in` Wh or kWh, `scale` a power of ten. Needs `emsagent[modbus]`, by serial line `[serial]` too.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from emsagent import limits
from emsagent.clock import Clock
from emsagent.config import DriverConfig
from emsagent.drivers import Register, sunspec
from emsagent.drivers.live import Polled
from emsagent.errors import ConfigError, DriverFault
from emsagent.toml import Table

WORDS = {"u32": 2, "u64": 4, "f32": 2}
WORDS_AT_ONCE = 120
"""Fewer than the 125 registers one request may ask for."""
ANSWER_S = 2.0
Client = AsyncModbusTcpClient | AsyncModbusSerialClient


@dataclass(frozen=True, slots=True)
class Place:
    """Where a counter of no SunSpec device is, and how it is written there."""

    obis: str
    address: int
    type: str
    unit: str
    scale: int
    is_input: bool


def make(config: DriverConfig) -> "Modbus":
    """The driver `{ kind = "modbus", host | path, model | registers, ... }`."""
    table = Table(config.settings, config.where)
    places = _places(table)
    model = table.number("model", 0, 0, 65_534)
    if bool(model) == bool(places):
        raise ConfigError(config.where, "give either model (SunSpec) or registers")
    if model and model not in sunspec.COUNTERS:
        known = sorted(sunspec.COUNTERS)
        raise ConfigError(table.path("model"), f"{model} is not one of {known}")
    made = Modbus(config, table, model, places)
    table.done()
    return made


def _places(table: Table) -> tuple[Place, ...]:
    if "registers" not in table.values:
        table.optional("registers")
        return ()
    return tuple(_place(one) for one in table.tables("registers", limits.REGISTER_COLUMNS_MAX))


def _place(table: Table) -> Place:
    place = Place(
        obis=table.text("obis"),
        address=table.number("address", None, 0, 65_535),
        type=table.text("type", "u32"),
        unit=table.text("in", "Wh"),
        scale=table.number("scale", 0, -10, 10),
        is_input=table.text("table", "holding") == "input",
    )
    table.done()
    if place.type not in WORDS:
        raise ConfigError(table.path("type"), f"{place.type!r} is not one of {sorted(WORDS)}")
    if place.unit not in ("Wh", "kWh"):
        raise ConfigError(table.path("in"), f"must be 'Wh' or 'kWh', is {place.unit!r}")
    return place


def client_of(table: Table, where: str) -> Client:
    """A client for `host` and `port`, or for `path` and `baud`. Raises `ConfigError`."""
    host, path = table.text_or_none("host"), table.text_or_none("path")
    if (host is None) == (path is None):
        raise ConfigError(where, "give either host or path (a serial line)")
    if path:
        table.optional("port")
        baud = table.number("baud", 9_600, 300, 1_000_000)
        return AsyncModbusSerialClient(path, baudrate=baud, timeout=ANSWER_S, reconnect_delay=0)
    table.optional("baud")
    port = table.number("port", 502, 1, 65_535)
    return AsyncModbusTcpClient(host or "", port=port, timeout=ANSWER_S, reconnect_delay=0)


class Modbus(Polled):
    """One device at a Modbus address."""

    def __init__(
        self,
        config: DriverConfig,
        table: Table,
        model: int,
        places: Sequence[Place],
        clock: Clock | None = None,
    ) -> None:
        super().__init__(config, table, clock)
        self._unit = table.number("unit", 1, 0, 247)
        self._model, self._places = model, places
        self._block = (0, 0)
        self._has_level = table.flag("level", default=False)
        self._level_at: tuple[int, int] | None = None
        self._client = client_of(table, config.where)

    async def connect(self) -> None:
        """Reach the device and find its model."""
        if not await self._client.connect():
            raise DriverFault("unreachable", "nobody answers at its address")
        if self._model:
            self._block = await find(self, self._model)
        self._level_at = await find(self, sunspec.LEVEL_MODEL) if self._has_level else None

    async def close(self) -> None:
        """Close the line."""
        self._client.close()

    async def read(self) -> list[Register]:
        """Every counter, exactly as the device holds it."""
        if self._level_at is not None:
            self.offer_level(sunspec.level(await self.words(*self._level_at)))
        if self._model:
            block = await self.words(*self._block)
            return [sunspec.register(one, block) for one in sunspec.counters(self._model)]
        return [await self._register(place) for place in self._places]

    async def _register(self, place: Place) -> Register:
        words = await self.words(place.address, WORDS[place.type], is_input=place.is_input)
        return Register(place.obis, _text(place, words), place.unit)

    async def command(self, watts: int | None) -> None:
        """Set the power by model 704; without contact it lapses. Raises `DriverFault`."""
        if not self._client.connected:
            raise DriverFault("unreachable", "the device is not connected")
        at, length = await find(self, sunspec.SETPOINT.model)
        for offset, values in sunspec.setpoint(watts, await self.words(at, length)):
            await self.write(at + offset, values)

    async def words(self, address: int, count: int, *, is_input: bool = False) -> list[int]:
        """So many registers from an address on. Raises `DriverFault`."""
        found: list[int] = []
        ask = self._client.read_input_registers if is_input else self._client.read_holding_registers
        while len(found) < count:
            most = min(WORDS_AT_ONCE, count - len(found))
            try:
                answer = await ask(address + len(found), count=most, device_id=self._unit)
            except ModbusException as error:
                raise DriverFault("unreachable", "no answer") from error
            if answer.isError() or len(answer.registers) != most:
                raise DriverFault("refused", "the device does not give these registers")
            found += answer.registers
        return found

    async def write(self, address: int, values: Sequence[int]) -> None:
        """Set registers. Raises `DriverFault`."""
        try:
            answer = await self._client.write_registers(address, list(values), device_id=self._unit)
        except ModbusException as error:
            raise DriverFault("unreachable", "no answer") from error
        if answer.isError():
            raise DriverFault("refused", "the device does not take these registers")


async def find(device: Modbus, wanted: int) -> tuple[int, int]:
    """Address and length (with its two words of heading) of a SunSpec model. Raises
    `DriverFault`."""
    at = await _base(device)
    for _ in range(sunspec.MODELS_MAX):
        model, length = await device.words(at, 2)
        if model == wanted:
            return at, length + 2
        if model == sunspec.END:
            break
        at += length + 2
    raise DriverFault("model", f"the device has no SunSpec model {wanted}")


async def _base(device: Modbus) -> int:
    for base in sunspec.BASES:
        try:
            if tuple(await device.words(base, 2)) == sunspec.MARKER:
                return base + 2
        except DriverFault as error:
            if error.reason != "refused":
                raise
    raise DriverFault("model", "the device speaks no SunSpec")


def _text(place: Place, words: Sequence[int]) -> str:
    raw = struct.pack(f">{len(words)}H", *words)
    if place.type == "f32":
        (value,) = struct.unpack(">f", raw)
        if not math.isfinite(value) or value < 0:
            raise DriverFault("value", f"{place.obis}: the device gives no number")
        number = Decimal(f"{value:.7g}")  # all the digits such a value has
    else:
        number = Decimal(int.from_bytes(raw))
        if number == (1 << 8 * len(raw)) - 1:
            raise DriverFault("not-implemented", f"{place.obis}: the device does not count it")
    return f"{number * Decimal(10) ** place.scale:f}"
