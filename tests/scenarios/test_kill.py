# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of agent, gateway or network: what was acknowledged is on the ledger, and once."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from emsagent import config as configuration
from emsagent.delivery import deliver
from emsagent.home import Home
from emsagent.uplink import Uplink
from pedchain_domain.sim.weather import HOUR
from pedchain_fabric.embedded.ledger import failpoints
from tests.scenarios.wholepath import (
    READY_S,
    A,
    WholePath,
    whole_path,
)

pytestmark = pytest.mark.serial

DAYS = 2
HOMES = 6
FOR_PLACES = 3
#: Beyond what `up` and the resending of what was lost need of passages.
PASSAGE = 6
ROUNDS, KILLS = 4, 5


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePath]:
    with whole_path(tmp_path_factory.mktemp("path"), DAYS, HOMES) as made:
        yield made


class Posting:
    """Homes read hour by hour in this process, each hour one post."""

    def __init__(self, path: WholePath, opened: list[Home], uplink: Uplink) -> None:
        self.path = path
        self.homes = opened
        self._uplink = uplink
        street = path.street
        self._left = [
            (home, until) for until in range(street.start, street.end + 1, HOUR) for home in opened
        ]

    async def until_dead(self) -> None:
        """Read and post until the network has died of it."""
        nodes = self.path.nodes()
        while nodes.alive:
            home, until = self._left.pop(0)
            home.collect(until=until, since=self.path.street.start)
            await deliver(home, self._uplink)

    async def rest(self) -> None:
        """Read and post what is left."""
        for home, until in self._left:
            home.collect(until=until, since=self.path.street.start)
        await self.drain()

    async def drain(self) -> None:
        """Until everything read so far is settled. An agent's patience is not what is tested."""
        deadline = time.monotonic() + READY_S
        for home in self.homes:
            home.outbox.set_pause(0, 0)
            while await deliver(home, self._uplink) > 0:
                assert time.monotonic() < deadline, "what was read is not settled in time"
                await asyncio.sleep(0.1)
                home.outbox.set_pause(0, 0)


@asynccontextmanager
async def posting(path: WholePath, names: list[str]) -> AsyncIterator[Posting]:
    config = configuration.load(path.agent_config(A))
    async with AsyncExitStack() as stack:
        uplink = await stack.enter_async_context(Uplink(config.gateways[A]))
        opened = [
            stack.enter_context(Home(config, home)) for home in config.homes if home.id in names
        ]
        yield Posting(path, opened, uplink)


@pytest.mark.fault(31)
@pytest.mark.timeout(240)
async def test_a_kill_at_every_named_point_of_the_network_loses_and_doubles_nothing(
    path: WholePath,
) -> None:
    async with posting(path, path.homes[:FOR_PLACES]) as pump:
        for place in failpoints.NAMES:
            path.kill_network()
            path.up(f"{place}:{PASSAGE}")
            await pump.drain()
            await path.check()
            assert path.nodes().alive, f"killed at {place} before there was a reading under way"
            await pump.until_dead()
        path.up()
        await pump.rest()
        signed = {record for _, (_, _, record) in path.outboxes()}
        assert set(await path.check()) == signed


@pytest.mark.fault(31, 32, 33)
@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_kills_at_random_moments_anywhere_lose_and_double_nothing(
    path: WholePath, seed: int
) -> None:
    """Twenty moments in four rounds, each on one state that is carried on."""
    names = path.homes[FOR_PLACES:]
    until = path.street.start + (path.street.end - path.street.start) * (seed + 1) // ROUNDS
    agent = path.agent(f"agent-{seed}", names, until)
    await path.kill_around(agent, KILLS, random.Random(seed))
    signed = {record for _, (device, _, record) in path.outboxes() if _of(device, names)}
    assert signed <= set(await path.check())


def _of(device: str, names: list[str]) -> bool:
    return device.rpartition("-")[0] in names


async def test_after_all_kills_the_district_is_certified_as_its_twin(path: WholePath) -> None:
    agent = path.agent("agent-rest", path.homes)
    agent.start()
    assert await asyncio.to_thread(agent.finish) == 0
    await path.check_as_twin()
