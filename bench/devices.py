# SPDX-License-Identifier: Apache-2.0
"""Devices for `bench.agent`: a P1 meter that speaks every second, a SunSpec inverter. Prints their
ports and goes on until its input ends."""

import asyncio
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.unit.emsagent.livedevices import block, free_port, telegram

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A telegram a second."""
    while not writer.is_closing():
        local = datetime.now(UTC).astimezone(AMSTERDAM)
        writer.write(telegram(f"{local:%y%m%d%H%M%S}{'S' if local.dst() else 'W'}"))
        await asyncio.sleep(1)


async def main() -> None:
    """Serve both until the input ends."""
    p1 = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = free_port()
    inverter = [0x5375, 0x6E53, *block(103, 50, {24: 1, 25: 2, 26: 0}), 0xFFFF, 0]
    data = [SimData(40_000, values=inverter, datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(1, simdata=data), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    print(p1.sockets[0].getsockname()[1], port, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
