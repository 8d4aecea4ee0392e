# SPDX-License-Identifier: Apache-2.0
"""The network for tests: real signatures and policies, snapshots, any test of any project."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pedchain_fabric.admin.definition import Collection
from pedchain_fabric.errors import CommitError, EndorseError, GatewayError
from pedchain_fabric.shim import Context, Contract, evaluate, submit
from pedchain_fabric.testing.chaincode import Chaincode
from pedchain_fabric.testing.network import TestNetwork


class Notes(Contract):
    """Keeps notes, public and private."""

    name = "notes"

    @submit
    async def put(self, ctx: Context, key: str, text: str) -> None:
        await ctx.stub.put_state(key, text.encode())

    @evaluate
    async def get(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_state(key) or b""

    @submit
    async def whisper(self, ctx: Context, key: str) -> None:
        await ctx.stub.put_private("secret", key, ctx.stub.transient["text"])

    @evaluate
    async def heard(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_private("secret", key) or b""

    @evaluate
    async def grade(self, ctx: Context) -> str:
        return ctx.client.attributes.get("grade", "")


NOTES = Chaincode(
    "notes",
    contracts=(Notes(),),
    collections=(Collection("secret", ("Org1MSP",), required_peers=0),),
)
ALONE = Chaincode("alone", contracts=(Notes(),), endorsement="OR('Org2MSP.peer')")


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestNetwork]:
    made = TestNetwork(tmp_path_factory.mktemp("fabric"), [NOTES, ALONE])
    await made.start()
    yield made
    await made.stop()


async def _ask(network: TestNetwork, organization: str, function: str, key: str) -> bytes:
    async with network.gateway(organization) as gateway:
        return await gateway.network("test").contract("notes").evaluate(function, key)


async def test_what_is_submitted_is_on_every_peer(network: TestNetwork) -> None:
    async with network.gateway("Org1") as gateway:
        await gateway.network("test").contract("notes").submit("Put", "a", "text")
    assert await _ask(network, "Org1", "Get", "a") == b"text"
    assert await _ask(network, "Org2", "Get", "a") == b"text"


async def test_a_rollback_brings_back_what_was_and_nothing_else(network: TestNetwork) -> None:
    async with network.gateway("Org1") as gateway:
        contract = gateway.network("test").contract("notes")
        await contract.submit("Put", "kept", "before")
        snapshot = await network.snapshot()
    for attempt in ("first", "second"):
        async with network.gateway("Org1") as gateway:
            await gateway.network("test").contract("notes").submit("Put", "kept", attempt)
            await gateway.network("test").contract("notes").submit("Put", "new", attempt)
        await network.rollback(snapshot)
        assert await _ask(network, "Org2", "Get", "kept") == b"before"
        assert await _ask(network, "Org2", "Get", "new") == b""


async def test_private_data_stays_with_its_members(network: TestNetwork) -> None:
    async with network.gateway("Org1") as gateway:
        contract = gateway.network("test").contract("notes")
        proposal = contract.new_proposal("Whisper", "k", transient={"text": b"hush"})
        with pytest.raises(EndorseError, match=r"plan|endorse"):
            # A majority of two is both, and the other organisation is no member.
            await proposal.endorse()


async def test_policies_are_real(network: TestNetwork) -> None:
    async with network.gateway("Org1") as gateway:
        contract = gateway.network("test").contract("alone")
        with pytest.raises(CommitError) as invalid:
            await contract.submit("Put", "a", "1", endorsing_organizations=["Org1MSP"])
        assert invalid.value.code == "ENDORSEMENT_POLICY_FAILURE"
        await contract.submit("Put", "a", "1")


async def test_contracts_see_the_attributes_of_who_asks(network: TestNetwork) -> None:
    auditor = network.identity("Org2", "ann", attributes={"grade": "senior"})
    async with network.gateway("Org2", auditor) as gateway:
        assert await gateway.network("test").contract("notes").evaluate("Grade") == b"senior"


async def test_a_stranger_is_refused(network: TestNetwork, tmp_path: Path) -> None:
    other = TestNetwork(tmp_path, organizations=("Org1",))
    async with network.gateway("Org1", other.identity("Org1")) as gateway:
        with pytest.raises(GatewayError):
            await gateway.network("test").contract("notes").evaluate("Get", "a")


CONFTEST = """
import pytest
from pedchain_fabric.shim import Context, Contract, evaluate, submit
from pedchain_fabric.testing.chaincode import Chaincode

pytest_plugins = ["pedchain_fabric.testing.plugin"]

class Notes(Contract):
    name = "notes"

    @submit
    async def put(self, ctx: Context, key: str, text: str) -> None:
        await ctx.stub.put_state(key, text.encode())

    @evaluate
    async def get(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_state(key) or b""

@pytest.fixture(scope="session")
def fabric_chaincodes():
    return [Chaincode("notes", contracts=(Notes(),))]
"""
TESTS = """
import asyncio

def test_one(fabric):
    assert fabric.evaluate("Org2", "notes", "Get", "a") == b""
    fabric.submit("Org1", "notes", "Put", "a", "one")
    assert fabric.evaluate("Org2", "notes", "Get", "a") == b"one"

def test_two(fabric):
    assert fabric.evaluate("Org2", "notes", "Get", "a") == b""

def test_three(fabric):
    async def work():
        async with fabric.gateway("Org1") as gateway:
            await gateway.network(fabric.channel).contract("notes").submit("Put", "a", "three")
    asyncio.run(work())
    assert fabric.evaluate("Org1", "notes", "Get", "a") == b"three"

def test_four(fabric):
    assert fabric.evaluate("Org2", "notes", "Get", "a") == b""
"""


def test_the_plugin_gives_each_test_the_network_as_it_began(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_notes.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
