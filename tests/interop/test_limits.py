# SPDX-License-Identifier: Apache-2.0
"""As much as Fabric allows, and what is said of more: sizes of messages, numbers of calls."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from pedchain_fabric import client
from pedchain_fabric.client import Contract, Deadlines, Gateway, profile
from pedchain_fabric.errors import (
    CommitStatusError,
    EndorseError,
    GatewayError,
    SubmitError,
    WireError,
)
from tests.interop.setting import Clients
from tests.scenarios.harness import Network

MB = 1_000_000
CALLS = 500  # `peer.limits.concurrency.gatewayService`
PATIENCE_S = 200.0
OTHERS = 20  # of a whole run's tests, on one network with this one
SETTLED_S = 3.0
TRIES = 8
TOO_MANY = "UNKNOWN: too many requests for /gateway.Gateway, exceeding concurrency limit (500)"
slow = pytest.mark.timeout(600)  # 100 MB through four processes of a busy machine
LONG = Deadlines(
    evaluate=PATIENCE_S, endorse=PATIENCE_S, submit=PATIENCE_S, commit_status=PATIENCE_S
)


@pytest.fixture
async def gateway(ours: Clients, network: Network) -> AsyncIterator[Gateway]:
    """Our client, patient: messages of 100 MB take seconds."""
    async with await profile.connect(network.profile("DSO"), deadlines=LONG) as opened:
        yield opened


@pytest.fixture
def contract(gateway: Gateway) -> Contract:
    return gateway.network("ped").contract("ours")


@slow
@pytest.mark.interop("largest-message")
async def test_messages_pass_up_to_fabrics_100_mb_and_are_refused_above(
    contract: Contract,
) -> None:
    # The peer hands the argument on twice in one message: by itself and in the proposal.
    assert await _echoed(contract, 50 * MB) == 100 * MB
    # An answer that would break the stream is not sent.
    with pytest.raises(GatewayError, match="the answer is too large"):
        await contract.evaluate("Echo", bytes(52_420_000))
    with pytest.raises(GatewayError, match=r"failed to (execute|evaluate) transaction"):
        await contract.evaluate("Echo", bytes(53 * MB))
    # What no node would take is not sent either.
    with pytest.raises(WireError, match="too large"):
        await contract.evaluate("Echo", bytes(106 * MB))
    assert await contract.evaluate("Echo", b"still there") == b"still there".hex().encode()


@slow
@pytest.mark.interop("largest-value")
async def test_values_may_be_as_large_as_a_message_and_transactions_as_the_orderers_say(
    contract: Contract, key: str
) -> None:
    script = json.dumps([["put_large", key, 90 * MB]])
    assert json.loads(await contract.evaluate("Run", script)) == [None]
    await contract.submit("Run", json.dumps([["put_large", key, 16 * MB]]))
    with pytest.raises(SubmitError) as refused:
        await contract.submit("Run", json.dumps([["put_large", key, 17 * MB]]))
    assert "exceeds maximum allowed 16777216 bytes" in str(refused.value)


@pytest.mark.interop("many-calls")
async def test_500_calls_in_flight_are_answered_and_the_501st_is_told_there_are_too_many(
    gateway: Gateway, contract: Contract
) -> None:
    sent = [b"%d" % each for each in range(CALLS)]
    echoed = await asyncio.gather(*(_patiently(contract, each) for each in sent))
    assert echoed == [each.hex().encode() for each in sent]
    network = gateway.network("ped")
    waiting = await _filled(network)
    with pytest.raises(CommitStatusError) as refused:
        await network.commit("f" * 64).status()
    assert str(refused.value) == TOO_MANY
    with pytest.raises(GatewayError) as evaluated:
        await contract.evaluate("Echo", b"a")
    assert evaluated.value.is_overload
    for step in (contract.submit, contract.submit_async):
        with pytest.raises(EndorseError) as caught:
            await step("Run", "[]")
        assert caught.value.is_overload
    assert not any(each.done() for each in waiting)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await _answered(contract) == b"61"


async def _filled(network: client.Network) -> set[asyncio.Task[client.Status]]:
    """As many calls in flight as there may be: whoever asks for the status of a transaction nobody
    knows is kept waiting. Calls of tests before may hold some places still."""
    waiting: set[asyncio.Task[client.Status]] = set()
    while True:
        missing = range(len(waiting), CALLS)
        tried = {asyncio.create_task(network.commit(f"{n:064x}").status()) for n in missing}
        refused, waiting = await asyncio.wait(waiting | tried, timeout=SETTLED_S)
        assert [text for text in map(_said, refused) if text != TOO_MANY] == []
        if len(refused) == len(tried):
            assert len(waiting) >= CALLS - OTHERS
            return waiting


def _said(answered: asyncio.Task[client.Status]) -> str:
    """Why a call that should wait does not."""
    return str(answered.exception() or answered.result())


async def _echoed(contract: Contract, size: int) -> int:
    """Length of the answer."""
    return len(await _patiently(contract, bytes(size)))


async def _patiently(contract: Contract, argument: bytes) -> bytes:
    """The answer. A peer gives a call 5 s, which a busy machine may need for what is asked here."""
    for _ in range(TRIES):
        try:
            return await contract.evaluate("Echo", argument)
        except GatewayError as error:
            late = error
            assert "timeout expired while executing" in str(error)  # noqa: PT017 - not refused
    raise late


async def _answered(contract: Contract) -> bytes:
    """The first answer once the peer has seen that nobody waits any more."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await contract.evaluate("Echo", b"a")
            except GatewayError as error:
                assert error.is_overload  # noqa: PT017 - nothing else may be refused
