# SPDX-License-Identifier: Apache-2.0
"""A charger, also one that feeds back (OCPP 2.0.1 and 2.1): the agent is what it connects to.

    driver = { kind = "ocpp", charger = "CP-1", port = 9000, listen = "0.0.0.0", evse = 1,
               password_file = "cp-1.secret", signed = true }

The charger is told to say its registers at every interval's end (AlignedDataCtrlr); what it says
is a register of import or export, of no single phase. With `signed` its OCMF records are passed on
as they are instead, and the meter's name in them is this device's id. A charging profile in watts
is how it is told a power: 2.0.1 can be told to draw at most so much, 2.1 also to feed back. It
lapses by itself after `limits.COMMAND_S`, so that a charger nobody talks to goes on alone. Needs
`emsagent[ocpp]`.
"""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, cast

from ocpp.exceptions import OCPPError
from ocpp.routing import on
from ocpp.v21 import ChargePoint, call, call_result
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from emsagent import limits, logs
from emsagent.clock import Clock
from emsagent.config import DriverConfig
from emsagent.drivers import Register, Sample
from emsagent.drivers.live import Live
from emsagent.errors import ConfigError, DriverFault
from emsagent.toml import Table

REGISTERS = {
    "Energy.Active.Import.Register": "1-0:1.8.0*255",
    "Energy.Active.Export.Register": "1-0:2.8.0*255",
}
V201, V21 = Subprotocol("ocpp2.0.1"), Subprotocol("ocpp2.1")
PROFILE_ID, SKEW_S = 1, 60


def make(config: DriverConfig) -> "Charger":
    """The driver `{ kind = "ocpp", charger, port, ... }`."""
    table = Table(config.settings, config.where)
    secret = table.text_or_none("password_file")
    try:
        password = (config.base / secret).read_text().strip() if secret else ""
    except OSError as error:
        raise ConfigError(table.path("password_file"), str(error.strerror)) from error
    made = Charger(config, table, password)
    table.done()
    return made


class Charger(Live):
    """One charger's connection, whenever it has one."""

    def __init__(
        self, config: DriverConfig, table: Table, password: str, clock: Clock | None = None
    ) -> None:
        super().__init__(config, table, clock)
        self._name = table.text("charger")
        self._listen = (table.text("listen", "127.0.0.1"), table.number("port", 9_000, 1, 65_535))
        self._evse = table.number("evse", 1, 1, 1_000)
        self.signs_itself = table.flag("signed", default=False)
        self._password = password
        self._records: list[bytes] = []
        self._point: ChargePoint | ChargePoint201 | None = None

    async def watch(self) -> None:
        """Listen; one charger, one connection at a time."""
        host, port = self._listen
        async with serve(
            self._talk,
            host,
            port,
            subprotocols=[V21, V201],
            process_request=self._known,
            max_size=limits.MESSAGE_BYTES_MAX,
        ) as server:
            await server.serve_forever()

    def _known(self, connection: ServerConnection, request: Request) -> Response | None:
        """Whether this is the charger that was configured, with its password."""
        expected = base64.b64encode(f"{self._name}:{self._password}".encode()).decode()
        given = request.headers.get("authorization", "")
        if request.path.rsplit("/", 1)[-1] != self._name:
            return connection.respond(404, "another charger\n")
        if self._password and not hmac.compare_digest(given, f"Basic {expected}"):
            return connection.respond(401, "not its password\n")
        return None

    async def _talk(self, connection: ServerConnection) -> None:
        if connection.subprotocol not in (V21, V201):
            await connection.close(1002, "OCPP 2.0.1 or 2.1")
            return
        if self._point is not None:
            await connection.close(1008, "it is connected already")
            return
        self._point = (_Point21 if connection.subprotocol == V21 else _Point201)(self, connection)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._set_up(self._point))
                group.create_task(self._point.start())
        except* (ConnectionClosed, OCPPError, TimeoutError):
            self.fail(DriverFault("unreachable", "the charger has gone"))
        finally:
            self._point = None

    async def _set_up(self, point: ChargePoint | ChargePoint201) -> None:
        wanted = {
            ("AlignedDataCtrlr", "Interval"): str(self.interval_s),
            ("AlignedDataCtrlr", "Measurands"): ",".join([*REGISTERS, "SoC"]),
            ("AlignedDataCtrlr", "SignReadings"): str(self.signs_itself).lower(),
        }
        data = [
            {
                "attribute_value": value,
                "component": {"name": component},
                "variable": {"name": variable},
            }
            for (component, variable), value in wanted.items()
        ]
        answer = await point.call(call201.SetVariables(data), suppress=False)
        for one in answer.set_variable_result:
            if one["attribute_status"] not in ("Accepted", "RebootRequired"):
                name = one["variable"]["name"]
                logs.event("charger-setting", device=self._where, setting=name)

    # what it says

    def hear(self, values: Sequence[Mapping[str, Any]]) -> None:
        """Meter values, as the charger sent them."""
        for value in values:
            try:
                self._hear_level(value)
                if self.signs_itself:
                    self._keep(value)
                else:
                    self.offer(self._instant(value), registers(value["sampled_value"]))
            except DriverFault as error:
                self.fail(error)

    def _hear_level(self, value: Mapping[str, Any]) -> None:
        """How full the vehicle is, where it says so."""
        for sampled in value["sampled_value"]:
            if sampled.get("measurand") == "SoC":
                self.offer_level(Decimal(str(sampled["value"])))

    def _instant(self, value: Mapping[str, Any]) -> int:
        try:
            told = datetime.fromisoformat(value["timestamp"])
        except ValueError as error:
            raise DriverFault("clock", "the charger's time cannot be read") from error
        instant = int(told.replace(tzinfo=told.tzinfo or UTC).timestamp())
        if abs(instant - self.clock.now()) > SKEW_S:
            raise DriverFault("clock", "the charger's time is not ours")
        return instant

    def _keep(self, value: Mapping[str, Any]) -> None:
        for sampled in value["sampled_value"]:
            signed = sampled.get("signed_meter_value")
            if signed is None or "OCMF" not in signed["encoding_method"].upper():
                continue
            if len(self._records) >= limits.RECORDS_PASSED_MAX:
                raise DriverFault("full", "signed records wait for the disk")
            record = _record(signed["signed_meter_data"])
            if record not in self._records:
                self._records.append(record)
                self.seen()

    def samples(self, after: int | None, until: int) -> Iterator[Sample]:
        """Registers as said; none where the records are the charger's own."""
        return iter(()) if self.signs_itself else super().samples(after, until)

    def records(self) -> list[bytes]:
        """Signed records that wait."""
        return list(self._records)

    def passed(self, records: Iterable[bytes]) -> None:
        """These are on the disk."""
        for record in records:
            self._records.remove(record)

    refused = passed

    # what it is told

    async def command(self, watts: int | None) -> None:
        """Draw so much (feed back, when negative), or go on alone. Raises `DriverFault`."""
        point = self._point
        if point is None:
            raise DriverFault("unreachable", "no charger is connected")
        if isinstance(point, ChargePoint201) and watts is not None and watts < 0:
            raise DriverFault("refused", "OCPP 2.0.1 cannot tell a charger to feed back")
        try:
            if watts is None:
                gone = call.ClearChargingProfile(charging_profile_id=PROFILE_ID)
                await point.call(gone, suppress=False)
                return
            profile = _profile(watts, self._evse, is_two_way=not isinstance(point, ChargePoint201))
            answer = await point.call(profile, suppress=False)
        except (OCPPError, ConnectionClosed, TimeoutError) as error:
            raise DriverFault("unreachable", "the charger does not answer") from error
        if answer.status != "Accepted":
            raise DriverFault("refused", "the charger does not take a charging profile")


def registers(sampled: Sequence[Mapping[str, Any]]) -> list[Register]:
    """The registers of one meter value. Raises `DriverFault`."""
    found = [_register(one) for one in sampled if _is_total(one)]
    if not found:
        raise DriverFault("registers", "the charger says no energy register")
    return found


def _is_total(sampled: Mapping[str, Any]) -> bool:
    measurand = sampled.get("measurand", "Energy.Active.Import.Register")
    return measurand in REGISTERS and "phase" not in sampled


def _register(sampled: Mapping[str, Any]) -> Register:
    unit = sampled.get("unit_of_measure", {})
    name = unit.get("unit", "Wh")
    if name not in ("Wh", "kWh"):
        raise DriverFault("unit", "a register is not in Wh or kWh")
    try:
        value = Decimal(str(sampled["value"])) * Decimal(10) ** int(unit.get("multiplier", 0))
    except (InvalidOperation, ValueError) as error:
        raise DriverFault("value", "a register is no number") from error
    if not value.is_finite() or value < 0:
        raise DriverFault("value", "a register is no number from zero up")
    obis = REGISTERS[sampled.get("measurand", "Energy.Active.Import.Register")]
    return Register(obis, f"{value:f}", name)


def _record(data: str) -> bytes:
    """A signed record; some chargers send it as it is, the standard asks for base64."""
    if data.startswith("OCMF|"):
        return data.encode()
    try:
        return base64.b64decode(data, validate=True).strip()
    except binascii.Error as error:
        raise DriverFault("record", "the signed value cannot be read") from error


T = TypeVar("T", bound=Callable[..., Any])


def _on(action: str) -> Callable[[T], T]:
    """The library's way to say which message a method answers, typed."""
    return cast(Callable[[T], T], on(action))


def _profile(watts: int, evse: int, *, is_two_way: bool) -> call.SetChargingProfile:
    period: dict[str, Any] = {"start_period": 0, "limit": watts}
    if is_two_way:
        period = {"start_period": 0, "operation_mode": "CentralSetpoint", "setpoint": watts}
    schedule = {
        "id": 1,
        "charging_rate_unit": "W",
        "start_schedule": datetime.now(UTC).isoformat(timespec="seconds"),
        "duration": limits.COMMAND_S,
        "charging_schedule_period": [period],
    }
    profile = {
        "id": PROFILE_ID,
        "stack_level": 1,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Absolute",
        "charging_schedule": [schedule],
    }
    return call.SetChargingProfile(evse_id=evse, charging_profile=profile)


class _Answers:
    """What a charger is answered; the same in both versions."""

    def __init__(self, charger: Charger, connection: ServerConnection) -> None:
        super().__init__(charger._name, connection)  # type: ignore[call-arg] # the charge point's
        self._charger = charger

    @_on("BootNotification")
    def _boot(self, **_: Any) -> call_result.BootNotification:
        return call_result.BootNotification(_now(), limits.HEARTBEAT_S, "Accepted")

    @_on("Heartbeat")
    def _heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(_now())

    @_on("StatusNotification")
    def _status(self, **_: Any) -> call_result.StatusNotification:
        return call_result.StatusNotification()

    @_on("NotifyEvent")
    def _event(self, **_: Any) -> call_result.NotifyEvent:
        return call_result.NotifyEvent()

    @_on("Authorize")
    def _authorize(self, **_: Any) -> call_result.Authorize:
        return call_result.Authorize({"status": "Accepted"})

    @_on("MeterValues")
    def _meter_values(self, meter_value: Any, **_: Any) -> call_result.MeterValues:
        self._charger.hear(meter_value)
        return call_result.MeterValues()

    @_on("TransactionEvent")
    def _transaction(self, meter_value: Any = (), **_: Any) -> call_result.TransactionEvent:
        self._charger.hear(meter_value)
        return call_result.TransactionEvent()


class _Point21(_Answers, ChargePoint):  # type: ignore[misc] # the library is not typed
    """A charger that speaks 2.1."""


class _Point201(_Answers, ChargePoint201):  # type: ignore[misc] # the library is not typed
    """A charger that speaks 2.0.1."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
