# SPDX-License-Identifier: Apache-2.0
"""The consumer's port of smart meters (DSMR/P1), by serial cable or over TCP.

    driver = { kind = "p1", path = "/dev/ttyUSB0" }
    driver = { kind = "p1", host = "192.0.2.7", port = 2001, version = "belgium" }

A telegram counts whole or not at all: its checksum must be right, and the meter's own time not
further from ours than a minute. Registers by tariff are added, exactly, to 1-0:1.8.0 and 1-0:2.8.0
(kWh); where the meter prints the total itself, that is taken. Needs `emsagent[p1]`, by cable
`emsagent[serial]` too.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from dsmr_parser import telegram_specifications
from dsmr_parser.exceptions import InvalidChecksumError, ParseError
from dsmr_parser.objects import Telegram
from dsmr_parser.parsers import TelegramParser

from emsagent import limits
from emsagent.clock import Clock
from emsagent.config import DriverConfig
from emsagent.drivers import Register
from emsagent.drivers.live import Live
from emsagent.errors import ConfigError, DriverFault
from emsagent.toml import Table

VERSIONS = {
    "2.2": ("V2_2", 9_600),
    "4": ("V4", 115_200),
    "5": ("V5", 115_200),
    "belgium": ("BELGIUM_FLUVIUS", 115_200),
    "hungary": ("EON_HUNGARY", 115_200),
    "sweden": ("SWEDEN", 115_200),
}
REGISTERS = {
    "1-0:1.8.0*255": ("ELECTRICITY_IMPORTED_TOTAL", "ELECTRICITY_USED_TARIFF_"),
    "1-0:2.8.0*255": ("ELECTRICITY_EXPORTED_TOTAL", "ELECTRICITY_DELIVERED_TARIFF_"),
}
TARIFFS = range(1, 5)
SKEW_S = 60
SILENT_S = 30.0
"""Meters speak every second or every ten."""


def make(config: DriverConfig) -> "P1":
    """The driver `{ kind = "p1", path | host, ... }`."""
    table = Table(config.settings, config.where)
    path, host = table.text_or_none("path"), table.text_or_none("host")
    if (path is None) == (host is None):
        raise ConfigError(config.where, "give either path (a serial cable) or host and port")
    version = table.text("version", "5")
    if version not in VERSIONS:
        raise ConfigError(table.path("version"), f"{version!r} is not one of {sorted(VERSIONS)}")
    if path:
        table.optional("port")
    port = 0 if path else table.number("port", 2_001, 1, 65_535)
    made = P1(config, table, version, path or host or "", port)
    table.done()
    return made


class P1(Live):
    """One meter's telegrams."""

    def __init__(
        self,
        config: DriverConfig,
        table: Table,
        version: str,
        place: str,
        port: int,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(config, table, clock)
        name, self._baud = VERSIONS[version]
        self._parser = TelegramParser(getattr(telegram_specifications, name))
        self._place, self._port = place, port

    async def watch(self) -> None:
        """Take telegrams as they come; a bad one is a fault and not the end."""
        async with self._opened() as reader:
            while True:
                try:
                    async with asyncio.timeout(SILENT_S):
                        telegram = await _telegram(reader)
                    self.offer(*self.read(telegram))
                except TimeoutError as error:
                    raise DriverFault("silent", "no telegram") from error
                except asyncio.LimitOverrunError as error:
                    raise DriverFault("telegram", "too long") from error
                except DriverFault as error:
                    self.fail(error)

    def read(self, telegram: bytes) -> tuple[int, list[Register]]:
        """Instant and registers of a whole telegram. Raises `DriverFault`."""
        try:
            text = telegram.decode("ascii")
            found = self._parser.parse(text, throw_ex=True)
        except InvalidChecksumError as error:
            raise DriverFault("checksum", "the telegram's checksum is wrong") from error
        except (ParseError, ValueError, ArithmeticError, TypeError, IndexError) as error:
            raise DriverFault("telegram", "the telegram cannot be read") from error
        return self._instant(found), _registers(found)

    def _instant(self, telegram: Telegram) -> int:
        now = self.clock.now()
        said = getattr(telegram, "P1_MESSAGE_TIMESTAMP", None)
        if said is None:  # DSMR 2.2 tells no time
            return int(now)
        if not isinstance(said.value, datetime):
            raise DriverFault("telegram", "the meter's time cannot be read")
        instant = int(said.value.timestamp())
        if abs(instant - now) > SKEW_S:
            raise DriverFault("clock", "the meter's time is not ours")
        return instant

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[asyncio.StreamReader]:
        if self._port:
            async with asyncio.timeout(limits.CONNECT_S):
                reader, writer = await asyncio.open_connection(
                    self._place, self._port, limit=limits.TELEGRAM_BYTES_MAX
                )
            try:
                yield reader
            finally:
                writer.close()
            return
        from serial import Serial  # by cable only

        port = Serial(self._place, self._baud, timeout=0, exclusive=True)
        reader = asyncio.StreamReader(limit=limits.TELEGRAM_BYTES_MAX)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), port
        )
        try:
            yield reader
        finally:
            transport.close()


async def _telegram(reader: asyncio.StreamReader) -> bytes:
    """The next one from its `/` to the line of its `!`."""
    body = await reader.readuntil(b"!")
    end = await reader.readuntil(b"\n")
    start = body.rfind(b"/")
    if start < 0:
        raise DriverFault("telegram", "its beginning is missing")
    return body[start:] + end


def _registers(telegram: Telegram) -> list[Register]:
    found = []
    for obis, (total, tariff) in REGISTERS.items():
        printed = getattr(telegram, total, None)
        parts = [printed] if printed is not None else _tariffs(telegram, tariff)
        if not parts:
            continue
        if any(one.unit != "kWh" or not isinstance(one.value, Decimal) for one in parts):
            raise DriverFault("unit", f"{obis} is not in kWh")
        found.append(Register(obis, f"{sum((one.value for one in parts), Decimal(0)):f}", "kWh"))
    if not found:
        raise DriverFault("registers", "the telegram tells no energy")
    return found


def _tariffs(telegram: Telegram, name: str) -> list[Any]:
    found = (getattr(telegram, f"{name}{number}", None) for number in TARIFFS)
    return [one for one in found if one is not None]
