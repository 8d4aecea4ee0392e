# SPDX-License-Identifier: Apache-2.0
"""Block events of three kinds: whole, filtered, with the private data a listener may see."""

import asyncio
from dataclasses import dataclass

import pytest
from fabric_protos.common.common_pb2 import TRANSACTIONS_FILTER, Block
from fabric_protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from fabric_protos.peer.events_pb2 import BlockAndPrivateData, FilteredBlock
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.wire.transaction import parse_envelope
from tests.interop.clients.model import NOW, Client, From, Kind, Outcome, Stream
from tests.interop.setting import Clients, script

KINDS = ("block", "filtered", "private")
_SECONDS = 60.0
every_kind = pytest.mark.parametrize("kind", KINDS)


@dataclass(frozen=True)
class Seen:
    """What each kind tells of a block: its number, and its transactions' codes by id."""

    number: int
    codes: dict[str, str]


def seen(kind: Kind, data: bytes) -> Seen:
    """A block as it came."""
    if kind == "filtered":
        filtered = FilteredBlock.FromString(data)
        names = {
            each.txid: _name(each.tx_validation_code) for each in filtered.filtered_transactions
        }
        return Seen(filtered.number, names)
    block = (
        Block.FromString(data) if kind == "block" else BlockAndPrivateData.FromString(data).block
    )
    flags = block.metadata.metadata[TRANSACTIONS_FILTER]
    parts = [parse_envelope(each) for each in block.data.data]
    codes = {each.transaction_id: _name(flag) for each, flag in zip(parts, flags, strict=True)}
    return Seen(block.header.number, codes)


def _name(code: int) -> str:
    return str(TxValidationCode.DESCRIPTOR.values_by_number[code].name)


async def read(stream: Stream, kind: Kind) -> Seen:
    """The next block, which has to come soon."""
    return seen(kind, await raw(stream))


async def raw(stream: Stream) -> bytes:
    found = await asyncio.wait_for(stream.next(), _SECONDS)
    assert isinstance(found, bytes)
    return found


async def committed(client: Client, chaincode: str, key: str, *organizations: str) -> Outcome:
    """What became of a write; with one organisation named it is invalid."""
    call = script(chaincode, ["put", key, "1"], organizations=organizations)
    return await client.status((await client.submit_async(call)).data)


@every_kind
@pytest.mark.interop("blocks-from-now")
async def test_blocks_are_told_as_they_are_committed(
    clients: Clients, chaincode: str, key: str, kind: Kind
) -> None:
    client = await clients.of("DSO")
    before = await committed(client, chaincode, key)
    stream = await client.events(kind, NOW)
    reading = asyncio.create_task(read(stream, kind))
    sent: list[Outcome] = []
    while not reading.done():  # until the stream stands at the peer
        sent.append(await committed(client, chaincode, f"{key} {len(sent)}"))
    block = await reading
    await stream.stop()
    assert block.number > before.block_number
    told = {each.transaction_id for each in sent if each.block_number == block.number}
    assert told == set(block.codes)


@every_kind
@pytest.mark.interop("blocks-replayed")
async def test_blocks_of_the_past_are_given_from_a_start_block_none_skipped(
    clients: Clients, chaincode: str, key: str, kind: Kind
) -> None:
    client = await clients.of("DSO")
    outcomes = [await committed(client, chaincode, f"{key} {each}") for each in range(3)]
    stream = await client.events(kind, From(start=outcomes[0].block_number))
    blocks = [await read(stream, kind)]
    while blocks[-1].number < outcomes[-1].block_number:
        blocks.append(await read(stream, kind))
    await stream.stop()
    first = outcomes[0].block_number
    assert [each.number for each in blocks] == list(range(first, first + len(blocks)))
    codes = {name: code for each in blocks for name, code in each.codes.items()}
    assert [codes[each.transaction_id] for each in outcomes] == ["VALID"] * 3


@every_kind
@pytest.mark.interop("blocks-checkpoint")
async def test_a_checkpoint_of_a_block_is_followed_by_the_next_one(
    clients: Clients, chaincode: str, key: str, kind: Kind
) -> None:
    client = await clients.of("DSO")
    done = (await committed(client, chaincode, key)).block_number
    await committed(client, chaincode, key)
    stream = await client.events(kind, From(start=0, checkpoint=(done + 1, "")))
    block = await read(stream, kind)
    await stream.stop()
    assert block.number == done + 1


@every_kind
@pytest.mark.interop("blocks-invalid")
async def test_invalid_transactions_are_told_with_their_code(
    clients: Clients, chaincode: str, key: str, kind: Kind
) -> None:
    client = await clients.of("DSO")
    outcome = await committed(client, chaincode, key, "DSO")
    stream = await client.events(kind, From(start=outcome.block_number))
    block = await read(stream, kind)
    await stream.stop()
    assert block.codes[outcome.transaction_id] == "ENDORSEMENT_POLICY_FAILURE"


@every_kind
@pytest.mark.interop("blocks-stop")
async def test_a_stopped_listener_ends_without_an_error(clients: Clients, kind: Kind) -> None:
    client = await clients.of("DSO")
    stream = await client.events(kind, From(start=0))
    assert await read(stream, kind) is not None
    await stream.stop()
    while (await asyncio.wait_for(stream.next(), _SECONDS)) is not None:
        pass  # what had already arrived


@pytest.mark.interop("blocks-filtered-events")
async def test_a_filtered_block_names_events_without_their_payload(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    call = script(chaincode, ["event", "named", "unseen " + key])
    outcome = await client.status((await client.submit_async(call)).data)
    stream = await client.events("filtered", From(start=outcome.block_number))
    data = await raw(stream)
    await stream.stop()
    [transaction] = [
        each
        for each in FilteredBlock.FromString(data).filtered_transactions
        if each.txid == outcome.transaction_id
    ]
    [action] = transaction.transaction_actions.chaincode_actions
    event = action.chaincode_event
    assert (event.chaincode_id, event.event_name, event.payload) == (chaincode, "named", b"")


@pytest.mark.interop("blocks-private-members")
async def test_private_data_comes_to_members_and_to_nobody_else(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    call = script(chaincode, ["private_put", "pair", key, "text"], text="for us " + key)
    outcome = await client.status((await client.submit_async(call)).data)
    found = {}
    for organization in ("DSO", "DistrictA", "DistrictB"):
        listener = await clients.of(organization)
        stream = await listener.events("private", From(start=outcome.block_number))
        told = BlockAndPrivateData.FromString(await raw(stream))
        await stream.stop()
        found[organization] = _collections(told.private_data_map.values())
    assert found == {"DSO": {"pair"}, "DistrictA": {"pair"}, "DistrictB": set()}


def _collections(sets: "object") -> set[str]:
    assert hasattr(sets, "__iter__")
    return {
        collection.collection_name
        for each in sets
        if isinstance(each, TxPvtReadWriteSet)
        for namespace in each.ns_pvt_rwset
        for collection in namespace.collection_pvt_rwset
    }
