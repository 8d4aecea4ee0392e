# SPDX-License-Identifier: Apache-2.0
"""Telegrams of smart meters: whole or not at all, at the right time, added exactly."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from emsagent.drivers import Register, open_driver
from emsagent.drivers.p1 import P1
from emsagent.errors import ConfigError, DriverFault
from tests.unit.emsagent.livedevices import driver_config, serving, telegram, until

NOON = datetime(2026, 7, 1, 10, 0, 0, tzinfo=UTC)


def printed(at: datetime) -> str:
    """As a meter prints it: local time, and whether it is summer's."""
    local = at.astimezone(ZoneInfo("Europe/Amsterdam"))
    return f"{local:%y%m%d%H%M%S}{'S' if local.dst() else 'W'}"


def p1(now: datetime = NOON, **settings: Any) -> Any:
    driver = open_driver(driver_config("p1", **({"host": "127.0.0.1"} | settings)))
    driver.clock._wall = now.timestamp  # type: ignore[attr-defined] # the test's own time
    driver.clock._steady = lambda: 0.0  # type: ignore[attr-defined]
    driver.clock._offset = now.timestamp()  # type: ignore[attr-defined]
    return driver


def test_tariffs_add_up_exactly_to_the_total() -> None:
    instant, registers = p1().read(telegram(printed(NOON)))
    assert instant == int(NOON.timestamp())
    assert registers == [
        Register("1-0:1.8.0*255", "323.457", "kWh"),
        Register("1-0:2.8.0*255", "7.000", "kWh"),
    ]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda raw: raw.replace(b"123.456", b"123.457"), "checksum"),
        (lambda raw: raw[:60] + raw[-7:], "checksum"),
        (lambda raw: b"/\xff!0000\r\n", "telegram"),
        (lambda raw: b"/no!\r\n", "telegram"),
        (lambda raw: telegram("", "000001.000"), "telegram"),
        (lambda raw: telegram(printed(NOON + timedelta(minutes=2))), "clock"),
    ],
)
def test_a_telegram_that_is_not_right_is_a_fault(
    spoil: Callable[[bytes], bytes], reason: str
) -> None:
    with pytest.raises(DriverFault) as caught:
        p1().read(spoil(telegram(printed(NOON))))
    assert caught.value.reason == reason


def test_a_cable_or_a_host_is_named_not_both() -> None:
    with pytest.raises(ConfigError, match="either path"):
        open_driver(driver_config("p1"))
    with pytest.raises(ConfigError, match="either path"):
        open_driver(driver_config("p1", path="/dev/null", host="127.0.0.1"))
    with pytest.raises(ConfigError, match="version"):
        open_driver(driver_config("p1", host="127.0.0.1", version="6"))


def now_telegram() -> bytes:
    return telegram(printed(datetime.now(UTC)))


async def test_a_meter_on_the_network_is_read_and_found_again_when_it_was_lost() -> None:
    connections = 0

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"half of a telegram 1-0:1.8.1(00\r\n!1234\r\n")
        writer.write(now_telegram())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    driver: Any = open_driver(driver_config("p1", host="127.0.0.1", port=port))
    async with server, serving(driver):
        samples = await until(lambda: list(read(driver)))
        assert samples[0].registers[0].text == "323.457"
        assert samples[0].sync == "S"
        driver.stored(samples)
        await until(lambda: connections > 1)


async def test_a_meter_on_a_cable_is_read() -> None:
    controller, device = os.openpty()
    driver: Any = open_driver(driver_config("p1", path=os.ttyname(device)))
    async with serving(driver):

        def spoken() -> list[Any]:
            os.write(controller, now_telegram())
            return list(read(driver))

        samples = await until(spoken)
    assert samples[0].registers[1].text == "7.000"
    os.close(controller)
    os.close(device)


def read(driver: P1) -> Any:
    """What waits, nothing while there is a fault."""
    try:
        return list(driver.samples(None, int(time.time()) + 5))
    except DriverFault:
        return []


def test_it_is_imported_only_when_configured(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import emsagent.run, sys; sys.exit(any('dsmr' in m or 'modbus' in m for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
