# SPDX-License-Identifier: Apache-2.0
"""Clients that submit through several organisations' gateways while the network is being hurt.

Each keeps what it was told is committed, and when; a refusal or an unknown outcome is counted,
and it goes on with its next note.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pedchain_fabric.client import Deadlines, Gateway, profile
from pedchain_fabric.errors import CommitError, GatewayError

CHANNEL = "ped"
_PAUSE_S = 0.2
_DEADLINES = Deadlines(evaluate=3, endorse=3, submit=3, commit_status=5)


@dataclass
class Writer:
    """One client at one organisation's gateway, writing public notes or private ones."""

    organization: str
    definition: str
    collection: str = ""
    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    async def run(self, gateway: Gateway) -> None:
        """Write one note after the other until cancelled."""
        number = 0
        while True:
            number += 1
            key = f"{self.organization}-{self.collection}-{number}"
            try:
                await self._put(gateway, key)
            except (GatewayError, CommitError) as error:
                self.refused[type(error).__name__] += 1
            else:
                self.acknowledged.append((time.monotonic(), key))
            await asyncio.sleep(_PAUSE_S)

    async def _put(self, gateway: Gateway, key: str) -> None:
        contract = gateway.network(CHANNEL).contract(self.definition)
        if self.collection:
            text = {"text": key.encode()}
            await contract.submit("PutPrivate", self.collection, key, transient=text)
        else:
            await contract.submit("Put", key, key)

    async def kept(self, gateway: Gateway, key: str) -> bytes:
        """What a peer holds under the key."""
        contract = gateway.network(CHANNEL).contract(self.definition)
        if self.collection:
            return await contract.evaluate("GetPrivate", self.collection, key)
        return await contract.evaluate("Get", key)


@asynccontextmanager
async def writing(profiles: dict[str, Path], writers: Sequence[Writer]) -> AsyncIterator[None]:
    """All of them at work until the end of the block."""
    async with AsyncExitStack() as stack:
        tasks = []
        for writer in writers:
            connection = await profile.connect(profiles[writer.organization], deadlines=_DEADLINES)
            gateway = await stack.enter_async_context(connection)
            tasks.append(asyncio.create_task(writer.run(gateway)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if not isinstance(end, asyncio.CancelledError):
            raise AssertionError(f"a writer ended by itself: {end!r}")


async def progress(
    writers: Sequence[Writer], count: int, what: str, seconds: float = 60.0
) -> float:
    """Wait until each of them got `count` more notes acknowledged. Returns the seconds it took."""
    began = time.monotonic()
    goals = [len(writer.acknowledged) + count for writer in writers]
    while True:
        late = [
            f"{writer.organization} {writer.collection} {dict(writer.refused)}"
            for writer, goal in zip(writers, goals, strict=True)
            if len(writer.acknowledged) < goal
        ]
        if not late:
            return time.monotonic() - began
        assert time.monotonic() - began < seconds, f"{what}: nothing goes through for {late}"
        await asyncio.sleep(0.02)
