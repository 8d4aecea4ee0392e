# SPDX-License-Identifier: Apache-2.0
"""Every tampering is caught, by block and by the check that is there for it.

The ledger is that of the main job on real Fabric, its organisations in collusion (`Collusion`):
each mutant breaks one layer, and all others are hashed, endorsed, ordered and noted as they should
be. Reads that Fabric validates in ways of its own are mutated in test_reads_mutated.
What is wrong within settlement and flexibility is in test_settlement_redone and
test_flexibility_redone, what is wrong with a proof in test_proofs.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit.errors import VerificationError
from pedchain_audit.verify import Scope, verify
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.rwset import KvWrite, Namespace
from tests.unit.audit import brokenchain as broken
from tests.unit.audit import tampering as by
from tests.unit.audit.brokenchain import BATCH, A, Made, Mutant
from tests.unit.audit.collusion import Collusion

GOLDEN = Path(__file__).parents[2] / "golden" / "main-job"
FOLDED, CERTIFIED = 42, 44


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Collusion:
    return Collusion(GOLDEN, tmp_path_factory.mktemp("forged") / "ledger")


# What is in the transactions: readings, folds, certificates, rules.


def batch(change: Callable[[bytes], bytes], *, rooted: bool = True) -> Mutant:
    def made(forged: Collusion) -> Made:
        original = by.batch_of(forged, BATCH)
        root = {"root": by.rooted(change, original)} if rooted else {}
        done = by.Rewriting(
            forged, BATCH, {"batch": lambda marker: marker.update(root)}, {"batch": change}
        )
        return [done.block(forged, BATCH)], done.hidden

    return made


def public(number: int, kind: str, edit: by.Edit) -> Mutant:
    def made(forged: Collusion) -> Made:
        done = by.Rewriting(forged, number, {kind: edit})
        return [done.block(forged, number)], done.hidden

    return made


def certificate(edit: by.Edit) -> Mutant:
    return public(CERTIFIED, "certificate", edit)


def private_value(forged: Collusion) -> Made:
    held = by.private_of(forged, BATCH)
    (space,) = held
    (write,) = space.collections[0].writes
    other = KvWrite.of(write.key, by.counter_changed(write.value))
    return [forged.copy(BATCH)], by.hidden(space.name, [other])


def marker_alone(forged: Collusion) -> Made:
    def done(identifier: str) -> tuple[Namespace, ...]:
        key = compositekey.create("batch", ["1", "0", "5", identifier])
        value = b'{"records":1,"root":"' + b"0" * 64 + b'"}'
        return (Namespace(A, writes=(KvWrite.of(key, value),)),)

    peers = forged.peers("DSO", "DistrictA")
    block = forged.copy(BATCH)
    block.data.data[0] = forged.transaction(done, peers, forged.client("DistrictA"))
    return [forged.relinked(block)], ()


def cleared_at_once(forged: Collusion) -> Made:
    """A session of the market that nobody opened stands there, settled."""
    key = compositekey.create("session", ["s1"])
    value = b'{"id":"s1","schema":"session/1","state":"settled"}'
    books = (Namespace("settlement", writes=(KvWrite.of(key, value),)),)
    return by.agreed(forged, BATCH, books), ()


def money_from_nothing(forged: Collusion) -> Made:
    """An account that is credited without a receipt."""
    account = b'{"account":"a","amount":5,"schema":"credit/1","token":"' + b"0" * 64 + b'"}'
    write = KvWrite.of(compositekey.create("credit", ["a", "1"]), bytes(16) + account)
    held = by.hidden("settlement", [write], "book")
    return by.agreed(forged, BATCH, (by.traced("settlement", [write], "book"),)), held


REFUSED, CONFLICT = "ENDORSEMENT_POLICY_FAILURE", "MVCC_READ_CONFLICT"
MUTANTS: dict[str, tuple[Mutant, str, str]] = {
    "a block left out": (broken.left_out, "number", ""),
    "another number": (broken.number, "number", ""),
    "another block before": (broken.other_past, "previous hash", ""),
    "a transaction changed": (broken.changed_transaction, "data hash", ""),
    "another data hash": (broken.data_hash, "data hash", ""),
    "bytes behind a transaction": (broken.trailing_bytes, "encoding", "canonical"),
    "bytes moved between transactions": (broken.moved_bytes, "encoding", ""),
    "an empty block": (broken.empty_block, "encoding", "empty"),
    "no orderer signed": (broken.ordered_by([]), "orderer signatures", ""),
    "two of four orderers signed": (broken.ordered_by([1, 2]), "orderer signatures", ""),
    "one orderer signed three times": (broken.ordered_by([1, 1, 1]), "orderer signatures", ""),
    "clients signed as orderers": (
        broken.ordered_by([1, 2, 3], "client"),
        "orderer signatures",
        "",
    ),
    "orderers signed another header": (broken.another_header, "orderer signatures", ""),
    "valid called invalid": (
        broken.flag(TxValidationCode.MVCC_READ_CONFLICT),
        "validity flags",
        "VALID",
    ),
    "valid called unchecked": (broken.flag(TxValidationCode.NOT_VALIDATED), "validity flags", ""),
    "no flags": (broken.too_few_flags, "validity flags", ""),
    "another commit hash": (broken.commit_hash, "commit hash", ""),
    "an endorsement missing": (broken.endorsed_by("DSO"), "validity flags", REFUSED),
    "a foreign endorsement": (broken.endorsed_by("DSO", "DistrictB"), "validity flags", REFUSED),
    "one's own twice": (broken.endorsed_by("DistrictA", "DistrictA"), "validity flags", ""),
    "clients endorsed": (broken.endorsed_by_clients, "validity flags", REFUSED),
    "an endorsement of something else": (broken.endorsed_otherwise, "validity flags", REFUSED),
    "a revoked creator": (broken.created_by_revoked, "validity flags", "BAD_CREATOR_SIGNATURE"),
    "a creator of no organisation": (broken.created_by_stranger, "validity flags", "BAD_CREATOR"),
    "not signed by its creator": (broken.not_signed_by_creator, "validity flags", "BAD_CREATOR"),
    "an id used before": (broken.same_id_again, "validity flags", "DUPLICATE_TXID"),
    "an id twice in a block": (broken.same_id_in_a_block, "validity flags", "DUPLICATE_TXID"),
    "an event of one organisation": (broken.event_of_one, "validity flags", REFUSED),
    "a definition by two of four": (broken.defined_by_two, "validity flags", REFUSED),
    "an organisation's own, by others": (broken.other_organisations_own, "validity flags", REFUSED),
    "a reading": (batch(by.record_changed), "readings", "bad-signature"),
    "a record's counter": (batch(by.record_moved), "readings", "not authentic"),
    "a row's counter": (batch(by.counter_changed), "readings", "rows"),
    "a row's record": (batch(by.row_changed), "readings", "rows"),
    "bytes behind the records": (batch(by.trailing, rooted=False), "readings", "read"),
    "a record the marker lacks": (batch(by.record_moved, rooted=False), "readings", "marker"),
    "a marker of more records": (
        public(BATCH, "batch", lambda marker: marker.update(records=1_000)),
        "readings",
        "marker",
    ),
    "a private value": (private_value, "private data", ""),
    "a marker without a batch": (marker_alone, "batch", ""),
    "other batches folded": (
        public(FOLDED, "folded", lambda fold: fold.update(batches="0" * 64)),
        "fold",
        "",
    ),
    "a certificate's energy": (
        certificate(lambda one: one["electricity"].update(generation_wh=999_999)),
        "certificate",
        "electricity",
    ),
    "a certificate's verdict": (
        certificate(lambda one: one["verdict"].update(verdict="positive")),
        "certificate",
        "verdict",
    ),
    "a certificate's root": (
        certificate(lambda one: one.update(root="0" * 64)),
        "certificate",
        "root",
    ),
    "an adoption of what the registry has not": (
        public(12, "factors", lambda one: one.update(version="other")),
        "registry",
        "",
    ),
    "a session nobody opened": (cleared_at_once, "settlement", ""),
    "money from nothing": (money_from_nothing, "settlement", ""),
}


@pytest.mark.fault(25)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught_at_its_block_by_its_check(
    forged: Collusion, tmp_path: Path, name: str
) -> None:
    mutant, check, told = MUTANTS[name]
    blocks, private = mutant(forged)
    place = BATCH if mutant is broken.left_out else blocks[0].header.number
    place = BATCH if mutant is broken.number else place
    archive = by.archived(forged, tmp_path / "mutant", place, blocks, private)
    with pytest.raises(VerificationError) as caught:
        verify(archive, scope=Scope(first=place))
    assert (caught.value.check, caught.value.block) == (check, place), caught.value
    assert told in caught.value.text


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 30


def test_the_ledger_they_are_made_of_is_verified(forged: Collusion) -> None:
    """Else a mutant could be caught for what it shares with all others."""
    figures = verify(by.Archive(forged.folder), scope=Scope(first=BATCH))
    assert (figures.certificates, figures.not_checked, figures.invalid) == (4, [], {})


def test_a_reading_is_named_first_though_another_process_finds_it(
    forged: Collusion, tmp_path: Path
) -> None:
    """This one has gone on meanwhile, to a block that does not follow."""
    blocks, private = batch(by.record_changed)(forged)
    later = forged.copy(BATCH + 1)
    folder = tmp_path / "mutant"
    archive = by.archived(forged, folder, BATCH, [*blocks, later], private)
    with pytest.raises(VerificationError) as caught:
        verify(archive, scope=Scope(first=BATCH, processes=1))
    assert (caught.value.check, caught.value.block) == ("readings", BATCH)
