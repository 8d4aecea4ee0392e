# SPDX-License-Identifier: Apache-2.0
"""Ranges, checkpoints, processes: an audit that is split up finds what one in a piece finds."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block

from pedchain_audit import checkpoint
from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError, VerificationError
from pedchain_audit.verify import Scope, verify
from pedchain_fabric.wire import block as wire_block

GOLDEN = Path(__file__).parents[2] / "golden"
TRUST = Archive(GOLDEN / "ledger")


def copied(folder: Path, source: Path = TRUST.folder) -> Archive:
    shutil.copytree(source, folder)
    return Archive(folder)


def test_processes_beside_find_the_same() -> None:
    """Device signatures in another process, and signatures of blocks ahead."""
    found = Archive(GOLDEN / "main-job")
    alone, shared = verify(found), verify(found, scope=Scope(processes=1))
    assert replace(shared, course=alone.course) == alone


def test_a_range_checks_its_blocks_and_follows_those_before() -> None:
    figures = verify(TRUST, scope=Scope(first=10, last=19))
    assert (figures.first, figures.blocks, figures.orderer_signatures) == (10, 10, 30)
    assert [lap.number for lap in figures.course.laps] == list(range(20))


def test_a_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.json"
    assert verify(TRUST, scope=Scope(last=19, checkpoint=file)).blocks == 20
    assert checkpoint.read(file).height == 20  # type: ignore[union-attr]  # it was just written
    assert verify(TRUST, scope=Scope(checkpoint=file)).blocks == TRUST.height() - 20
    assert verify(TRUST, scope=Scope(checkpoint=file)).blocks == 0


def test_a_past_rewritten_since_it_was_verified_is_named(tmp_path: Path) -> None:
    """Not a hash of it is checked again but those the checkpoint holds."""
    file, archive = tmp_path / "checkpoint.json", copied(tmp_path / "ledger")
    verify(archive, scope=Scope(last=19, checkpoint=file))
    known = checkpoint.read(file)
    assert known is not None
    checkpoint.write(file, replace(known, header="00" * 32))
    with pytest.raises(VerificationError) as caught:
        verify(archive, scope=Scope(checkpoint=file))
    assert (caught.value.check, caught.value.block) == ("checkpoint", 19)


def test_flags_changed_in_a_verified_past_are_named(tmp_path: Path) -> None:
    file, archive = tmp_path / "checkpoint.json", copied(tmp_path / "ledger")
    verify(archive, scope=Scope(last=19, checkpoint=file))
    path = archive.block_path(14)
    block = Block.FromString(path.read_bytes())
    block.metadata.metadata[wire_block.TRANSACTIONS_FILTER] = bytes([11])
    path.write_bytes(block.SerializeToString(deterministic=True))
    with pytest.raises(VerificationError) as caught:
        verify(archive, scope=Scope(checkpoint=file))
    assert (caught.value.check, caught.value.block) == ("commit hash", 14)


def test_a_ledger_shorter_than_what_was_verified_is_named(tmp_path: Path) -> None:
    file, archive = tmp_path / "checkpoint.json", copied(tmp_path / "ledger")
    verify(archive, scope=Scope(checkpoint=file))
    archive.block_path(archive.height() - 1).unlink()
    with pytest.raises(VerificationError, match="only 28 are here"):
        verify(archive, scope=Scope(checkpoint=file))


def test_a_file_that_is_no_checkpoint_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.json"
    file.write_text('{"schema": "checkpoint/2"}')
    with pytest.raises(ArchiveError):
        verify(TRUST, scope=Scope(checkpoint=file))
