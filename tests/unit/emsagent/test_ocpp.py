# SPDX-License-Identifier: Apache-2.0
"""A charger of each version: its registers are read, its own records passed on, its power told."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ocpp.routing import on
from ocpp.v21 import ChargePoint, call, call_result
from ocpp.v201 import ChargePoint as ChargePoint201
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from emsagent.drivers import Register, open_driver
from emsagent.drivers.ocpp import registers
from emsagent.errors import DriverFault
from tests.unit.emsagent.livedevices import driver_config, free_port, serving, until

VERSIONS = {"ocpp2.0.1": ChargePoint201, "ocpp2.1": ChargePoint}


def simulator(version: str, connection: Any) -> Any:
    """A charger that does what it is told and remembers it."""

    class Charger(VERSIONS[version]):  # type: ignore[misc] # the library is not typed
        def __init__(self) -> None:
            super().__init__("CP-1", connection)
            self.settings: list[Any] = []
            self.profiles: list[Any] = []

        @on("SetVariables")
        def set_variables(self, set_variable_data: Any) -> Any:
            self.settings += set_variable_data
            results = [
                {"attribute_status": "Accepted", "component": one["component"],
                 "variable": one["variable"]}
                for one in set_variable_data
            ]  # fmt: skip
            return call_result.SetVariables(results)

        @on("SetChargingProfile")
        def set_profile(self, evse_id: int, charging_profile: Any) -> Any:
            self.profiles.append(charging_profile)
            return call_result.SetChargingProfile("Accepted")

        @on("ClearChargingProfile")
        def clear(self, **_: Any) -> Any:
            self.profiles.append(None)
            return call_result.ClearChargingProfile("Accepted")

    return Charger()


@contextlib.asynccontextmanager
async def charging(version: str, tmp_path: Path, **settings: Any) -> AsyncIterator[Any]:
    """The driver, and a charger connected to it."""
    (tmp_path / "secret").write_text("hush\n")
    port = free_port()
    driver: Any = open_driver(
        driver_config(
            "ocpp", tmp_path, charger="CP-1", port=port, password_file="secret", **settings
        )
    )
    token = base64.b64encode(b"CP-1:hush").decode()
    headers = {"Authorization": f"Basic {token}"}
    async with serving(driver):
        await listening(port)
        async with connect(
            f"ws://127.0.0.1:{port}/CP-1",
            subprotocols=[Subprotocol(version)],
            additional_headers=headers,
        ) as connection:
            point = simulator(version, connection)
            task = asyncio.create_task(point.start())
            await point.call(boot())
            await until(lambda: len(point.settings) == 3)
            yield driver, point
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


def boot() -> Any:
    station = {"model": "x", "vendor_name": "y"}
    return call.BootNotification(charging_station=station, reason="PowerUp")  # type: ignore[arg-type] # the library takes mappings


def values(*sampled: dict[str, Any], at: str = "") -> Any:
    now = at or datetime.now(UTC).isoformat(timespec="seconds")
    return [{"timestamp": now, "sampled_value": list(sampled)}]


IMPORT = {"value": 1234.5, "measurand": "Energy.Active.Import.Register"}
EXPORT = {
    "value": 7,
    "measurand": "Energy.Active.Export.Register",
    "unit_of_measure": {"unit": "kWh", "multiplier": -1},
}


@pytest.mark.parametrize("version", VERSIONS)
async def test_registers_are_read_and_a_power_is_told(version: str, tmp_path: Path) -> None:
    async with charging(version, tmp_path) as (driver, point):
        await point.call(call.MeterValues(evse_id=1, meter_value=values(IMPORT, EXPORT)))
        (sample,) = await until(lambda: list(driver._held))
        await driver.command(7_000)
        await driver.command(None)
        if version == "ocpp2.1":
            await driver.command(-3_000)
        else:
            with pytest.raises(DriverFault, match="refused"):
                await driver.command(-3_000)
    assert [one.text for one in sample.registers] == ["1234.5", "0.7"]
    periods = [one and one["charging_schedule"][0]["charging_schedule_period"][0]
               for one in point.profiles]  # fmt: skip
    told = "setpoint" if version == "ocpp2.1" else "limit"
    assert periods[0][told] == 7_000
    assert periods[1] is None
    assert [one[told] for one in periods[2:]] == ([-3_000] if version == "ocpp2.1" else [])


async def test_what_the_charger_signed_is_passed_on_byte_for_byte(tmp_path: Path) -> None:
    record = b'OCMF|{"PG":"T1"}|{"SD":"00"}'
    signed = {
        "signed_meter_data": base64.b64encode(record).decode(),
        "signing_method": "",
        "encoding_method": "OCMF",
        "public_key": "",
    }
    said = values({"value": 1, "signed_meter_value": signed})
    async with charging("ocpp2.1", tmp_path, signed=True) as (driver, point):
        await point.call(call.MeterValues(evse_id=1, meter_value=said))
        await until(driver.records)
        await point.call(call.MeterValues(evse_id=1, meter_value=said))
        assert driver.records() == [record]
        driver.passed([record])
        assert driver.records() == []


async def test_another_charger_or_password_is_not_let_in(tmp_path: Path) -> None:
    async with charging("ocpp2.1", tmp_path) as (driver, _):
        for path, status in (("CP-2", 404), ("CP-1", 401)):
            with pytest.raises(InvalidStatus, match=str(status)):
                await connect(
                    f"ws://127.0.0.1:{driver._listen[1]}/{path}",
                    subprotocols=[Subprotocol("ocpp2.1")],
                )


async def test_a_charger_whose_clock_is_wrong_is_not_believed(tmp_path: Path) -> None:
    async with charging("ocpp2.1", tmp_path) as (driver, point):
        said = values(IMPORT, at="2026-01-01T00:00:00Z")
        await point.call(call.MeterValues(evse_id=1, meter_value=said))
        fault = await until(lambda: driver._fault)
    assert fault.reason == "clock"
    assert not driver._held


@pytest.mark.parametrize(
    ("sampled", "reason"),
    [
        ({"value": 1, "measurand": "Power.Active.Import"}, "registers"),
        ({"value": 1, "phase": "L1"}, "registers"),
        ({"value": -1}, "value"),
        ({"value": 1, "unit_of_measure": {"unit": "MWh"}}, "unit"),
    ],
)
def test_what_is_no_total_register_is_a_fault(sampled: dict[str, Any], reason: str) -> None:
    with pytest.raises(DriverFault) as caught:
        registers([sampled])
    assert caught.value.reason == reason


def test_a_value_without_more_is_import_in_wh() -> None:
    assert registers([{"value": 12}]) == [Register("1-0:1.8.0*255", "12", "Wh")]
