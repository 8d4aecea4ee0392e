# SPDX-License-Identifier: Apache-2.0
"""What real Fabric made of the same blocks, byte for byte.

`real-fabric.tar.xz` holds 59 blocks of a real Fabric v3.1 network (four organisations, SmartBFT)
as a peer delivered them, with its validation flags and commit hashes: `blocks/<number>`;
`offered/<number>.<transaction>`, the private write sets as endorsed; `held/<MSP>/...`, those each
organisation's peer delivered at the end, after a purge and after blockToLive. They hold raw and
condensed ranges with and without phantoms, MVCC conflicts, key-level policies (one changed in the
block of a later write), missing endorsements, an implicit collection's lone organisation, private
reads by value and hash, deletion and new value in one block, definitions upgraded with
transactions in flight, and a change of configuration. `tests/golden/wire` holds another network's.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block
from fabric_protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.embedded.ledger import Ledger
from pedchain_fabric.embedded.ledger.outcome import claimed_id
from pedchain_fabric.wire.block import COMMIT_HASH, TRANSACTIONS_FILTER

RECORDING = Path(__file__).parent / "real-fabric.tar.xz"
WIRE = Path(__file__).parents[3] / "golden" / "wire"


def stripped(block: Block) -> Block:
    """The block as orderers made it, without the committer's notes."""
    bare = Block()
    bare.CopyFrom(block)
    bare.metadata.metadata[TRANSACTIONS_FILTER] = b""
    bare.metadata.metadata[COMMIT_HASH] = b""
    return bare


def replay(ledger: Ledger, blocks: list[Block], offered: dict[tuple[int, int], bytes]) -> None:
    """Commit each block without its notes; the ledger must note the same."""
    ledger.append_genesis(blocks[0])
    for block in blocks[1:]:
        for index, raw in enumerate(block.data.data):
            private = offered.get((block.header.number, index))
            if private is not None:
                ledger.transient.put(claimed_id(raw), private)
        mine = stripped(block)
        ledger.commit(mine)
        assert mine == block, block.header.number


@pytest.fixture(scope="module")
def recording() -> dict[str, bytes]:
    """The recording's files by name."""
    with tarfile.open(RECORDING) as archive:
        found = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in found.items() if file is not None}


@pytest.fixture(scope="module")
def replayed(recording: dict[str, bytes]) -> Iterator[Ledger]:
    """A ledger that committed the recorded blocks."""
    ledger = Ledger.open(None)
    names = sorted(name for name in recording if name.startswith("blocks/"))
    blocks = [Block.FromString(recording[name]) for name in names]
    offered = {place(name): data for name, data in recording.items() if name.startswith("offered/")}
    replay(ledger, blocks, offered)
    yield ledger
    ledger.close()


def place(name: str) -> tuple[int, int]:
    """Block and transaction of `.../<block>.<transaction>`."""
    block, transaction = name.rsplit("/", 1)[1].split(".")
    return int(block), int(transaction)


def test_every_block_gets_the_flags_and_the_commit_hash_a_real_peer_noted(
    replayed: Ledger,
) -> None:
    assert replayed.height == 59


def test_the_recording_holds_every_kind_of_verdict_it_is_for(replayed: Ledger) -> None:
    codes = {code for n in range(replayed.height) for code in replayed.outcome(n).codes}  # type: ignore[union-attr]  # every block is there
    assert {TxValidationCode.Name(code) for code in codes} == {
        "VALID",
        "ENDORSEMENT_POLICY_FAILURE",
        "MVCC_READ_CONFLICT",
        "PHANTOM_READ_CONFLICT",
    }
    assert replayed.config.sequence == 1
    assert [(each.name, each.sequence) for each in replayed.definitions()] == [
        ("metering-DistrictA", 2),
        ("metering-DistrictB", 1),
        ("registry", 2),
    ]


@pytest.mark.parametrize("organization", ["DSO", "DistrictA", "DistrictB", "Aggregator"])
def test_each_organisation_holds_the_private_data_its_real_peer_held(
    replayed: Ledger, recording: dict[str, bytes], organization: str
) -> None:
    prefix = f"held/{organization}MSP/"
    real = {
        place(name): TxPvtReadWriteSet.FromString(data)
        for name, data in recording.items()
        if name.startswith(prefix)
    }
    mine = {
        (number, index): private
        for number in range(replayed.height)
        for index, private in replayed.private_rwsets(number, f"{organization}MSP").items()
    }
    assert mine == real
    assert real


def test_the_blocks_of_the_other_recorded_network_too() -> None:
    count = len(list(WIRE.glob("*.block")))
    blocks = [Block.FromString((WIRE / f"{n}.block").read_bytes()) for n in range(count)]
    offered = {}
    for file in WIRE.glob("*.private"):
        block, transaction, _ = file.name.split(".")
        offered[int(block), int(transaction)] = file.read_bytes()
    ledger = Ledger.open(None)
    replay(ledger, blocks, offered)
    assert ledger.height == count > 20
    ledger.close()


def test_a_flag_that_a_peer_flipped_shows_in_its_commit_hash(recording: dict[str, bytes]) -> None:
    ledger = Ledger.open(None)
    blocks = [Block.FromString(recording[f"blocks/{n:03}"]) for n in range(3)]
    flags = bytearray(blocks[1].metadata.metadata[TRANSACTIONS_FILTER])
    flags[0] = TxValidationCode.MVCC_READ_CONFLICT
    blocks[1].metadata.metadata[TRANSACTIONS_FILTER] = bytes(flags)
    with pytest.raises(AssertionError):
        replay(ledger, blocks, {})
    ledger.close()
