# SPDX-License-Identifier: Apache-2.0
"""Definitions change while the network works: nothing acknowledged is lost, nobody is stopped."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from pedchain_gateway.ledger.fabric import FabricLedger, open_ledger
from pedchain_gateway.ledger.port import (
    REPEATABLE,
    VALID,
    Invalid,
    LedgerError,
    Mismatch,
    Unavailable,
    Unknown,
)
from tests.scenarios.harness import Network

WIDER = "AND('DSOMSP.peer', 'DistrictAMSP.peer', 'DistrictBMSP.peer')"
_PAUSE_S = 0.02
_TRIES = 500


@dataclass
class Writer:
    """A client that repeats what our gateway repeats, and nothing else: any other failure ends
    it, and the test."""

    organization: str
    definition: str
    acknowledged: list[str] = field(default_factory=list)
    repeated: Counter[str] = field(default_factory=Counter)

    async def run(self, ledger: FabricLedger) -> None:
        number = 0
        while True:
            number += 1
            key = f"{self.organization}-{number}"
            for _ in range(_TRIES):
                if await self._put(ledger, key):
                    break
                await asyncio.sleep(_PAUSE_S)
            else:
                raise AssertionError(f"{key} does not get through: {self.repeated}")
            self.acknowledged.append(key)

    async def _put(self, ledger: FabricLedger, key: str) -> bool:
        try:
            await ledger.submit(self.definition, "Put", key, key)
        except Unknown as error:
            outcome = await ledger.outcome(error.transaction)
            return outcome is not None and outcome.code == VALID
        except LedgerError as error:
            if not _repeatable(error):
                raise
            self.repeated[str(getattr(error, "code", type(error).__name__))] += 1
            return False
        return True


def _repeatable(error: LedgerError) -> bool:
    if isinstance(error, Invalid):
        return error.code in REPEATABLE
    return isinstance(error, Mismatch | Unavailable)


@asynccontextmanager
async def writing(network: Network, writers: list[Writer]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        tasks = []
        for writer in writers:
            opened = await open_ledger(network.profile(writer.organization), "gateway")
            ledger = await stack.enter_async_context(opened)
            tasks.append(asyncio.create_task(writer.run(ledger)))
        try:
            yield
        finally:
            ended = [each for each in tasks if each.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in ended:
                each.result()


async def more(writers: list[Writer], count: int) -> None:
    """Every one of them gets `count` more acknowledged."""
    goals = [len(each.acknowledged) + count for each in writers]
    deadline = time.monotonic() + 30
    while any(len(w.acknowledged) < goal for w, goal in zip(writers, goals, strict=True)):
        assert time.monotonic() < deadline, [each.repeated for each in writers]
        await asyncio.sleep(_PAUSE_S)


async def require_kept(network: Network, writers: list[Writer]) -> None:
    for writer in writers:
        async with await open_ledger(network.profile(writer.organization), "gateway") as ledger:
            for key in writer.acknowledged:
                assert await ledger.evaluate(writer.definition, "Get", key) == key.encode()


def status(network: Network) -> dict[str, dict[str, Any]]:
    document = json.loads(network.run("chaincode status", "--json", check=False).stdout)
    return {each["name"]: each for each in document["definitions"]}


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
async def test_definitions_are_upgraded_under_load_and_nothing_is_lost(
    fresh_network: Network,
) -> None:
    network = fresh_network
    network.run("up")
    before = status(network)
    assert all(each["healthy"] for each in before.values())
    writers = [Writer("DSO", "registry"), Writer("DistrictA", "metering-DistrictA")]
    async with writing(network, writers):
        await more(writers, 3)
        said = await asyncio.to_thread(
            network.run, "chaincode upgrade", "registry", "--version", "2", "--endorsement", WIDER
        )
        assert "lifecycle: " in said.stdout
        assert "admins: " in said.stdout
        await more(writers, 3)
        await asyncio.to_thread(
            network.run, "chaincode upgrade", "metering-DistrictA", "--version", "2", "--new-code"
        )
        await more(writers, 3)
    await require_kept(network, writers)

    after = status(network)
    assert (after["registry"]["version"], after["registry"]["sequence"]) == ("2", 2)
    assert after["registry"]["endorsement"] == WIDER
    moved = after["metering-DistrictA"]
    assert moved["sequence"] == 2
    packages = {each["package"].partition(":")[0] for each in moved["organizations"]}
    assert packages == {"metering_2"}
    assert after["metering-DistrictB"] == before["metering-DistrictB"]
    assert all(each["healthy"] and each["same_package"] for each in after.values())

    # The new version is the network's own: it comes up again with it.
    network.run("down")
    replace(network, topology=network.state / "consortium.yaml").run("up")
    assert status(network) == after
    await require_kept(network, writers)


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
def test_steps_by_hand_are_refused_until_everybody_named_has_done_his(
    fresh_network: Network,
) -> None:
    network = fresh_network
    network.run("up")
    text = network.topology.read_text()
    added = network.topology.with_name("wanted.yaml")
    added.write_text(
        text
        + """
  - name: notes
    package: registry
    version: "1"
    sequence: 1
    endorsement: "AND('DSOMSP.peer', 'DistrictAMSP.peer')"
    collections:
      - {name: own, members: [DSO, DistrictB]}
"""
    )
    wanted = ("notes", "--topology", str(added))
    for organization in ("DSO", "DistrictA", "Aggregator"):
        network.run("chaincode approve", *wanted, "--organization", organization)
    refused = network.run("chaincode commit", *wanted, check=False)
    assert refused.returncode == 1
    assert "DistrictBMSP has not approved it" in refused.stderr
    assert "fix: " in refused.stderr
    network.run("chaincode approve", *wanted, "--organization", "DistrictB")
    network.run("chaincode commit", *wanted)
    assert "already" in network.run("chaincode commit", *wanted).stdout
    assert status(network)["notes"]["healthy"]

    def change(before: str, after: str) -> str:
        """What an upgrade to this says."""
        added.write_text(re.sub(before, after, (network.state / "consortium.yaml").read_text()))
        done = network.run("chaincode upgrade", *wanted, check=False)
        assert done.returncode == 1
        return done.stderr

    network.run("chaincode upgrade", "notes", "--version", "2")
    assert status(network)["notes"]["version"] == "2"
    assert "sequence" in change(r"sequence: 2", "sequence: 4")


@pytest.mark.serial
@pytest.mark.timeout(300)  # several networks' lives, on a busy machine
def test_a_commit_regardless_names_who_stops(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    added = network.topology.with_name("wanted.yaml")
    added.write_text(
        network.topology.read_text()
        + """
  - name: notes
    package: registry
    version: "1"
    sequence: 1
    endorsement: "OR('DSOMSP.peer', 'DistrictBMSP.peer')"
"""
    )
    wanted = ("notes", "--topology", str(added))
    for organization in ("DSO", "DistrictA", "Aggregator"):
        network.run("chaincode approve", *wanted, "--organization", organization)
    said = network.run("chaincode commit", *wanted, "--regardless").stdout
    assert "WARNING: DistrictBMSP has not approved it" in said
    found = status(network)["notes"]
    stands = {each["msp_id"]: each["approved"] for each in found["organizations"]}
    assert not stands["DistrictBMSP"]
    # It can still join in: what is agreed may be approved later.
    network.run("chaincode approve", *wanted, "--organization", "DistrictB")
    assert status(network)["notes"]["healthy"]
