# SPDX-License-Identifier: Apache-2.0
"""Whatever a contract does, the peer gets an answer at once, and nobody learns a secret."""

import asyncio
import logging
import sys

import pytest

from pedchain_fabric.errors import ContractError
from pedchain_fabric.shim import Context, Contract, Refusal, submit
from pedchain_fabric.shim.testing import MemoryPeer, TransactionFailed

SECRET = "5ecret-reading"


class Faulty(Contract):
    name = "faulty"

    @submit
    async def bug(self, ctx: Context) -> None:
        raise ValueError(SECRET)

    @submit
    async def exit(self, ctx: Context) -> None:
        sys.exit(SECRET)

    @submit
    async def recurse(self, ctx: Context) -> None:
        await self.recurse(ctx)

    @submit
    async def cancel_itself(self, ctx: Context) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    @submit
    async def time_out(self, ctx: Context) -> None:
        raise TimeoutError(SECRET)

    @submit
    async def return_a_number(self, ctx: Context) -> None:
        return 5  # type: ignore[return-value]  # what a careless contract does

    @submit
    async def refuse(self, ctx: Context, reason: str, message: str) -> None:
        raise Refusal(reason, message)

    @submit
    async def refuse_with_status(self, ctx: Context, status: int) -> None:
        raise ContractError("\ud800 odd " + "x" * 10_000, status)

    @submit
    async def misuse_client(self, ctx: Context) -> str:
        return str(ctx.client.certificate)

    @submit
    async def keep(self, ctx: Context, argument: str) -> None:
        await ctx.stub.put_state("k", argument.encode())
        await ctx.stub.put_private("c", "k", ctx.stub.transient["secret"])


@pytest.fixture
def peer() -> MemoryPeer:
    peer = MemoryPeer()
    peer.install("faulty", Faulty(), collections=["c"])
    return peer


@pytest.mark.parametrize(
    "function", ["Bug", "Exit", "Recurse", "CancelItself", "TimeOut", "ReturnANumber"]
)
@pytest.mark.complete("shim-Error")
async def test_a_bug_is_answered_at_once_with_nothing_of_what_it_says(
    peer: MemoryPeer, function: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(TransactionFailed) as failed:
        await asyncio.wait_for(peer.submit("faulty", function), 10)
    assert (failed.value.status, failed.value.message) == (500, "internal error")
    assert SECRET not in caplog.text
    assert "error" in caplog.text.lower() or "exit" in caplog.text.lower()


@pytest.mark.complete("shim-Error")
async def test_a_refusal_carries_its_reason_and_status_400(peer: MemoryPeer) -> None:
    with pytest.raises(TransactionFailed) as failed:
        await peer.submit("faulty", "Refuse", "not-yours", "ask the DSO")
    assert (failed.value.status, failed.value.message) == (400, "not-yours: ask the DSO")
    with pytest.raises(TransactionFailed) as failed:
        await peer.submit("faulty", "Refuse", "not-yours", "")
    assert failed.value.message == "not-yours"


@pytest.mark.complete("shim-Error")
async def test_an_error_response_is_bounded_and_always_valid_text(peer: MemoryPeer) -> None:
    with pytest.raises(TransactionFailed) as failed:
        await peer.submit("faulty", "RefuseWithStatus", "404")
    assert failed.value.status == 404
    assert failed.value.message.startswith("? odd xxx")
    assert len(failed.value.message) == 4096


async def test_payloads_are_never_logged(
    peer: MemoryPeer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await peer.submit("faulty", "Keep", SECRET, transient={"secret": SECRET.encode()})
    assert peer.private("faulty", "c") == {"k": SECRET.encode()}
    assert SECRET not in caplog.text


async def test_a_creator_that_holds_no_certificate_is_an_error_not_a_crash(
    peer: MemoryPeer,
) -> None:
    with pytest.raises(TransactionFailed, match="internal error"):
        await peer.submit("faulty", "MisuseClient", creator=b"\x0a\x03ABC\x12\x04junk")


async def test_a_failed_transaction_leaves_nothing(peer: MemoryPeer) -> None:
    with pytest.raises(TransactionFailed):
        await peer.submit("faulty", "Keep", SECRET)
    assert peer.state("faulty") == {}
