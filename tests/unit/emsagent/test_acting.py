# SPDX-License-Identifier: Apache-2.0
"""Devices are told the power of an order, told again before they forget it, and let go after it."""

from typing import Any

import aiomqtt
import pytest

from emsagent import limits
from emsagent.acting import Actor
from emsagent.drivers import open_driver, sunspec
from emsagent.errors import DriverFault
from emsagent.promises import Promise
from pedchain_domain.flexibility import papers
from tests.unit.emsagent.livedevices import block, broker, driver_config, modbus


class Device:
    def __init__(self) -> None:
        self.told: list[int | None] = []
        self.is_away = False

    async def command(self, watts: int | None) -> None:
        if self.is_away:
            raise DriverFault("unreachable")
        self.told.append(watts)


class Follower:
    def __init__(self) -> None:
        self.watts: int | None = None

    def setpoint(self, now: int) -> int | None:
        return self.watts


async def test_a_device_is_told_once_again_in_time_and_let_go() -> None:
    device, follower = Device(), Follower()
    actor = Actor("battery", device, follower)  # type: ignore[arg-type] # all that it asks
    await actor.turn(0, 0.0)
    follower.watts = -400
    await actor.turn(0, 1.0)
    await actor.turn(0, 2.0)
    await actor.turn(0, 1.0 + limits.COMMAND_S / 2)
    follower.watts = None
    await actor.turn(0, 500.0)
    await actor.turn(0, 5_000.0)
    assert device.told == [-400, -400, None]


async def test_a_device_that_is_away_is_told_when_it_is_back() -> None:
    device, follower = Device(), Follower()
    follower.watts, device.is_away = 300, True
    actor = Actor("battery", device, follower)  # type: ignore[arg-type] # all that it asks
    await actor.turn(0, 0.0)
    device.is_away = False
    await actor.turn(0, 1.0)
    assert device.told == [300]


def test_an_order_that_ended_early_asks_for_nothing() -> None:
    dispatch = {"direction": "down", "power_w": 400, "start": 100, "count": 1, "grain": 900}
    promise = Promise(dispatch, papers.ACKNOWLEDGE)
    assert promise.watts == -400
    promise.ends = 100
    assert not promise.is_followed


async def test_a_battery_on_modbus_is_told_its_power_and_forgets_it_by_itself() -> None:
    words = [*sunspec.MARKER, *block(704, 57, {55: 0xFFFF}), *block(701, 153, {120: 0}), 0xFFFF, 0]
    async with modbus(words) as (port, _):
        driver: Any = open_driver(driver_config("modbus", host="127.0.0.1", port=port, model=701))
        with pytest.raises(DriverFault, match="unreachable"):
            await driver.command(500)
        await driver.connect()
        for watts, expected in ((500, 0xFFFF_FFFF - 5_000 + 1), (-300, 3_000)):
            await driver.command(watts)
            held = await driver.words(40_002, 56)
            assert held[24] << 16 | held[25] == expected
            assert (held[22], held[23], held[30], held[32]) == (1, 1, 0, limits.COMMAND_S)
        await driver.command(None)
        assert (await driver.words(40_002, 56))[22] == 0
        await driver.close()


async def test_a_device_on_mqtt_is_told_its_power() -> None:
    async with broker() as port, aiomqtt.Client("127.0.0.1", port) as device:
        await device.subscribe("battery/set", qos=1)
        wanted = [{"obis": "1-0:1.8.0*255", "topic": "grid"}]
        at = {"host": "127.0.0.1", "port": port, "registers": wanted}
        driver: Any = open_driver(driver_config("mqtt", command_topic="battery/set", **at))
        await driver.command(-400)
        await driver.command(None)
        told = []
        async for message in device.messages:
            told.append(message.payload)
            if len(told) == 2:
                break
        with pytest.raises(DriverFault, match="refused"):
            await open_driver(driver_config("mqtt", **at)).command(1)  # type: ignore[attr-defined] # it is one
    assert told == [b"-400", b"auto"]
