# SPDX-License-Identifier: Apache-2.0
"""The live agent: reads when an interval ends, sends, stops when told, outlives a full disk."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from emsagent import config as configuration
from emsagent import run as live
from emsagent.config import Config
from emsagent.errors import OutboxFull
from emsagent.home import Home
from emsagent.status import status
from pedchain_domain import ocmf


@pytest.fixture
def config(tmp_path: Path, gateway: Any) -> Config:
    """One home whose meter repeats a day of hours, read every second."""
    lines = ["instant,1-0:1.8.0*255/Wh", *(f"{second},{second}" for second in range(101))]
    (tmp_path / "meter.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "agent.toml").write_text(
        'schema = "emsagent/1"\nnetwork = "test"\nchannel = "ped"\n'
        f'[gateway.DistrictA]\nurl = "{gateway.url}"\n'
        '[[home]]\nid = "home"\ndistrict = "DistrictA"\ninterval_s = 1\n'
        '[[home.device]]\nid = "meter"\ndriver = { kind = "replay", file = "meter.csv" }\n'
    )
    return configuration.load(tmp_path / "agent.toml")


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - another thread makes it true
            await asyncio.sleep(0.01)


async def stopped(stop: asyncio.Event, work: Awaitable[None]) -> None:
    stop.set()
    async with asyncio.timeout(30):
        await work


async def test_readings_go_out_as_they_come_without_gap_or_repetition(
    config: Config, gateway: Any
) -> None:
    stop = asyncio.Event()
    work = asyncio.create_task(live.run(config, stop))
    await until(lambda: len(gateway.payloads) >= 3)
    await stopped(stop, work)
    instants = [
        reading.instant
        for _, payload in sorted(gateway.payloads.items())
        for reading in ocmf.parse(b'OCMF|%s|{"SA":"x","SD":"00"}' % payload).readings
    ]
    assert instants == list(range(instants[0], instants[0] + len(instants)))


async def test_a_disk_that_takes_nothing_does_not_end_the_agent(
    config: Config, gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refusals = Home.collect, []

    def full(self: Home, until: int, since: int | None = None) -> int:
        if len(refusals) < 2:
            refusals.append(until)
            raise OutboxFull("no room")
        return real(self, until, since)

    monkeypatch.setattr(Home, "collect", full)
    stop = asyncio.Event()
    work = asyncio.create_task(live.run(config, stop))
    await until(lambda: len(gateway.payloads) >= 1)
    await stopped(stop, work)
    assert len(refusals) == 2


@pytest.mark.serial
def test_the_command_stops_on_sigterm_with_nothing_left_open(
    config: Config, gateway: Any, tmp_path: Path
) -> None:
    file = tmp_path / "agent.toml"
    process = subprocess.Popen(
        [sys.executable, "-m", "emsagent", "run", "--config", str(file)],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if '"started"' in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    (line_,) = status(config)
    assert line_["alarms"] == []
