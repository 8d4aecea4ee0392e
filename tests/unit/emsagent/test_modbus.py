# SPDX-License-Identifier: Apache-2.0
"""Modbus: SunSpec devices found and read by their models, other meters by their registers."""

import asyncio
import contextlib
import os
import struct
import time
import tty
from collections.abc import Iterator
from typing import Any

import pytest
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from emsagent.drivers import Register, open_driver, sunspec
from emsagent.errors import ConfigError, DriverFault
from tests.unit.emsagent.livedevices import block, driver_config, modbus, serving, until

COMMON = block(1, 66, {})
INVERTER = block(103, 50, {24: 0x0001, 25: 0x0002, 26: 1})
METER = block(203, 105, {38: 0, 39: 500, 46: 0x0012, 47: 0xD687, 54: 0xFFFF})
BATTERY = block(701, 153, {**dict.fromkeys(range(19, 27), 0), 22: 7, 26: 9, 120: 3})
DEVICE = [*sunspec.MARKER, *COMMON, *INVERTER, *METER, *BATTERY, 0xFFFF, 0]


async def registers(words: list[int], base: int = 40_000, **settings: Any) -> list[Register]:
    async with modbus(words, base) as (port, _):
        driver: Any = open_driver(driver_config("modbus", host="127.0.0.1", port=port, **settings))
        await driver.connect()
        try:
            return list(await driver.read())
        finally:
            await driver.close()


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (103, [("2.8.0", "655380")]),
        (203, [("1.8.0", "123456.7"), ("2.8.0", "50.0")]),
        (701, [("1.8.0", "9000"), ("2.8.0", "7000")]),
    ],
)
@pytest.mark.parametrize("base", sunspec.BASES)
async def test_a_sunspec_device_is_asked_where_its_models_are(
    model: int, found: list[tuple[str, str]], base: int
) -> None:
    expected = [Register(f"1-0:{code}*255", text, "Wh") for code, text in found]
    assert await registers(DEVICE, base, model=model) == expected


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([*sunspec.MARKER, *COMMON, 0xFFFF, 0], "model"),
        ([0] * 10, "model"),
        ([*sunspec.MARKER, *block(103, 50, {26: 0}), 0xFFFF, 0], "not-implemented"),
        ([*sunspec.MARKER, *block(103, 50, {24: 0, 25: 1, 26: 0x8000}), 0xFFFF, 0], "scale"),
        ([*sunspec.MARKER, *block(103, 20, {}), 0xFFFF, 0], "short"),
    ],
)
async def test_what_a_device_does_not_count_is_a_fault(words: list[int], reason: str) -> None:
    with pytest.raises(DriverFault) as caught:
        await registers(words, model=103)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("kind", "words", "text"),
    [
        ("u32", [1, 0], "65536"),
        ("u64", [0, 0, 1, 0], "65536"),
        ("f32", list(struct.unpack(">HH", struct.pack(">f", 1234.56))), "1234.56"),
    ],
)
async def test_a_meter_without_sunspec_is_read_by_its_registers(
    kind: str, words: list[int], text: str
) -> None:
    place = {"obis": "1-0:1.8.0*255", "address": 342, "type": kind, "in": "kWh"}
    found = await registers(words, 342, registers=[place])
    assert found == [Register("1-0:1.8.0*255", text, "kWh")]


@pytest.mark.parametrize("words", [[0x7FC0, 0], [0xBF80, 0], [0x7F80, 0]])
async def test_what_is_no_number_is_a_fault(words: list[int]) -> None:
    place = {"obis": "1-0:1.8.0*255", "address": 342, "type": "f32"}
    with pytest.raises(DriverFault, match="value"):
        await registers(words, 342, registers=[place])


async def test_a_device_that_is_lost_is_found_again() -> None:
    async with modbus(DEVICE) as (port, server):
        driver: Any = open_driver(
            driver_config("modbus", host="127.0.0.1", port=port, model=203, power_max_w=20_000)
        )
        async with serving(driver):
            first = await until(lambda: list(driver._held))
            assert first[0].instant <= time.time()
            await server.shutdown()
            await until(lambda: driver._fault)
            async with modbus_at(port):
                await until(lambda: len(driver._held) > len(first) + 1)
    assert [one.instant for one in driver._held] == sorted({one.instant for one in driver._held})


def modbus_at(port: int) -> Any:
    """The same device, back at the same port."""
    return modbus(DEVICE, port=port)


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "h"},
        {"host": "h", "path": "/dev/x", "model": 103},
        {"host": "h", "model": 5},
        {"host": "h", "registers": [{"obis": "x", "address": 1, "type": "bcd"}]},
        {"host": "h", "registers": [{"obis": "x", "address": 1, "in": "MWh"}]},
    ],
)
def test_settings_that_cannot_be_followed_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="driver"):
        open_driver(driver_config("modbus", **settings))


@contextlib.contextmanager
def serial_line() -> Iterator[tuple[str, str]]:
    """Two ends of a serial cable, by path."""
    (one, near), (other, far) = os.openpty(), os.openpty()
    for end in (one, other, near, far):
        tty.setraw(end)
    loop = asyncio.get_running_loop()
    loop.add_reader(one, lambda: os.write(other, os.read(one, 512)))
    loop.add_reader(other, lambda: os.write(one, os.read(other, 512)))
    try:
        yield os.ttyname(near), os.ttyname(far)
    finally:
        for end in (one, other):
            loop.remove_reader(end)
        for end in (one, other, near, far):
            os.close(end)


async def test_a_meter_on_a_serial_line_is_read() -> None:
    with serial_line() as (near, far):
        data = [SimData(0, values=[0, 42], datatype=DataType.REGISTERS)]
        server = ModbusSerialServer(SimDevice(7, simdata=data), port=far, baudrate=9_600)
        await server.serve_forever(background=True)
        place = {"obis": "1-0:1.8.0*255", "address": 0}
        driver: Any = open_driver(
            driver_config("modbus", path=near, baud=9_600, unit=7, registers=[place])
        )
        await driver.connect()
        try:
            assert await driver.read() == [Register("1-0:1.8.0*255", "42", "Wh")]
        finally:
            await driver.close()
            await server.shutdown()
