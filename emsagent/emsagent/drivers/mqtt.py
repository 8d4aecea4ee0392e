# SPDX-License-Identifier: Apache-2.0
"""Meters whose counters come over MQTT, also those that Home Assistant was told of.

    driver = { kind = "mqtt", host = "192.0.2.4", username = "agent", password_file = "mqtt.secret",
               registers = [{ obis = "1-0:1.8.0*255", topic = "grid/energy", field = "import.kwh",
                              in = "kWh" },
                            { obis = "1-0:2.8.0*255",
                              discovery = "homeassistant/sensor/grid/export/config" }] }

A message holds a number, or a JSON object in which `field` names one. A register with `discovery`
takes topic, unit and field from what the device published for Home Assistant: an energy counter
(`total_increasing` or `total`), in Wh or kWh. Retained messages are of unknown age: they are never
a reading. All registers must have come within the same nine seconds. With `command_topic` the
device can be told a power in W, or `auto`; on `level_topic` (in `level_field`) it says how full
it is, in percent. Needs `emsagent[mqtt]`.
"""

import json
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import aiomqtt

from emsagent import limits
from emsagent.clock import Clock
from emsagent.config import DriverConfig
from emsagent.drivers import Register
from emsagent.drivers.live import LATE_S, Live
from emsagent.errors import ConfigError, DriverFault
from emsagent.toml import Table

_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_TEMPLATE = re.compile(r"\{\{\s*value(?:_json)?((?:\.[A-Za-z0-9_]+|\[['\"][^'\"]+['\"]\])*)\s*\}\}")
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[['\"]([^'\"]+)['\"]\]")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a register's value is said; `topic` is empty until a discovery told it."""

    obis: str
    topic: str
    field: tuple[str, ...]
    unit: str
    discovery: str


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to connect, and as whom."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None

    def client(self, **more: Any) -> aiomqtt.Client:
        """A client for one connection."""
        return aiomqtt.Client(
            self.host,
            self.port,
            username=self.username,
            password=self.password,
            tls_context=self.tls,
            timeout=limits.CONNECT_S,
            max_queued_incoming_messages=limits.SAMPLES_HELD_MAX,
            **more,
        )


def broker(table: Table, base: Path) -> Broker:
    """The broker a table names. Raises `ConfigError`."""
    secret, ca = table.text_or_none("password_file"), table.text_or_none("ca")
    try:
        password = (base / secret).read_text().strip() if secret else None
    except OSError as error:
        raise ConfigError(table.path("password_file"), str(error.strerror)) from error
    port = table.number("port", 8_883 if ca else 1_883, 1, 65_535)
    tls = ssl.create_default_context(cafile=str(base / ca)) if ca else None
    return Broker(table.text("host"), port, table.text_or_none("username"), password, tls)


def make(config: DriverConfig) -> "Mqtt":
    """The driver `{ kind = "mqtt", host, registers, ... }`."""
    table = Table(config.settings, config.where)
    sources = [_source(one) for one in table.tables("registers", limits.REGISTER_COLUMNS_MAX)]
    made = Mqtt(config, table, broker(table, config.base), sources)
    table.done()
    return made


def _source(table: Table) -> Source:
    topic, discovery = table.text_or_none("topic"), table.text_or_none("discovery")
    if (topic is None) == (discovery is None):
        raise ConfigError(table.where, "give either topic or discovery")
    field = table.text_or_none("field") or ""
    unit = table.text("in", "kWh")
    source = Source(
        table.text("obis"),
        topic or "",
        tuple(field.split(".")) if field else (),
        unit,
        discovery or "",
    )
    table.done()
    if unit not in ("Wh", "kWh"):
        raise ConfigError(table.path("in"), f"must be 'Wh' or 'kWh', is {unit!r}")
    return source


class Mqtt(Live):
    """One meter's counters at a broker."""

    def __init__(
        self,
        config: DriverConfig,
        table: Table,
        at: Broker,
        sources: Sequence[Source],
        clock: Clock | None = None,
    ) -> None:
        super().__init__(config, table, clock)
        self._broker, self._sources = at, list(sources)
        self._command_topic = table.text_or_none("command_topic")
        self._level_topic = table.text_or_none("level_topic")
        field = table.text_or_none("level_field")
        self._level_field = tuple(field.split(".")) if field else ()
        self._said: dict[str, tuple[float, Register]] = {}

    async def watch(self) -> None:
        """Subscribe, and take what comes."""
        try:
            async with self._broker.client() as client:
                for source in self._sources:
                    await client.subscribe(source.discovery or source.topic, qos=1)
                if self._level_topic:
                    await client.subscribe(self._level_topic, qos=1)
                async for message in client.messages:
                    await self._take(client, message)
        except aiomqtt.MqttError as error:
            raise DriverFault("unreachable", "no broker") from error

    async def command(self, watts: int | None) -> None:
        """Say a power in W, or `auto`, at the device's `command_topic`. Raises `DriverFault`."""
        if self._command_topic is None:
            raise DriverFault("refused", "no command_topic is configured")
        text = "auto" if watts is None else str(watts)
        try:
            async with self._broker.client() as client:
                await client.publish(self._command_topic, text, qos=1)
        except aiomqtt.MqttError as error:
            raise DriverFault("unreachable", "no broker") from error

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        payload, topic = message.payload, str(message.topic)
        if not isinstance(payload, bytes) or len(payload) > limits.MESSAGE_BYTES_MAX:
            return
        try:
            if topic == self._level_topic and not message.retain:
                level = Source("", topic, self._level_field, "", "")
                self.offer_level(Decimal(register(level, payload).text))
            for index, source in enumerate(self._sources):
                if topic == source.discovery:
                    self._sources[index] = described(source, payload)
                    await client.subscribe(self._sources[index].topic, qos=1)
                elif topic == source.topic and not message.retain:
                    self._hear(source, payload)
        except DriverFault as error:
            self.fail(error)

    def _hear(self, source: Source, payload: bytes) -> None:
        now = self.clock.now()
        self._said[source.obis] = (now, register(source, payload))
        fresh = [one for at, one in self._said.values() if 0 <= now - at <= LATE_S]
        if len(fresh) == len(self._sources):
            self._said.clear()
            self.offer(int(now), fresh)


def register(source: Source, payload: bytes) -> Register:
    """The register in a message. Raises `DriverFault`."""
    try:
        value: object = json.loads(payload, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise DriverFault("message", f"{source.topic}: not a number, not JSON") from error
    for name in source.field:
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise DriverFault("value", f"{source.topic}: no register value")
    try:
        return Register(source.obis, f"{Decimal(value):f}", source.unit)
    except InvalidOperation as error:
        raise DriverFault("value", f"{source.topic}: no register value") from error


def described(source: Source, payload: bytes) -> Source:
    """A source as its device described it for Home Assistant. Raises `DriverFault`."""
    try:
        told = json.loads(payload)
        names = {"stat_t": "state_topic", "unit_of_meas": "unit_of_measurement"}
        told |= {long: told[short] for short, long in names.items() if short in told}
        topic = str(told["state_topic"]).replace("~", str(told.get("~", "")))
        unit = told["unit_of_measurement"]
        kind = told.get("state_class", told.get("stat_cla"))
        template = told.get("value_template", told.get("val_tpl", "{{ value }}"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DriverFault("discovery", f"{source.discovery}: cannot be read") from error
    found = _TEMPLATE.fullmatch(template) if isinstance(template, str) else None
    if unit not in ("Wh", "kWh") or kind not in ("total_increasing", "total") or found is None:
        raise DriverFault("discovery", f"{source.discovery}: no energy counter in Wh or kWh")
    field = tuple(dot or bracket for dot, bracket in _STEP.findall(found[1]))
    return replace(source, topic=topic, unit=unit, field=field)
