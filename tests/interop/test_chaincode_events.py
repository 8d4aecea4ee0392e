# SPDX-License-Identifier: Apache-2.0
"""Chaincode events: of valid transactions only, in order, resumed from where one was."""

import asyncio
from pathlib import Path

import pytest

from pedchain_fabric.client import Deadlines, MemoryCheckpointer, profile
from pedchain_fabric.errors import CheckpointError
from tests.interop.clients.model import NOW, Client, Event, From, Kind, RefusedError, Stream
from tests.interop.setting import Clients, script

_SECONDS = 60.0
KINDS: tuple[Kind, ...] = ("chaincode", "block", "filtered", "private")


async def told(stream: Stream) -> Event:
    """The next event, which has to come soon."""
    event = await asyncio.wait_for(stream.next(), _SECONDS)
    assert isinstance(event, Event)
    return event


async def announced(client: Client, chaincode: str, name: str, payload: str) -> tuple[int, str]:
    """Block and transaction of an event that was committed."""
    sent = await client.submit_async(script(chaincode, ["event", name, payload]))
    outcome = await client.status(sent.data)
    assert outcome.successful
    return outcome.block_number, sent.transaction_id


@pytest.mark.interop("events-from-now")
async def test_a_listener_hears_what_is_announced_from_now_on(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    await announced(client, chaincode, "before", key)
    stream = await client.events("chaincode", NOW, chaincode)
    reading = asyncio.create_task(told(stream))
    # The stream stands at the peer some time after we asked for it: announce until it is heard.
    sent: list[tuple[int, str]] = []
    while not reading.done():
        sent.append(await announced(client, chaincode, "after", f"{key} {len(sent)}"))
    event = await reading
    await stream.stop()
    assert (event.chaincode, event.name) == (chaincode, "after")
    assert (event.block_number, event.transaction_id) in sent
    assert event.payload.startswith(key.encode())


@pytest.mark.interop("events-replayed")
async def test_events_of_the_past_are_given_from_a_start_block_in_order(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    places = [await announced(client, chaincode, "past", f"{key} {each}") for each in range(3)]
    stream = await client.events("chaincode", From(start=places[0][0]), chaincode)
    found = [await told(stream) for _ in places]
    await stream.stop()
    assert [(each.block_number, each.transaction_id) for each in found] == places
    assert [each.payload.decode() for each in found] == [f"{key} {each}" for each in range(3)]


@pytest.mark.interop("events-checkpoint-transaction")
async def test_a_checkpoint_of_a_transaction_is_followed_by_what_came_after_it(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    # At once, so that several of them stand in one block.
    places = await asyncio.gather(
        *(announced(client, chaincode, "one", f"{key} {each}") for each in range(6))
    )
    first = min(block for block, _ in places)
    stream = await client.events("chaincode", From(start=first), chaincode)
    order = [await told(stream) for _ in places]
    await stream.stop()
    done = order[2]
    after = From(checkpoint=(done.block_number, done.transaction_id))
    stream = await client.events("chaincode", after, chaincode)
    assert [await told(stream) for _ in order[3:]] == order[3:]
    await stream.stop()


@pytest.mark.interop("events-checkpoint-block")
async def test_a_checkpoint_of_a_block_is_followed_by_the_next_block(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    (done, _), following = [
        await announced(client, chaincode, "block", f"{key} {each}") for each in range(2)
    ]
    stream = await client.events("chaincode", From(checkpoint=(done + 1, "")), chaincode)
    event = await told(stream)
    await stream.stop()
    assert (event.block_number, event.transaction_id) == following


@pytest.mark.interop("events-checkpoint-wins")
async def test_a_checkpoint_counts_for_more_than_a_start_block(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    await announced(client, chaincode, "early", key)
    place = await announced(client, chaincode, "late", key)
    both = From(start=0, checkpoint=(place[0], ""))
    stream = await client.events("chaincode", both, chaincode)
    event = await told(stream)
    await stream.stop()
    assert (event.block_number, event.transaction_id) == place


@pytest.mark.interop("events-checkpoint-file")
async def test_a_listener_with_a_checkpoint_file_goes_on_where_it_stopped(
    clients: Clients, chaincode: str, key: str, tmp_path: Path
) -> None:
    client, file = await clients.of("DSO"), tmp_path / "checkpoint.json"
    places = [await announced(client, chaincode, "kept", f"{key} {each}") for each in range(3)]
    stream = await client.events("chaincode", From(start=places[0][0], file=file), chaincode)
    await client.checkpoint(file, await told(stream))
    await client.checkpoint(file, await told(stream))
    await stream.stop()
    stream = await client.events("chaincode", From(start=0, file=file), chaincode)
    event = await told(stream)
    await stream.stop()
    assert (event.block_number, event.transaction_id) == places[2]


@pytest.mark.interop("events-valid-only")
async def test_an_invalid_transaction_announces_nothing(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    step = ["event", "invalid", key]
    sent = await client.submit_async(
        script(chaincode, ["put", key, "1"], step, organizations=("DSO",))
    )
    outcome = await client.status(sent.data)
    assert outcome.code == "ENDORSEMENT_POLICY_FAILURE"
    place = await announced(client, chaincode, "valid", key)
    stream = await client.events("chaincode", From(start=outcome.block_number), chaincode)
    event = await told(stream)
    await stream.stop()
    assert (event.block_number, event.transaction_id) == place


@pytest.mark.interop("events-own-chaincode")
async def test_a_listener_hears_its_chaincode_alone(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    foreign, _ = await announced(client, f"{chaincode}-any", "foreign", key)
    place = await announced(client, chaincode, "own", key)
    stream = await client.events("chaincode", From(start=foreign), chaincode)
    event = await told(stream)
    await stream.stop()
    assert (event.block_number, event.transaction_id) == place


@pytest.mark.interop("events-stop")
async def test_a_stopped_listener_ends_without_an_error(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    block, _ = await announced(client, chaincode, "last", key)
    stream = await client.events("chaincode", From(start=block), chaincode)
    await told(stream)
    waiting = asyncio.create_task(stream.next())
    await asyncio.sleep(0)
    await stream.stop()
    assert await asyncio.wait_for(waiting, _SECONDS) is None


@pytest.mark.interop("checkpoint-foreign")
async def test_our_client_refuses_a_checkpoint_of_another_ledger(ours: Clients) -> None:
    client = await ours.of("DSO")
    for kind in KINDS:
        with pytest.raises(RefusedError, match="another ledger"):
            await client.events(kind, From(checkpoint=(10**6, "")), "ours")
    soon = Deadlines(evaluate=1)  # a transaction nobody knows is waited for
    async with await profile.connect(ours.network.profile("DSO"), deadlines=soon) as gateway:
        unknown = MemoryCheckpointer(1, "0" * 64)
        stream = gateway.network("ped").chaincode_events("ours", checkpoint=unknown)
        with pytest.raises(CheckpointError, match="another ledger"):
            await anext(stream)
