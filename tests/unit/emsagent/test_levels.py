# SPDX-License-Identifier: Apache-2.0
"""How full a store is: said by the device and lately, or a fault."""

import asyncio
from decimal import Decimal
from typing import Any

import aiomqtt
import pytest

from emsagent import limits
from emsagent.drivers import Storing, open_driver, sunspec
from emsagent.errors import DriverFault
from tests.unit.emsagent.livedevices import block, broker, driver_config, modbus, serving, until


async def test_a_battery_on_modbus_says_how_full_it_is() -> None:
    store = block(713, 7, {4: 655, 8: 0xFFFF})
    words = [*sunspec.MARKER, *block(701, 153, {120: 0}), *store, 0xFFFF, 0]
    async with modbus(words) as (port, _):
        at: Any = {"host": "127.0.0.1", "port": port, "model": 701}
        driver: Any = open_driver(driver_config("modbus", level=True, **at))
        can_hold = isinstance(driver, Storing)
        assert can_hold
        with pytest.raises(DriverFault, match="level"):
            driver.level_ppm()
        await driver.connect()
        with pytest.raises(DriverFault):
            await driver.read()  # its counters are none; its level is there
        await driver.close()
    assert driver.level_ppm() == 655_000
    driver.clock.steady = lambda: 1e12
    with pytest.raises(DriverFault, match="stale"):
        driver.level_ppm()
    assert limits.LEVEL_AGE_S >= 900


@pytest.mark.parametrize(
    ("words", "reason"), [([713, 2, 0, 0], "short"), ([0] * 4 + [0xFFFF] * 5, "not-implemented")]
)
def test_a_level_that_is_none_is_a_fault(words: list[int], reason: str) -> None:
    with pytest.raises(DriverFault, match=reason):
        sunspec.level(words)


async def test_a_device_on_mqtt_says_how_full_it_is() -> None:
    async with broker() as port, aiomqtt.Client("127.0.0.1", port) as device:
        wanted = [{"obis": "1-0:1.8.0*255", "topic": "grid"}]
        at: Any = {"host": "127.0.0.1", "port": port, "registers": wanted}
        driver: Any = open_driver(
            driver_config("mqtt", level_topic="battery", level_field="soc", **at)
        )
        async with serving(driver):

            def known() -> bool:
                return driver._level is not None

            async def speak() -> None:
                while not known():
                    await device.publish("battery", b'{"soc": 42.5}')
                    await asyncio.sleep(0.05)

            await asyncio.gather(speak(), until(known))
    assert driver.level_ppm() == 425_000


def test_more_than_full_is_a_fault() -> None:
    wanted = [{"obis": "1-0:1.8.0*255", "topic": "grid"}]
    driver: Any = open_driver(driver_config("mqtt", host="h", registers=wanted))
    with pytest.raises(DriverFault, match="level"):
        driver.offer_level(Decimal(101))
