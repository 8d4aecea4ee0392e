# SPDX-License-Identifier: Apache-2.0
"""What a peer notes of reads and key policies is redone as Fabric does it, odd cases included.

Each case appends blocks to the main job's ledger on real Fabric, everybody in collusion; the peer's
flag in the last one is not what Fabric would say.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from fabric_protos.peer.collection_pb2 import (
    CollectionConfigPackage,
)
from fabric_protos.peer.lifecycle.db_pb2 import StateData
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit import mvcc
from pedchain_audit.errors import VerificationError
from pedchain_audit.replay import Ledger
from pedchain_audit.verify import Scope, verify
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire import policytext
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.rwset import (
    HashedCollection,
    HashedRead,
    HashedWrite,
    KvRead,
    KvWrite,
    MerkleSummary,
    MetadataWrite,
    Namespace,
    RangeQuery,
    Version,
    hash_key,
)
from tests.unit.audit import tampering as by
from tests.unit.audit.collusion import Collusion

GOLDEN = Path(__file__).parents[2] / "golden" / "main-job"
A, FIRST = "metering-DistrictA", 17
VALID, CONFLICT = TxValidationCode.VALID, TxValidationCode.MVCC_READ_CONFLICT
PHANTOM = TxValidationCode.PHANTOM_READ_CONFLICT
REFUSED = TxValidationCode.ENDORSEMENT_POLICY_FAILURE
MINE = policytext.parse("AND('DistrictBMSP.peer')").SerializeToString()

Blocks = list[list[bytes]]
Case = Callable[[Collusion], Blocks]


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Collusion:
    return Collusion(GOLDEN, tmp_path_factory.mktemp("forged") / "ledger")


def done(forged: Collusion, found: Namespace, *by_whom: str) -> bytes:
    endorsers = forged.peers(*(by_whom or ("DSO", "DistrictA")))
    return forged.transaction((found,), endorsers, forged.client("DSO"), found.name)


def put(*keys: str) -> Namespace:
    return Namespace(A, writes=tuple(KvWrite.of(key, b"1") for key in keys))


def locked(key: str) -> Namespace:
    entries = (("VALIDATION_PARAMETER", MINE),)
    return Namespace(A, metadata_writes=(MetadataWrite(key, entries),))


def stale_read(forged: Collusion) -> Blocks:
    """Read when it was not there, written since."""
    read = Namespace(A, reads=(KvRead("k", None),), writes=(KvWrite.of("other", b"1"),))
    return [[done(forged, put("k"))], [done(forged, read)]]


def read_of_the_same_block(forged: Collusion) -> Blocks:
    """A deletion of what was not there is a write all the same."""
    gone = Namespace(A, writes=(KvWrite.of("k", b""),))
    read = Namespace(A, reads=(KvRead("k", None),))
    return [[done(forged, gone), done(forged, read)]]


def ranged(query: RangeQuery) -> Namespace:
    return Namespace(A, range_queries=(query,), writes=(KvWrite.of("other", b"1"),))


def phantom(forged: Collusion) -> Blocks:
    """A range that was empty, and of which the next block has a key."""
    query = RangeQuery("k", "l", exhausted=True, reads=())
    return [[done(forged, put("k1"))], [done(forged, ranged(query))]]


def phantom_in_a_long_range(forged: Collusion) -> Blocks:
    """More than 50 results stand as a Merkle summary; one of its keys was written again."""
    keys = [f"k{at:03}" for at in range(70)]
    reads = [KvRead(key, Version(FIRST, 0)) for key in keys]
    summary = mvcc.summary(reads, 50)
    assert isinstance(summary, MerkleSummary)
    query = RangeQuery("k", "l", exhausted=True, merkle=summary)
    return [
        [done(forged, put(*keys))],
        [done(forged, put(keys[60]))],
        [done(forged, ranged(query))],
    ]


def hidden(*, read: Version | None = None, **written: HashedWrite) -> Namespace:
    reads = () if read is None else (HashedRead(hash_key("k"), read),)
    part = HashedCollection("readings", reads=reads, writes=tuple(written.values()))
    return Namespace(A, collections=(part,))


def stale_hashed_read(forged: Collusion) -> Blocks:
    value = HashedWrite.of("k", b"1")
    return [
        [done(forged, hidden(one=value))],
        [done(forged, hidden(one=value))],
        [done(forged, hidden(read=Version(FIRST, 0)))],
    ]


def read_of_what_was_purged(forged: Collusion) -> Blocks:
    return [
        [done(forged, hidden(one=HashedWrite.of("k", b"1")))],
        [done(forged, hidden(one=HashedWrite.of("k", b"", purge=True)))],
        [done(forged, hidden(read=Version(FIRST, 0)))],
    ]


def read_of_what_expired(forged: Collusion) -> Blocks:
    """A value that lives one block leaves with the second after the one it was written in."""
    return [
        [living(forged, 1)],
        [done(forged, hidden(one=HashedWrite.of("k", b"1")))],
        [done(forged, put("x"))],
        [done(forged, put("y"))],
        [done(forged, hidden(read=Version(FIRST + 1, 0)))],
    ]


def read_of_what_still_lives(forged: Collusion) -> Blocks:
    return [
        [living(forged, 1)],
        [done(forged, hidden(one=HashedWrite.of("k", b"1")))],
        [done(forged, put("x"))],
        [done(forged, hidden(read=Version(FIRST + 1, 0)))],
    ]


def living(forged: Collusion, blocks: int) -> bytes:
    """The collections' values live so many blocks from now on."""
    key = f"namespaces/fields/{A}/Collections"
    ledger = Ledger(ChannelConfig.from_block(forged.blocks[0]))
    for block in forged.blocks[:FIRST]:
        ledger.follow(block)
    state = StateData.FromString(ledger.world.value("_lifecycle", key) or b"")
    package = CollectionConfigPackage.FromString(state.Bytes)
    for each in package.config:
        each.static_collection_config.block_to_live = blocks
    state.Bytes = package.SerializeToString()
    changed = Namespace("_lifecycle", writes=(KvWrite.of(key, state.SerializeToString()),))
    return done(forged, changed, "DSO", "DistrictA", "DistrictB")


def policy_changed_in_the_block(forged: Collusion) -> Blocks:
    """Later writers of the key fail, whoever endorsed them."""
    both = ("DSO", "DistrictA", "DistrictB")
    return [[done(forged, put("k"))], [done(forged, locked("k")), done(forged, put("k"), *both)]]


def policy_kept_by_a_write(forged: Collusion) -> Blocks:
    """Its new value is DistrictB's to write as the old one was."""
    return [
        [done(forged, put("k"))],
        [done(forged, locked("k"))],
        [done(forged, put("k"), "DistrictB")],
        [done(forged, put("k"))],
    ]


def policy_dropped_by_a_deletion(forged: Collusion) -> Blocks:
    gone = Namespace(A, writes=(KvWrite.of("k", b""),))
    return [
        [done(forged, put("k"))],
        [done(forged, locked("k"))],
        [done(forged, gone, "DistrictB")],
        [done(forged, put("k"))],
    ]


def policy_of_a_missing_key(forged: Collusion) -> Blocks:
    """There is nothing to attach it to: the next writer needs what the chaincode asks."""
    return [[done(forged, locked("k"))], [done(forged, put("k"))]]


CASES: dict[str, tuple[Case, TxValidationCode.ValueType, TxValidationCode.ValueType]] = {
    "a stale read": (stale_read, CONFLICT, VALID),
    "a read of what the block wrote": (read_of_the_same_block, CONFLICT, VALID),
    "a phantom": (phantom, PHANTOM, VALID),
    "a phantom in a long range": (phantom_in_a_long_range, PHANTOM, VALID),
    "a stale hashed read": (stale_hashed_read, CONFLICT, VALID),
    "a read of what was purged": (read_of_what_was_purged, CONFLICT, VALID),
    "a read of what expired": (read_of_what_expired, CONFLICT, VALID),
    "a read of what still lives": (read_of_what_still_lives, VALID, CONFLICT),
    "a policy changed in the block": (policy_changed_in_the_block, REFUSED, VALID),
    "a policy kept by a write": (policy_kept_by_a_write, REFUSED, VALID),
    "a policy dropped by a deletion": (policy_dropped_by_a_deletion, VALID, REFUSED),
    "a policy of a missing key": (policy_of_a_missing_key, VALID, REFUSED),
}


@pytest.mark.fault(25)
@pytest.mark.parametrize("name", CASES)
def test_a_flag_that_fabric_would_not_set_is_named(
    forged: Collusion, tmp_path: Path, name: str
) -> None:
    case, right, claimed = CASES[name]
    blocks = forged.chained(FIRST, case(forged))
    last = blocks[-1]
    flags = last.metadata.metadata[wire_block.TRANSACTIONS_FILTER]
    assert flags[-1] == right
    last.metadata.metadata[wire_block.TRANSACTIONS_FILTER] = flags[:-1] + bytes([claimed])
    archive = by.archived(forged, tmp_path / "mutant", FIRST, blocks, ())
    with pytest.raises(VerificationError) as caught:
        verify(archive, scope=Scope(first=FIRST))
    place = (caught.value.check, caught.value.block, caught.value.transaction)
    assert place == ("validity flags", last.header.number, len(flags) - 1)
    assert f"redone it is {TxValidationCode.Name(right)}" in caught.value.text


def test_an_event_of_one_organisation_is_told_with_its_place(
    forged: Collusion, tmp_path: Path
) -> None:
    """Valid, for it writes what is that organisation's own; it proves nothing."""
    own = by.traced(A, [KvWrite.of("k", b"1")], "_implicit_org_DistrictBMSP")
    alone = forged.transaction(
        (own,), forged.peers("DistrictB"), forged.client("DistrictB"), event="certified"
    )
    archive = by.archived(forged, tmp_path / "one", FIRST, forged.chained(FIRST, [[alone]]), ())
    figures = verify(archive, scope=Scope(first=FIRST))
    assert (figures.events_of_one, figures.events_at) == (1, [f"block {FIRST}, transaction 0"])
