# SPDX-License-Identifier: Apache-2.0
"""Long runs, by hand only (`make soak`): a thousand kills, chaincode that is idle for minutes.

PEDCHAIN_SOAK_KILLS (1000), PEDCHAIN_SOAK_SECONDS (3000) and PEDCHAIN_SOAK_IDLE_S (600) shorten
them; PEDCHAIN_SOAK_SEED (0) begins another run.
"""

import asyncio
import os
import random
import time
from pathlib import Path

import pytest

from pedchain_fabric.client import profile
from tests import evidence
from tests.scenarios.harness import NOTES
from tests.scenarios.harness import network as make_network
from tests.scenarios.wholepath import whole_path

pytestmark = pytest.mark.serial

KILLS_PER_ROUND = 5
HOURS_PER_ROUND = 4
ROUNDS_PER_AUDIT = 10
HOMES = 6
LEFT_S = 400  # for certifying and auditing at the end


def bound(name: str, default: int) -> int:
    """A bound of the run, from the environment."""
    return int(os.environ.get(f"PEDCHAIN_SOAK_{name}", default))


async def test_a_thousand_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Agent, gateway and network in turn, in rounds; it ends early when its time is over."""
    began = time.monotonic()
    rounds = -(-bound("KILLS", 1_000) // KILLS_PER_ROUND)
    days = max(2, -(-rounds * HOURS_PER_ROUND // 24))
    chance = random.Random(bound("SEED", 0))
    with whole_path(tmp_path, days, HOMES) as path:
        for done in range(1, rounds + 1):
            until = path.street.start + done * HOURS_PER_ROUND * 3_600
            agent = path.agent("agent", path.homes, until)
            await path.kill_around(agent, KILLS_PER_ROUND, chance)
            kept = await path.check(redo=done % ROUNDS_PER_AUDIT == 0)
            assert set(kept) == {record for _, (_, _, record) in path.outboxes()}
            if time.monotonic() - began > bound("SECONDS", 3_000):
                break
        print(f"{done * KILLS_PER_ROUND} kills in {time.monotonic() - began:.0f} s")  # noqa: T201 - for whoever waits
        agent = path.agent("agent", path.homes)
        agent.start()
        assert await asyncio.to_thread(agent.finish, LEFT_S) == 0
        await path.check_as_twin()


@pytest.mark.parametrize("runtime", ["embedded", "native"])
async def test_chaincode_that_was_idle_for_minutes_answers(tmp_path: Path, runtime: str) -> None:
    """Whoever pings whom meanwhile, no connection of client, peers and chaincode is worn out."""
    if runtime == "native" and not evidence.fabric_found():
        pytest.skip("Fabric's peer and orderer were not found")
    with make_network(runtime, tmp_path, NOTES) as network:
        network.run("up")
        before = {part["name"]: part["pid"] for part in network.status()["parts"]}
        async with await profile.connect(network.profile("DSO")) as gateway:
            contract = gateway.network("ped").contract("registry")
            await contract.submit("Put", "k", "before")
            await asyncio.sleep(bound("IDLE_S", 600))
            assert await contract.evaluate("Get", "k") == b"before"
            await contract.submit("Put", "k", "after")
            assert await contract.evaluate("Get", "k") == b"after"
        assert before == {part["name"]: part["pid"] for part in network.status()["parts"]}
