# SPDX-License-Identifier: Apache-2.0
"""Counters over MQTT: fresh messages only, and what Home Assistant was told of them."""

import asyncio
import json
from typing import Any

import aiomqtt
import pytest

from emsagent.drivers import Register, open_driver
from emsagent.drivers.mqtt import Source, described, register
from emsagent.errors import ConfigError, DriverFault
from tests.unit.emsagent.livedevices import broker, driver_config, serving, until

SOURCE = Source("1-0:1.8.0*255", "grid", ("import", "kwh"), "kWh", "")
DISCOVERY = {
    "~": "home/grid",
    "stat_t": "~/state",
    "unit_of_measurement": "Wh",
    "state_class": "total_increasing",
    "device_class": "energy",
    "value_template": "{{ value_json.out['wh'] }}",
}


def test_a_number_passes_through_as_it_was_written() -> None:
    found = register(SOURCE, b'{"import": {"kwh": 10.500}}')
    assert found == Register("1-0:1.8.0*255", "10.500", "kWh")


@pytest.mark.parametrize(
    "payload",
    [b"", b"nan", b"{}", b'{"import": 3}', b'{"import": {"kwh": -1}}', b'{"import":{"kwh":1e9}}',
     b'{"import": {"kwh": "unavailable"}}', b'{"import": {"kwh": null}}', b"\xff"],
)  # fmt: skip
def test_what_is_no_register_value_is_a_fault(payload: bytes) -> None:
    with pytest.raises(DriverFault):
        register(SOURCE, payload)


def test_a_discovery_tells_topic_unit_and_field() -> None:
    found = described(Source("o", "", (), "kWh", "ha"), json.dumps(DISCOVERY).encode())
    assert (found.topic, found.unit, found.field) == ("home/grid/state", "Wh", ("out", "wh"))


@pytest.mark.parametrize(
    "wrong",
    [{"unit_of_measurement": "W"},
     {"state_class": "measurement"}, {"value_template": "{{ x }}"}],
)  # fmt: skip
def test_a_discovery_of_no_energy_counter_is_a_fault(wrong: dict[str, str]) -> None:
    with pytest.raises(DriverFault, match="no energy counter"):
        described(Source("o", "", (), "kWh", "ha"), json.dumps(DISCOVERY | wrong).encode())


async def test_fresh_counters_are_read_and_retained_ones_are_not() -> None:
    async with broker() as port, aiomqtt.Client("127.0.0.1", port) as device:
        await device.publish("ha/config", json.dumps(DISCOVERY), qos=1, retain=True)
        await device.publish("grid", b'{"import": {"kwh": 1.0}}', qos=1, retain=True)
        wanted = [
            {"obis": "1-0:1.8.0*255", "topic": "grid", "field": "import.kwh"},
            {"obis": "1-0:2.8.0*255", "discovery": "ha/config"},
        ]
        driver: Any = open_driver(
            driver_config("mqtt", host="127.0.0.1", port=port, registers=wanted)
        )
        async with serving(driver):
            async with asyncio.timeout(20):
                while "1-0:2.8.0*255" not in driver._said:  # it subscribes when it was told where
                    await device.publish("home/grid/state", b'{"out": {"wh": 5}}')
                    await asyncio.sleep(0.05)
            assert list(driver._held) == []
            await device.publish("grid", b'{"import": {"kwh": 2.0}}')
            samples = await until(lambda: list(driver._held))
    assert sorted(one.text for one in samples[0].registers) == ["2.0", "5"]


async def test_no_broker_is_a_fault() -> None:
    wanted = [{"obis": "1-0:1.8.0*255", "topic": "grid"}]
    driver: Any = open_driver(driver_config("mqtt", host="127.0.0.1", port=9, registers=wanted))
    with pytest.raises(DriverFault, match="unreachable"):
        await driver.watch()


def test_a_register_has_a_topic_or_a_discovery() -> None:
    with pytest.raises(ConfigError, match="either topic"):
        open_driver(driver_config("mqtt", host="h", registers=[{"obis": "x"}]))
