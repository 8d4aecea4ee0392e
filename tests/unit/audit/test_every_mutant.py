# SPDX-License-Identifier: Apache-2.0
"""Every tampering is caught, by block and by the check that is there for it.

The ledger is that of the main job on real Fabric, its organisations in collusion (`Collusion`):
each mutant breaks one layer, and all others are hashed, endorsed, ordered and noted as they should
be. Reads that Fabric validates in ways of its own are mutated in test_reads_mutated.
What is wrong within settlement and flexibility is in test_settlement_redone and
test_flexibility_redone, what is wrong with a proof in test_proofs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block, Envelope, Metadata
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit.errors import VerificationError
from pedchain_audit.verify import Scope, verify
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.rwset import KvWrite, Namespace
from tests.unit.audit import tampering as by
from tests.unit.audit.collusion import Authority, Collusion

GOLDEN = Path(__file__).parents[2] / "golden" / "main-job"
A, B = "metering-DistrictA", "metering-DistrictB"
BATCH, TWO, FOLDED, CERTIFIED = 19, 32, 42, 44
VALID = TxValidationCode.VALID

Made = tuple[list[Block], by.Private]
Mutant = Callable[[Collusion], Made]


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Collusion:
    return Collusion(GOLDEN, tmp_path_factory.mktemp("forged") / "ledger")


def metadata(block: Block, slot: int, value: bytes) -> None:
    block.metadata.metadata[slot] = value


# Blocks, their headers and who ordered them.


def left_out(forged: Collusion) -> Made:
    return [forged.copy(BATCH + 1), forged.copy(BATCH)], ()


def number(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    block.header.number = BATCH + 1
    forged.link(block, block.header.previous_hash)
    return [block], ()


def other_past(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    forged.link(block, bytes(32))
    return [block], ()


def changed_transaction(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    envelope = Envelope.FromString(block.data.data[0])
    envelope.signature = envelope.signature[:-1] + bytes([envelope.signature[-1] ^ 1])
    block.data.data[0] = envelope.SerializeToString(deterministic=True)
    return [block], ()


def data_hash(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    forged.link(block, block.header.previous_hash, bytes(32))
    return [block], ()


def trailing_bytes(forged: Collusion) -> Made:
    """The signature once more: an envelope that reads as before."""
    block = forged.copy(BATCH)
    signature = Envelope.FromString(block.data.data[0]).signature
    block.data.data[0] += b"\x12" + bytes([len(signature)]) + signature
    return [forged.relinked(block)], ()


def moved_bytes(forged: Collusion) -> Made:
    """The data hash runs over envelopes end to end: it stays the same."""
    block = forged.copy(TWO)
    first, second = block.data.data
    block.data.data[0], block.data.data[1] = first + second[:4], second[4:]
    return [block], ()


def empty_block(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    del block.data.data[:]
    metadata(block, wire_block.TRANSACTIONS_FILTER, b"")
    forged.link(block, block.header.previous_hash)
    return [block], ()


def ordered_by(consenters: Sequence[int], unit: str = "orderer") -> Mutant:
    def made(forged: Collusion) -> Made:
        block = forged.copy(BATCH)
        forged.sign(block, consenters, unit)
        return [block], ()

    return made


def another_header(forged: Collusion) -> Made:
    block, other = forged.copy(BATCH), forged.copy(BATCH + 1)
    signed = other.metadata.metadata[wire_block.SIGNATURES]
    metadata(block, wire_block.SIGNATURES, signed)
    return [block], ()


# A peer's notes.


def flag(code: TxValidationCode.ValueType) -> Mutant:
    def made(forged: Collusion) -> Made:
        block = forged.copy(BATCH)
        metadata(block, wire_block.TRANSACTIONS_FILTER, bytes([code]))
        return [block], by.private_of(forged, BATCH)

    return made


def too_few_flags(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    metadata(block, wire_block.TRANSACTIONS_FILTER, b"")
    return [block], by.private_of(forged, BATCH)


def commit_hash(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    noted = Metadata(value=bytes(32)).SerializeToString()
    metadata(block, wire_block.COMMIT_HASH, noted)
    return [block], by.private_of(forged, BATCH)


# Transactions that a peer calls valid and that are not.


def noted_valid(forged: Collusion, *envelopes: bytes) -> Made:
    block = forged.copy(BATCH)
    del block.data.data[:]
    block.data.data.extend(envelopes)
    forged.relinked(block)
    metadata(block, wire_block.TRANSACTIONS_FILTER, bytes([VALID] * len(envelopes)))
    return [block], ()


def writing(*keys: str, name: str = A) -> tuple[Namespace, ...]:
    return (Namespace(name, writes=tuple(KvWrite.of(key, b"1") for key in keys)),)


def endorsed_by(*organizations: str) -> Mutant:
    return lambda forged: noted_valid(
        forged,
        forged.transaction(writing("k"), forged.peers(*organizations), forged.client("DSO")),
    )


def endorsed_by_clients(forged: Collusion) -> Made:
    endorsers = [forged.client("DSO"), forged.client("DistrictA")]
    return noted_valid(forged, forged.transaction(writing("k"), endorsers, forged.client("DSO")))


def endorsed_otherwise(forged: Collusion) -> Made:
    """DistrictA's peer signed another transaction's results."""
    both, client = forged.peers("DSO", "DistrictA"), forged.client("DSO")
    one = by.with_endorsement(forged.transaction(writing("k"), both, client), client, both[1])
    return noted_valid(forged, one)


def created_by_revoked(forged: Collusion) -> Made:
    peers = forged.peers("DSO", "DistrictA")
    return noted_valid(forged, forged.transaction(writing("k"), peers, forged.outcast))


def created_by_stranger(forged: Collusion) -> Made:
    stranger = Authority("DSOMSP").member("client")
    peers = forged.peers("DSO", "DistrictA")
    return noted_valid(forged, forged.transaction(writing("k"), peers, stranger))


def not_signed_by_creator(forged: Collusion) -> Made:
    peers = forged.peers("DSO", "DistrictA")
    envelope = Envelope.FromString(forged.transaction(writing("k"), peers, forged.client("DSO")))
    envelope.signature = forged.client("DistrictA").sign(envelope.payload)
    return noted_valid(forged, envelope.SerializeToString(deterministic=True))


def same_id_again(forged: Collusion) -> Made:
    return noted_valid(forged, forged.blocks[15].data.data[0])


def same_id_in_a_block(forged: Collusion) -> Made:
    peers = forged.peers("DSO", "DistrictA")
    one = forged.transaction(writing("k"), peers, forged.client("DSO"))
    return noted_valid(forged, one, one)


def event_of_one(forged: Collusion) -> Made:
    """An event for a district's definition, by its operator alone."""
    alone = forged.transaction(
        (Namespace(A),), forged.peers("DistrictA"), forged.client("DistrictA"), event="certified"
    )
    return noted_valid(forged, alone)


def defined_by_two(forged: Collusion) -> Made:
    """A definition's policy changed without a majority."""
    key = f"namespaces/fields/{A}/ValidationInfo"
    peers = forged.peers("DSO", "DistrictA")
    changed = writing(key, name="_lifecycle")
    return noted_valid(
        forged, forged.transaction(changed, peers, forged.client("DSO"), "_lifecycle")
    )


def other_organisations_own(forged: Collusion) -> Made:
    """What is DistrictB's own affair is written by DSO and DistrictA."""
    own = by.traced(A, [KvWrite.of("k", b"1")], "_implicit_org_DistrictBMSP")
    peers = forged.peers("DSO", "DistrictA")
    return noted_valid(forged, forged.transaction((own,), peers, forged.client("DSO")))


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
    "a block left out": (left_out, "number", ""),
    "another number": (number, "number", ""),
    "another block before": (other_past, "previous hash", ""),
    "a transaction changed": (changed_transaction, "data hash", ""),
    "another data hash": (data_hash, "data hash", ""),
    "bytes behind a transaction": (trailing_bytes, "encoding", "canonical"),
    "bytes moved between transactions": (moved_bytes, "encoding", ""),
    "an empty block": (empty_block, "encoding", "empty"),
    "no orderer signed": (ordered_by([]), "orderer signatures", ""),
    "two of four orderers signed": (ordered_by([1, 2]), "orderer signatures", ""),
    "one orderer signed three times": (ordered_by([1, 1, 1]), "orderer signatures", ""),
    "clients signed as orderers": (ordered_by([1, 2, 3], "client"), "orderer signatures", ""),
    "orderers signed another header": (another_header, "orderer signatures", ""),
    "valid called invalid": (flag(TxValidationCode.MVCC_READ_CONFLICT), "validity flags", "VALID"),
    "valid called unchecked": (flag(TxValidationCode.NOT_VALIDATED), "validity flags", ""),
    "no flags": (too_few_flags, "validity flags", ""),
    "another commit hash": (commit_hash, "commit hash", ""),
    "an endorsement missing": (endorsed_by("DSO"), "validity flags", REFUSED),
    "a foreign endorsement": (endorsed_by("DSO", "DistrictB"), "validity flags", REFUSED),
    "one's own twice": (endorsed_by("DistrictA", "DistrictA"), "validity flags", ""),
    "clients endorsed": (endorsed_by_clients, "validity flags", REFUSED),
    "an endorsement of something else": (endorsed_otherwise, "validity flags", REFUSED),
    "a revoked creator": (created_by_revoked, "validity flags", "BAD_CREATOR_SIGNATURE"),
    "a creator of no organisation": (created_by_stranger, "validity flags", "BAD_CREATOR"),
    "not signed by its creator": (not_signed_by_creator, "validity flags", "BAD_CREATOR"),
    "an id used before": (same_id_again, "validity flags", "DUPLICATE_TXID"),
    "an id twice in a block": (same_id_in_a_block, "validity flags", "DUPLICATE_TXID"),
    "an event of one organisation": (event_of_one, "validity flags", REFUSED),
    "a definition by two of four": (defined_by_two, "validity flags", REFUSED),
    "an organisation's own, by others": (other_organisations_own, "validity flags", REFUSED),
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
    place = BATCH if mutant is left_out else blocks[0].header.number
    place = BATCH if mutant is number else place
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
