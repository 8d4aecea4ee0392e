# SPDX-License-Identifier: Apache-2.0
"""A district joins a consortium whose districts go on posting readings and being certified."""

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pedchain_domain.sim.weather import DAY
from pedchain_fabric.client import profile
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.growing import CHANNEL, NEW, agree, definition, hashes, room
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.wholepath import A, WholePath, twin_street

DAYS, HOMES = 2, 2


async def fence(network: Network, organization: str, chaincode: str) -> int:
    """The period that is open for readings, as an organisation's peer has it."""
    async with await profile.connect(network.profile(organization)) as gateway:
        answer = await gateway.network(CHANNEL).contract(chaincode).evaluate("GetFence")
    return int(json.loads(answer)["period"])


async def seal(network: Network, organization: str, chaincode: str) -> None:
    """Close it, through an organisation's gateway."""
    period = await fence(network, organization, chaincode)
    async with await profile.connect(network.profile(organization)) as gateway:
        await gateway.network(CHANNEL).contract(chaincode).submit("SealPeriod", str(period))


@pytest.mark.serial
@pytest.mark.timeout(600)
@pytest.mark.parametrize("runtime", RUNTIMES)
async def test_readings_go_on_while_a_district_joins(runtime: str, tmp_path: Path) -> None:
    end = int(time.time()) // DAY * DAY
    with make_network(runtime, tmp_path) as network, room() as base:
        path = WholePath(network, tmp_path, twin_street(end, DAYS, HOMES))
        try:
            path.set_out()
            first = path.agent("first", path.homes, path.street.start + DAY)
            first.start()
            assert await asyncio.to_thread(first.finish) == 0
            before = await path.check(redo=False)

            rest = path.agent("rest", path.homes)
            rest.start()
            await asyncio.to_thread(network.run, "org add", NEW, "--ports", base)
            assert await asyncio.to_thread(rest.finish) == 0

            assert len(set((await asyncio.to_thread(hashes, network)).values())) == 1
            assert before <= await path.check(redo=False)
            await path.check_as_twin()
            await _meters_the_new_district(network, tmp_path)
            await asyncio.to_thread(network.run, "status")
        finally:
            path.end()


async def _meters_the_new_district(network: Network, folder: Path) -> None:
    """A definition of its own, over the same code; the others' is untouched."""
    readings, flex = definition(network, f"metering-{A}").collections
    own = replace(
        definition(network, f"metering-{A}"),
        name=f"metering-{NEW}",
        sequence=1,
        endorsement=f"AND('DSOMSP.peer', '{NEW}MSP.peer')",
        collections=(
            replace(readings, members=("DSOMSP", f"{NEW}MSP")),
            replace(flex, members=("DSOMSP", f"{NEW}MSP", "AggregatorMSP")),
        ),
    )
    await asyncio.to_thread(agree, network, folder, own, package="metering")
    await seal(network, NEW, f"metering-{NEW}")
    assert await fence(network, "DSO", f"metering-{NEW}") == await fence(
        network, NEW, f"metering-{NEW}"
    )
