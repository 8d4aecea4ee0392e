# SPDX-License-Identifier: Apache-2.0
"""Readers of events in a process of their own, killed (SIGKILL) while events come."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.interop import reading
from tests.interop.clients.model import Client
from tests.interop.setting import Clients, script

EVENTS = 60
KILLS = 5
SECONDS = 90.0


@contextmanager
def reader(*arguments: object) -> Iterator[None]:
    """A reader that runs inside, and is killed at the end."""
    command = [sys.executable, "-m", "tests.interop.reading", *map(str, arguments)]
    process = subprocess.Popen(command)
    try:
        yield
        assert process.poll() is None, "the reader ended by itself"
    finally:
        process.kill()
        process.wait()


async def announced(client: Client, chaincode: str, payload: str) -> int:
    """The block of an event."""
    sent = await client.submit_async(script(chaincode, ["event", "told", payload]))
    outcome = await client.status(sent.data)
    assert outcome.successful
    return outcome.block_number


@pytest.mark.interop("events-after-kill")
@pytest.mark.parametrize("kind", ["chaincode", "block"])
async def test_a_reader_killed_again_and_again_loses_and_doubles_nothing(
    ours: Clients, kind: str, key: str, tmp_path: Path
) -> None:
    client, path = await ours.of("DSO"), tmp_path / "events.db"
    chance, kept = random.Random(kind), reading.opened(path)
    first = await announced(client, "ours", f"{key} 0")
    arguments = (ours.network.profile("DSO"), path, kind, first)
    telling = asyncio.create_task(_announced_all(client, key))
    for done in range(1, KILLS + 1):
        goal = 1 + done * EVENTS // (KILLS + 2)
        with reader(*arguments):
            await _until(kept, goal if kind == "chaincode" else done)
            await asyncio.sleep(chance.uniform(0, 0.05))  # anywhere between two events
    last = await telling
    expected = [f"{key} {each}" for each in range(EVENTS)]
    if kind == "block":
        expected = [str(number) for number in range(first, last + 1)]
    with reader(*arguments):
        await _until(kept, len(expected))
    found = [said for (said,) in kept.execute("select said from event order by number")]
    assert found == expected
    kept.close()


async def _announced_all(client: Client, key: str) -> int:
    last = 0
    for each in range(1, EVENTS):
        last = await announced(client, "ours", f"{key} {each}")
    return last


async def _until(kept: object, count: int) -> None:
    """Wait until the reader has kept so many events."""
    assert isinstance(kept, reading.sqlite3.Connection)
    async with asyncio.timeout(SECONDS):
        while kept.execute("select count(*) from event").fetchone()[0] < count:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
