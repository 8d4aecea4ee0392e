# SPDX-License-Identifier: Apache-2.0
"""Our shim dials the embedded peer, as it would dial one in development mode."""

import asyncio
from pathlib import Path

import pytest

from pedchain_fabric.shim import Context, Contract, Peer, dial, submit
from pedchain_fabric.shim.contracts import Contracts
from tests.unit.fabric.embedded import town as towns
from tests.unit.fabric.embedded.town import ANY, Town

SECONDS = 20.0


class Notes(Contract):
    name = "notes"

    @submit
    async def put(self, ctx: Context, key: str, value: str) -> str:
        await ctx.stub.put_state(key, value.encode())
        return ctx.peer_msp_id

    @submit
    async def get(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_state(key) or b""


def _peer(town: Town) -> Peer:
    endpoint = town.target.documents["DSO"]["peer"]
    return Peer(endpoint["address"], town.target.file(endpoint["tls_ca"]))


async def _answered(town: Town, *call: str, status: int = 200) -> bytes:
    """The peer's answer, once it has this status."""
    async with asyncio.timeout(SECONDS):
        while (response := await town.ask(*call)).status != status:  # noqa: ASYNC110 - polls
            await asyncio.sleep(0.05)
    return bytes(response.payload)


@pytest.mark.complete("shim-Start", "shim-GetMSPID")
async def test_chaincode_that_dials_its_peer_is_called_and_hung_up_by_cancelling(
    tmp_path: Path, keys: Path
) -> None:
    async with towns.start(tmp_path, keys, peers={"user_runs_chaincode": True}) as town:
        await town.join()
        await town.define("probe", None, endorsement=ANY)
        contracts = Contracts([Notes()], msp_id="DSOMSP")
        serving = asyncio.create_task(dial(_peer(town), "probe:1", contracts))
        assert await _answered(town, "Put", "a", "1") == b"DSOMSP"
        assert await town.submit("Put", "a", "2") == "VALID"
        assert (await town.ask("Get", "a")).payload == b"2"
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        await _answered(town, "Get", "a", status=500)


@pytest.mark.complete("shim-Start")
async def test_a_peer_that_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(ConnectionError, match="UNAVAILABLE"):
        await dial(Peer("127.0.0.1:1"), "probe:1", Contracts([Notes()]))
