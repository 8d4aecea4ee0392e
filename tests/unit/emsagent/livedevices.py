# SPDX-License-Identifier: Apache-2.0
"""Devices for live drivers, on this machine: telegrams, a SunSpec device, an MQTT broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from amqtt.broker import Broker
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from emsagent.config import DriverConfig
from tests.ports import free


def telegram(
    time: str, night: str = "000123.456", day: str = "000200.001", back: str = "000007.000"
) -> bytes:
    """A DSMR 5 telegram; `time` as meters print it (`260329020000S`)."""
    lines = [
        "/ISK5\\2M550E-1012",
        "",
        "1-3:0.2.8(50)",
        f"0-0:1.0.0({time})",
        f"1-0:1.8.1({night}*kWh)",
        f"1-0:1.8.2({day}*kWh)",
        f"1-0:2.8.1({back}*kWh)",
        "1-0:2.8.2(000000.000*kWh)",
        "0-0:96.14.0(0002)",
        "1-0:1.7.0(00.329*kW)",
        "!",
    ]
    body = "\r\n".join(lines).encode()
    return body + f"{crc16(body):04X}\r\n".encode()


def crc16(data: bytes) -> int:
    """CRC-16/ARC, as telegrams end with."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


def driver_config(kind: str, base: Path = Path(), interval_s: int = 1, **settings: Any) -> Any:
    """What `[[home.device]]` would say."""
    return DriverConfig(kind, settings, "home[0].device[0].driver", base, interval_s, "always")


async def until(holds: Callable[[], Any]) -> Any:
    """Wait for something, with a deadline."""
    async with asyncio.timeout(20):
        while not (found := holds()):  # noqa: ASYNC110 - a device far away makes it true
            await asyncio.sleep(0.01)
    return found


def free_port() -> int:
    """A port nobody listens on."""
    with free() as port:
        return port


@contextlib.asynccontextmanager
async def serving(driver: Any) -> AsyncIterator[None]:
    """A driver that keeps in touch while the block runs."""
    task = asyncio.create_task(driver.serve())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def block(model: int, length: int, values: dict[int, int]) -> list[int]:
    """A SunSpec model's registers; offsets counted from its id."""
    words = [model, length, *[0xFFFF] * length]
    for offset, value in values.items():
        words[offset] = value
    return words


@contextlib.asynccontextmanager
async def modbus(
    words: list[int], base: int = 40_000, port: int = 0
) -> AsyncIterator[tuple[int, Any]]:
    """A device with these holding registers; its port, and the server."""
    port = port or free_port()
    data = [SimData(base, values=words, datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(1, simdata=data), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield port, server
    finally:
        await server.shutdown()


@contextlib.asynccontextmanager
async def broker() -> AsyncIterator[int]:
    """An MQTT broker; its port."""
    port = free_port()
    made = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await made.start()
    try:
        yield port
    finally:
        await made.shutdown()
