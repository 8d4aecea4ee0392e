# SPDX-License-Identifier: Apache-2.0
"""A ledger of real Fabric verifies; whatever is changed in it, the auditor names the place."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block, Envelope, Metadata
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError, VerificationError
from pedchain_audit.verify import Figures, verify
from pedchain_fabric.wire import block as wire_block

GOLDEN = Path(__file__).parents[2] / "golden" / "ledger"
Change = Callable[[Block], None]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """A copy of the golden ledger to tamper with."""
    folder = tmp_path / "ledger"
    shutil.copytree(GOLDEN, folder)
    return Archive(folder)


def tampered(archive: Archive, number: int, change: Change) -> VerificationError:
    """Changes one block and returns what the auditor says."""
    path = archive.block_path(number)
    block = Block.FromString(path.read_bytes())
    change(block)
    path.write_bytes(block.SerializeToString(deterministic=True))
    with pytest.raises(VerificationError) as caught:
        verify(archive)
    return caught.value


@pytest.fixture(scope="module")
def figures() -> Figures:
    return verify(Archive(GOLDEN))


@pytest.fixture(scope="module")
def judged() -> dict[int, tuple[int, ...]]:
    """Validation codes by block, as real Fabric noted them."""
    found = {}
    for number, raw in Archive(GOLDEN).blocks():
        found[number] = tuple(wire_block.validation_codes(Block.FromString(raw)))
    return found


def last_with(judged: dict[int, tuple[int, ...]], code: int) -> int:
    return max(number for number, codes in judged.items() if code in codes)


def test_the_ledger_of_real_fabric_is_verified(figures: Figures) -> None:
    assert figures.blocks == Archive(GOLDEN).height()
    assert figures.invalid["ENDORSEMENT_POLICY_FAILURE"] >= 5
    assert figures.invalid["MVCC_READ_CONFLICT"] == 1
    assert figures.events_of_one == 1


@pytest.mark.fault(25)
def test_any_flipped_bit_is_noticed(archive: Archive) -> None:
    """In every block, seeded positions over all of its bytes, its metadata included."""
    chance = random.Random(20261121)
    for number in range(1, archive.height(), 5):
        path = archive.block_path(number)
        raw = path.read_bytes()
        for at in chance.sample(range(len(raw)), 3):
            changed = bytearray(raw)
            changed[at] ^= 1 << chance.randrange(8)
            path.write_bytes(bytes(changed))
            with pytest.raises(VerificationError):
                verify(archive)
        path.write_bytes(raw)


@pytest.mark.fault(25)
def test_a_changed_transaction_breaks_the_data_hash(archive: Archive) -> None:
    def change(block: Block) -> None:
        envelope = Envelope.FromString(block.data.data[0])
        envelope.signature = envelope.signature[:-1] + b"\x00"
        block.data.data[0] = envelope.SerializeToString(deterministic=True)

    error = tampered(archive, 12, change)
    assert (error.check, error.block, error.transaction) == ("data hash", 12, 0)


@pytest.mark.fault(25)
def test_a_changed_header_breaks_the_chain(archive: Archive) -> None:
    error = tampered(
        archive, 12, lambda block: setattr(block.header, "previous_hash", b"\x00" * 32)
    )
    assert (error.check, error.block) == ("previous hash", 12)


@pytest.mark.fault(25)
def test_a_block_left_out_is_noticed(archive: Archive) -> None:
    archive.block_path(12).write_bytes(archive.block_path(13).read_bytes())
    with pytest.raises(VerificationError) as caught:
        verify(archive)
    assert (caught.value.check, caught.value.block) == ("number", 12)


@pytest.mark.fault(25)
def test_trailing_bytes_behind_a_transaction_are_noticed(archive: Archive) -> None:
    """The data hash runs over all envelopes at once: bytes moved between them keep it."""

    def change(block: Block) -> None:
        raw = block.data.data[0] + b"\x0a\x00"
        block.data.data[0] = raw
        block.header.data_hash = wire_block.data_hash(block.data)

    error = tampered(archive, 12, change)
    assert error.block == 12
    assert error.check in ("encoding", "orderer signatures")


@pytest.mark.fault(25)
@pytest.mark.fault(30)
@pytest.mark.parametrize("kept", [0, 1, 2])
def test_fewer_orderers_than_the_quorum_are_too_few(archive: Archive, kept: int) -> None:
    def change(block: Block) -> None:
        metadata = Metadata.FromString(block.metadata.metadata[wire_block.SIGNATURES])
        del metadata.signatures[kept:]
        block.metadata.metadata[wire_block.SIGNATURES] = metadata.SerializeToString()

    error = tampered(archive, 12, change)
    assert (error.check, error.block) == ("orderer signatures", 12)


@pytest.mark.fault(25)
def test_one_orderer_counted_three_times_is_one(archive: Archive) -> None:
    def change(block: Block) -> None:
        metadata = Metadata.FromString(block.metadata.metadata[wire_block.SIGNATURES])
        first = metadata.signatures[0]
        del metadata.signatures[:]
        metadata.signatures.extend([first, first, first])
        block.metadata.metadata[wire_block.SIGNATURES] = metadata.SerializeToString()

    assert tampered(archive, 12, change).check == "orderer signatures"


@pytest.mark.parametrize(
    ("code", "claimed"),
    [
        (TxValidationCode.VALID, TxValidationCode.MVCC_READ_CONFLICT),
        (TxValidationCode.ENDORSEMENT_POLICY_FAILURE, TxValidationCode.VALID),
        (TxValidationCode.MVCC_READ_CONFLICT, TxValidationCode.VALID),
    ],
)
@pytest.mark.fault(25)
@pytest.mark.fault(26)
def test_a_flipped_validity_flag_is_named(
    archive: Archive, judged: dict[int, tuple[int, ...]], code: int, claimed: int
) -> None:
    """Nobody signs the flags; they are redone."""
    number = last_with(judged, code)
    position = judged[number].index(code)

    def change(block: Block) -> None:
        flags = bytearray(block.metadata.metadata[wire_block.TRANSACTIONS_FILTER])
        flags[position] = claimed
        block.metadata.metadata[wire_block.TRANSACTIONS_FILTER] = bytes(flags)

    error = tampered(archive, number, change)
    assert (error.check, error.block, error.transaction) == ("validity flags", number, position)


@pytest.mark.fault(26)
def test_another_commit_hash_is_named(archive: Archive) -> None:
    def change(block: Block) -> None:
        forged = Metadata(value=b"\x01" * 32).SerializeToString()
        block.metadata.metadata[wire_block.COMMIT_HASH] = forged

    error = tampered(archive, 14, change)
    assert (error.check, error.block) == ("commit hash", 14)


def test_a_genesis_block_the_auditor_does_not_trust_is_refused(archive: Archive) -> None:
    genesis = Block.FromString(archive.genesis)
    genesis.data.data[0] = genesis.data.data[0][:-1] + b"\x00"
    archive.write_genesis(genesis.SerializeToString(deterministic=True))
    with pytest.raises(VerificationError) as caught:
        verify(archive)
    assert caught.value.check == "genesis"


def test_a_ledger_cut_short_is_verified_as_far_as_it_goes(archive: Archive) -> None:
    """No copy can show what came later; the number of blocks says how far it goes."""
    archive.block_path(archive.height() - 1).unlink()
    assert verify(archive).blocks == Archive(GOLDEN).height() - 1


def test_an_empty_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        verify(Archive(tmp_path))
