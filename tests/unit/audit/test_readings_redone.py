# SPDX-License-Identifier: Apache-2.0
"""Steps 6 and 7 on a ledger of real Fabric: what organisations in collusion could write is named.

Whoever holds the endorsing keys can put anything into valid blocks; these tests hand the auditor
such transactions in place of the real ones.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.events_pb2 import BlockAndPrivateData

from pedchain_audit import batches, chain
from pedchain_audit.archive import Archive
from pedchain_audit.errors import VerificationError
from pedchain_audit.metering import Metering
from pedchain_audit.registry import Registry
from pedchain_audit.replay import Judged, Ledger
from pedchain_audit.verify import Figures, verify
from pedchain_domain import canonical
from pedchain_fabric.wire import compositekey, rwset
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.rwset import KvWrite

GOLDEN = Path(__file__).parents[2] / "golden" / "main-job"
A = "metering-DistrictA"
Change = Callable[[Judged], Judged]


@pytest.fixture(scope="module")
def figures() -> Figures:
    return verify(Archive(GOLDEN))


def redo(change: Change) -> VerificationError:
    """Replays the ledger with transactions changed on their way; returns the first refusal."""
    archive = Archive(GOLDEN)
    blocks = [chain.decode(number, raw) for number, raw in archive.blocks()]
    ledger = Ledger(ChannelConfig.from_block(blocks[0]))
    metering = Metering(ledger.config.channel_id)

    def judge(block: Block) -> None:
        number = block.header.number
        held = archive.private(number).private_data_map

        def valid(judged: Judged) -> None:
            own = held.get(judged.position)
            raw = None if own is None else own.SerializeToString(deterministic=True)
            metering.transaction(number, change(judged), ledger.world, raw)

        ledger.judge(block, valid)

    with pytest.raises(VerificationError) as caught:
        any(map(judge, blocks))
    return caught.value


def rewriting(kind: str, edit: Callable[[dict], None]) -> Change:
    """Changes the public documents of one kind of key that DistrictA's transactions write."""

    def write(each: KvWrite) -> KvWrite:
        if not each.key.startswith("\x00") or compositekey.split(each.key)[0] != kind:
            return each
        document = canonical.decode(each.value)
        assert isinstance(document, dict)
        edit(document)
        return replace(each, value=canonical.encode(document))

    def change(judged: Judged) -> Judged:
        namespaces = tuple(
            replace(each, writes=tuple(map(write, each.writes))) if each.name == A else each
            for each in judged.namespaces
        )
        return replace(judged, namespaces=namespaces)

    return change


def test_real_fabrics_readings_and_certificates_are_redone(figures: Figures) -> None:
    assert figures.device_signatures > 800
    assert figures.certificates == 4
    assert figures.not_checked == []


@pytest.mark.fault(25)
def test_a_certificate_that_does_not_follow_from_the_readings_is_named() -> None:
    """DSO and district together could sign it; the numbers give them away."""
    error = redo(rewriting("certificate", lambda one: one["electricity"].update(import_wh=1)))
    assert error.check == "certificate"
    assert "electricity" in error.text


@pytest.mark.fault(25)
def test_a_better_verdict_is_named() -> None:
    error = redo(rewriting("certificate", lambda one: one["verdict"].update(verdict="positive")))
    assert (error.check, "verdict" in error.text) == ("certificate", True)


@pytest.mark.fault(25)
def test_a_fold_that_leaves_a_batch_out_is_named() -> None:
    error = redo(rewriting("folded", lambda one: one.update(batches="00" * 32)))
    assert error.check == "fold"


@pytest.mark.fault(25)
def test_a_marker_that_counts_another_number_of_records_is_named() -> None:
    error = redo(rewriting("batch", lambda one: one.update(records=one["records"] + 1)))
    assert error.check == "readings"


@pytest.mark.fault(25)
def test_a_private_value_that_is_not_the_hashed_one_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    shutil.copytree(GOLDEN, folder)
    path = max((folder / "private").iterdir(), key=lambda each: each.stat().st_size)
    found = BlockAndPrivateData.FromString(path.read_bytes())
    for held in found.private_data_map.values():
        for namespace in held.ns_pvt_rwset:
            for collection in namespace.collection_pvt_rwset:
                raw = collection.rwset
                collection.rwset = raw[:-1] + bytes([raw[-1] ^ 1])
    path.write_bytes(found.SerializeToString(deterministic=True))
    with pytest.raises(VerificationError) as caught:
        verify(Archive(folder))
    assert caught.value.check == "private data"
    assert caught.value.block == int(path.name)


def test_without_private_data_it_is_said_what_was_not_checked(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    shutil.copytree(GOLDEN, folder)
    shutil.rmtree(folder / "private")
    seen = verify(Archive(folder))
    assert (seen.device_signatures, seen.certificates) == (0, 0)
    assert len(seen.not_checked) == 2


@pytest.fixture(scope="module")
def kept_batch() -> tuple[bytes, batches.Ground]:
    """A batch document of DistrictA, and what it is judged on at the ledger's end."""
    archive = Archive(GOLDEN)
    blocks = [chain.decode(number, raw) for number, raw in archive.blocks()]
    ledger = Ledger(ChannelConfig.from_block(blocks[0]))
    for block in blocks:
        ledger.judge(block)
    held = dict(private_values(archive))
    secret = next(value for key, value in held.items() if key.startswith("\x00secret"))
    batch = next(value for key, value in held.items() if key.startswith("\x00batch"))
    registry = Registry(ledger.world, A, secret)
    return batch, batches.Ground(
        registry.devices(batches.devices_of(batches.rows_of(batch))),
        registry.naming,
        "pedchain",
        "ped",
        4_000_000_000,
    )


def private_values(archive: Archive) -> Iterator[tuple[str, bytes]]:
    """Keys and values of DistrictA's collections, as they were written."""
    for number in range(archive.height()):
        for held in archive.private(number).private_data_map.values():
            for namespace in rwset.decode_private(held.SerializeToString()):
                for collection in namespace.collections:
                    if namespace.name == A:
                        yield from ((write.key, write.value) for write in collection.writes)


def marker(document: bytes) -> dict:
    salt, _, records = batches.parts(document)
    return {"records": len(records), "root": batches.root(salt, records)}


def test_a_batch_is_checked_record_by_record(kept_batch: tuple[bytes, batches.Ground]) -> None:
    document, ground = kept_batch
    held = marker(document)
    batches.check(document, held, ground)
    assert sum(map(len, batches.rows_of(document).values())) == held["records"] > 0


@pytest.mark.fault(4)
def test_a_record_changed_after_it_was_signed_is_named(
    kept_batch: tuple[bytes, batches.Ground],
) -> None:
    """With marker and all made to fit: only the device's signature is in the way."""
    document, ground = kept_batch
    salt, header, records = batches.parts(document)
    forged = records[0].replace(b'"RV":"', b'"RV":"1', 1)
    assert forged != records[0]
    body = b"".join(len(each).to_bytes(4, "big") + each for each in [forged, *records[1:]])
    kept = canonical.encode({**header, "form": "kept"})
    made = salt + len(kept).to_bytes(4, "big") + kept + body
    with pytest.raises(batches.BatchError, match="not authentic"):
        batches.check(made, marker(made), ground)


def test_rows_that_say_something_else_than_the_records_are_named(
    kept_batch: tuple[bytes, batches.Ground],
) -> None:
    """The rows are what is folded; they must be what the signed records say."""
    document, ground = kept_batch
    salt, header, records = batches.parts(document)
    cell = min(header["rows"])
    columns = header["rows"][cell][0][5]
    columns[min(columns.keys() - {"t"})][0] += 1_000
    body = b"".join(len(each).to_bytes(4, "big") + each for each in records)
    kept = canonical.encode({**header, "form": "kept"})
    made = salt + len(kept).to_bytes(4, "big") + kept + body
    with pytest.raises(batches.BatchError, match="rows"):
        batches.check(made, marker(made), ground)
