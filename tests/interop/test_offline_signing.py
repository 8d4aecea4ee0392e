# SPDX-License-Identifier: Apache-2.0
"""Keys elsewhere: every message is written down, signed by whoever holds the key, carried on."""

from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block

from tests.interop.clients.model import Client, From, Kind, Step
from tests.interop.setting import Clients, answers, script


@pytest.mark.interop("offline-evaluate")
async def test_a_proposal_signed_elsewhere_is_evaluated(
    clients: Clients, chaincode: str, key: str
) -> None:
    offline = await clients.of("DistrictA", signs=False)
    proposal = await offline.propose(script(chaincode, ["get", key]))
    signature = clients.sign("DistrictA", proposal.digest)
    assert answers(await offline.evaluate_proposal(proposal.data, signature)) == [None]


@pytest.mark.interop("offline-submit")
async def test_a_transaction_takes_three_signatures_made_elsewhere(
    clients: Clients, chaincode: str, key: str
) -> None:
    offline = await clients.of("DistrictA", signs=False)
    proposal = await offline.propose(script(chaincode, ["put", key, "1"], ["get", key]))
    transaction = await offline.endorse(proposal.data, clients.sign("DistrictA", proposal.digest))
    commit = await offline.order(transaction.data, clients.sign("DistrictA", transaction.digest))
    outcome = await offline.status(commit.data, clients.sign("DistrictA", commit.digest))
    assert answers(transaction.result) == [None, None]
    assert (outcome.code, outcome.transaction_id) == ("VALID", proposal.transaction_id)


@pytest.mark.interop("offline-events")
async def test_a_request_for_events_is_signed_elsewhere(
    clients: Clients, chaincode: str, key: str
) -> None:
    offline, client = await clients.of("DSO", signs=False), await clients.of("DSO")
    sent = await client.submit_async(script(chaincode, ["event", "offline", key]))
    block = (await client.status(sent.data)).block_number
    asked = await offline.events_request("chaincode", From(start=block), chaincode)
    signature = clients.sign("DSO", asked.digest)
    stream = await offline.events_signed("chaincode", asked.data, signature)
    event = await stream.next()
    await stream.stop()
    assert not isinstance(event, bytes)
    assert event is not None
    assert (event.transaction_id, event.payload) == (sent.transaction_id, key.encode())


@pytest.mark.parametrize("kind", ["block", "filtered", "private"])
@pytest.mark.interop("offline-blocks")
async def test_a_request_for_blocks_is_signed_elsewhere(clients: Clients, kind: Kind) -> None:
    offline = await clients.of("DSO", signs=False)
    asked = await offline.events_request(kind, From(start=0))
    stream = await offline.events_signed(kind, asked.data, clients.sign("DSO", asked.digest))
    first = await stream.next()
    await stream.stop()
    assert isinstance(first, bytes)
    if kind == "block":
        assert Block.FromString(first).header.number == 0


@pytest.mark.interop("rehydrated")
async def test_what_is_written_down_unsigned_can_be_signed_by_another_process(
    clients: Clients, chaincode: str, key: str
) -> None:
    offline, holder = await clients.of("DSO", signs=False), await clients.of("DSO")
    proposal = await offline.propose(script(chaincode, ["put", key, "1"]))
    outcome = await _carried(proposal, holder, holder, holder)
    assert outcome == "VALID"
    asked = await offline.events_request("filtered", From(start=0))
    stream = await holder.events_signed("filtered", asked.data)
    assert await stream.next()
    await stream.stop()


@pytest.mark.interop("handed-over")
async def test_what_one_client_began_the_other_ends(
    both: tuple[Clients, Clients], chaincode: str, key: str
) -> None:
    ours, node = [await each.of("DSO") for each in both]
    call = script(chaincode, ["put", key, "1"])
    assert await _carried(await ours.propose(call), node, ours, node) == "VALID"
    assert await _carried(await node.propose(call), ours, node, ours) == "VALID"


async def _carried(proposal: Step, endorse: Client, order: Client, ask: Client) -> str:
    transaction = await endorse.endorse(proposal.data)
    commit = await order.order(transaction.data)
    return (await ask.status(commit.data)).code


@pytest.mark.interop("checkpoint-files")
async def test_a_checkpoint_of_one_client_is_read_by_the_other(
    both: tuple[Clients, Clients], chaincode: str, key: str, tmp_path: Path
) -> None:
    ours, node = [await each.of("DSO") for each in both]
    for name, writer, reader in (("ours", ours, node), ("node", node, ours)):
        file = tmp_path / f"{name}.json"
        first = await writer.submit_async(script(chaincode, ["event", "first", key]))
        place = From(start=(await writer.status(first.data)).block_number)
        await writer.submit(script(chaincode, ["event", "second", key]))
        stream = await writer.events("chaincode", place, chaincode)
        event = await stream.next()
        await stream.stop()
        assert event is not None
        assert not isinstance(event, bytes)
        assert event.name == "first"
        await writer.checkpoint(file, event)
        resumed = await reader.events("chaincode", From(file=file), chaincode)
        following = await resumed.next()
        await resumed.stop()
        assert following is not None
        assert not isinstance(following, bytes)
        assert following.name == "second"
