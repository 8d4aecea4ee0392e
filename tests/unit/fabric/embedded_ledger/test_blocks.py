# SPDX-License-Identifier: Apache-2.0
"""The chain: which blocks are taken, and how they are found again."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block, Envelope

from pedchain_fabric.embedded.ledger import BlockOutcome, BlockRefused, Ledger, LedgerError
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire.messages import parse, serialize
from tests.unit.fabric.embedded_ledger.channel import genesis
from tests.unit.fabric.embedded_ledger.consortium import Consortium, Transaction, put


def prepared(consortium: Consortium, key: str = "k") -> Transaction:
    return consortium.endorse("open", consortium.simulate(put("open", key)), ["DSO"])


def next_number(block: Block) -> None:
    block.header.number += 1


def other_previous(block: Block) -> None:
    block.header.previous_hash = b"\0" * 32


def other_data(block: Block) -> None:
    block.data.data[0] += block.data.data[0]


def unsigned_data(block: Block) -> None:
    block.data.data[0] += b"\x1a\x00"
    block.header.data_hash = wire_block.data_hash(block.data)


def no_data(block: Block) -> None:
    del block.data.data[:]


def no_signatures(block: Block) -> None:
    block.metadata.metadata[wire_block.SIGNATURES] = b""


@pytest.mark.parametrize(
    "change",
    [next_number, other_previous, other_data, unsigned_data, no_data, no_signatures],
    ids=lambda change: change.__name__,
)
def test_a_block_that_was_tampered_with_is_refused(
    consortium: Consortium, change: Callable[[Block], None]
) -> None:
    block = consortium.block(prepared(consortium))
    height, digest = consortium.ledger.height, consortium.ledger.commit_hash
    change(block)
    with pytest.raises(BlockRefused):
        consortium.ledger.commit(block)
    assert (consortium.ledger.height, consortium.ledger.commit_hash) == (height, digest)


@pytest.mark.parametrize(
    "signers",
    [["DSO", "DistrictA"], ["DSO", "DSO", "DSO"], []],
    ids=["two of four", "one three times", "none"],
)
def test_a_block_without_a_quorum_of_orderers_is_refused(
    consortium: Consortium, signers: list[str]
) -> None:
    block = consortium.block(prepared(consortium), signers=signers)
    with pytest.raises(BlockRefused, match="not signed by enough orderers"):
        consortium.ledger.commit(block)


def test_three_of_four_orderers_are_a_quorum(consortium: Consortium) -> None:
    block = consortium.block(prepared(consortium), signers=["DSO", "DistrictB", "Aggregator"])
    assert consortium.ledger.commit(block).codes == (0,)


def test_flags_and_commit_hash_are_noted_in_the_block(consortium: Consortium) -> None:
    block = consortium.block(prepared(consortium))
    consortium.ledger.commit(block)
    assert wire_block.validation_codes(block) == (0,)
    assert wire_block.commit_hash(block) == consortium.ledger.commit_hash
    assert len(block.metadata.metadata) == wire_block.SLOTS
    assert consortium.ledger.block(block.header.number) == block


def test_flags_that_came_with_the_block_do_not_count(consortium: Consortium) -> None:
    block = consortium.block(prepared(consortium))
    block.metadata.metadata[wire_block.TRANSACTIONS_FILTER] = bytes([11])
    assert consortium.ledger.commit(block).codes == (0,)


def test_blocks_and_transactions_are_found_again(consortium: Consortium) -> None:
    ledger = consortium.ledger
    good = prepared(consortium)
    bad = consortium.endorse("nowhere", consortium.simulate(put("open", "k")))
    consortium.commit(good, bad)
    number = ledger.height - 1
    block = ledger.block(number)
    assert block is not None
    assert ledger.block_by_hash(wire_block.header_hash(block.header)) == block
    assert ledger.block_by_transaction(bad.id) == block
    found = ledger.transaction(bad.id)
    assert found is not None
    assert (found.envelope, found.block, found.index) == (bad.envelope, number, 1)
    assert found.code == block.metadata.metadata[2][1]
    assert ledger.block(number + 1) is None
    assert ledger.transaction("none") is None
    assert ledger.block_by_hash(b"none") is None
    assert ledger.block_by_transaction("none") is None
    info = ledger.chain_info()
    assert (info.height, info.previous_hash) == (number + 1, block.header.previous_hash)


def test_an_outcome_read_again_equals_the_one_given_at_commit(tmp_path: Path) -> None:
    consortium = Consortium.start(tmp_path / "ledger.db")
    consortium.define("open", "OR('DSOMSP.peer')")
    good = consortium.endorse(
        "open", consortium.simulate(put("open", "k")), ["DSO"], event=b"payload"
    )
    bad = parse(Envelope, prepared(consortium).envelope)
    bad.signature = b"x"
    given = consortium.ledger.commit(
        consortium.block(good, serialize(bad), serialize(Envelope(payload=b"\xff", signature=b"x")))
    )
    consortium.ledger.close()
    again = Ledger.open(tmp_path / "ledger.db")
    assert again.outcome(given.number) == given
    assert again.outcome(given.number + 1) is None
    assert [each.type for each in given.transactions] == [3, 3, -1]
    assert b"payload" in given.transactions[0].event
    assert given.transactions[0].chaincode == "open"
    again.close()


async def test_waiting_for_a_height_ends_when_it_is_reached(consortium: Consortium) -> None:
    height = consortium.ledger.height
    await consortium.ledger.wait_height(height)
    waiting = asyncio.create_task(consortium.ledger.wait_height(height + 2))
    given_up = asyncio.create_task(consortium.ledger.wait_height(height + 9))
    await asyncio.sleep(0)
    given_up.cancel()
    consortium.commit(prepared(consortium, "a"))
    await asyncio.sleep(0)
    assert not waiting.done()
    consortium.commit(prepared(consortium, "b"))
    await asyncio.wait_for(waiting, 5)
    assert given_up.cancelled()


def test_listeners_are_told_after_each_commit_until_they_leave(consortium: Consortium) -> None:
    told: list[BlockOutcome] = []
    leave = consortium.ledger.on_commit(told.append)
    consortium.commit(prepared(consortium, "a"))
    leave()
    leave()
    consortium.commit(prepared(consortium, "b"))
    assert [each.number for each in told] == [consortium.ledger.height - 2]


def test_the_chain_begins_once_and_with_block_zero(consortium: Consortium) -> None:
    first = genesis(list(consortium.organizations.values()))
    with pytest.raises(BlockRefused):
        consortium.ledger.append_genesis(first)
    empty = Ledger.open(None)
    with pytest.raises(BlockRefused, match="not a genesis block"):
        empty.append_genesis(Block(header=consortium.block(b"").header.__class__(number=0)))
    with pytest.raises(LedgerError, match="no genesis block"):
        empty.commit(first)
    assert (empty.channel_id, empty.height) == ("", 0)
    empty.close()


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"x" * 4096)
    with pytest.raises(LedgerError, match="no ledger"):
        Ledger.open(path)


def test_a_reopened_ledger_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    before = Consortium.start(path)
    before.define("open", "OR('DSOMSP.peer')")
    before.submit("open", put("open", "k"), ["DSO"])
    info, digest = before.ledger.chain_info(), before.ledger.commit_hash
    before.ledger.close()
    after = Consortium.start(path)
    assert (after.ledger.chain_info(), after.ledger.commit_hash) == (info, digest)
    assert after.ledger.channel_id == "ped"
    assert after.get("open", "k") == b"1"
    assert after.submit("open", put("open", "k", b"2"), ["DSO"]) == "VALID"
    after.ledger.close()
