# SPDX-License-Identifier: Apache-2.0
"""Write sets that no simulation makes: a key twice, metadata changed and removed at once.

What Fabric makes of them follows from flags it adds up (txmgmt/validation/tx_ops.go).
"""

from pedchain_fabric.embedded.ledger import keymetadata
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import KvWrite, MetadataWrite, Namespace
from tests.unit.fabric.embedded_ledger.consortium import Consortium

POLICY = ((keymetadata.POLICY, b"some policy"),)


def write(
    consortium: Consortium, *writes: KvWrite, metadata: tuple[MetadataWrite, ...] = ()
) -> None:
    """A valid transaction of exactly these writes to `open`."""
    forged = rwset.encode([Namespace("open", writes=writes, metadata_writes=metadata)])
    assert consortium.commit(consortium.endorse("open", forged, ["DSO"])) == ["VALID"]


def state(consortium: Consortium) -> tuple[bytes | None, dict[str, bytes]]:
    """Value and metadata of the key."""
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        return simulator.get_state("open", "k"), simulator.get_metadata("open", "k")


def test_removing_metadata_does_not_undo_a_change_beside_it(consortium: Consortium) -> None:
    write(consortium, KvWrite.of("k", b"1"))
    write(consortium, metadata=(MetadataWrite("k", POLICY), MetadataWrite("k", ())))
    assert state(consortium) == (b"1", dict(POLICY))


def test_a_key_set_twice_keeps_its_old_value_and_loses_its_metadata(
    consortium: Consortium,
) -> None:
    write(consortium, KvWrite.of("k", b"1"))
    write(consortium, metadata=(MetadataWrite("k", (("other", b"kept"),)),))
    write(consortium, KvWrite.of("k", b"2"), KvWrite.of("k", b"3"))
    assert state(consortium) == (b"1", {})


def test_a_new_key_set_twice_is_not_there(consortium: Consortium) -> None:
    write(consortium, KvWrite.of("k", b"2"), KvWrite.of("k", b"3"))
    assert state(consortium) == (None, {})


def test_a_deletion_wins_over_a_new_value(consortium: Consortium) -> None:
    write(consortium, KvWrite.of("k", b"1"))
    write(consortium, KvWrite.of("k", b"2"), KvWrite.of("k", b""))
    assert state(consortium) == (None, {})
