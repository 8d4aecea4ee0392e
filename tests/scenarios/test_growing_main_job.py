# SPDX-License-Identifier: Apache-2.0
"""A district joins a consortium whose districts go on posting readings and being certified."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pedchain_domain.sim import street as sim
from pedchain_domain.sim.weather import DAY
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.growing import NEW, agree, definition, hashes, room
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.wholepath import A, WholePath, twin_street

DAYS, HOMES = 2, 2


def contents(certificates: list[dict[str, Any]]) -> list[object]:
    """What is certified, apart from whose it is."""
    return [(each["day"], each["classes"], each["electricity"]) for each in certificates]


@pytest.mark.serial
@pytest.mark.timeout(900)
@pytest.mark.parametrize("runtime", RUNTIMES)
async def test_readings_go_on_while_a_district_joins(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = int(time.time()) // DAY * DAY
    with make_network(runtime, tmp_path) as network, room() as base:
        path = WholePath(network, tmp_path, twin_street(end, DAYS, HOMES))
        newcomer = WholePath(network, tmp_path / "new", twin_street(end, DAYS, HOMES, [NEW]))
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

            assert before <= await path.check(redo=False)
            await path.check_as_twin()
            await asyncio.to_thread(_define, network, tmp_path)
            monkeypatch.setattr(sim, "DISTRICTS", (NEW,))
            certificates = await asyncio.to_thread(_meter, newcomer)
            monkeypatch.undo()
            assert contents(certificates) == contents(path.certificates()[A])
            assert len(set((await asyncio.to_thread(hashes, network)).values())) == 1
            assert before <= await path.check()
        finally:
            newcomer.end()
            path.end()


def _define(network: Network, folder: Path) -> None:
    """A definition of the newcomer's own, over the same code; the others' are untouched."""
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
    agree(network, folder, own, package="metering")


def _meter(newcomer: WholePath) -> list[dict[str, Any]]:
    """The newcomer's homes, the same as the others', are read and certified."""
    newcomer.folder.mkdir()
    newcomer.open()
    newcomer.post(NEW)
    return newcomer.certificates()[NEW]
