# SPDX-License-Identifier: Apache-2.0
"""Goal: a member without the plaintext it should hold is found. Method: write sets by hand."""

from pedchain_fabric.wire.rwset import (
    HashedCollection,
    HashedWrite,
    KvWrite,
    Namespace,
    PrivateCollection,
    PrivateNamespace,
)
from pedchain_network.watch.doctor import privatedata
from pedchain_network.watch.doctor.finding import Severity
from pedchain_network.watch.doctor.privatedata import Gap, Held

PLACE = ("metering", "readings")


def public(*writes: HashedWrite) -> tuple[Namespace, ...]:
    return (Namespace(PLACE[0], collections=(HashedCollection(PLACE[1], writes=writes),)),)


def plain(*writes: KvWrite) -> tuple[PrivateNamespace, ...]:
    return (PrivateNamespace(PLACE[0], (PrivateCollection(PLACE[1], writes),)),)


WRITTEN = public(HashedWrite.of("k", b"v"))


def gaps(*held: Held, places: frozenset[tuple[str, str]] = frozenset({PLACE})) -> list[Gap]:
    return privatedata.gaps(held, places)


def test_plaintext_that_fits_the_hashes_is_no_gap() -> None:
    assert gaps(Held(3, WRITTEN, plain(KvWrite.of("k", b"v")))) == []


def test_missing_plaintext_is_a_gap() -> None:
    assert gaps(Held(3, WRITTEN, ())) == [Gap(3, PLACE)]


def test_another_plaintext_is_a_gap() -> None:
    assert gaps(Held(3, WRITTEN, plain(KvWrite.of("k", b"w")))) == [Gap(3, PLACE)]


def test_what_was_purged_since_is_no_gap() -> None:
    purged = Held(4, public(HashedWrite.of("k", b"", purge=True)), ())
    assert gaps(Held(3, WRITTEN, ()), purged) == []
    other = Held(4, public(HashedWrite.of("other", b"", purge=True)), ())
    assert gaps(Held(3, WRITTEN, ()), other) == [Gap(3, PLACE)]


def test_a_purge_before_the_write_excuses_nothing() -> None:
    purged = Held(2, public(HashedWrite.of("k", b"", purge=True)), ())
    assert gaps(purged, Held(3, WRITTEN, ())) == [Gap(3, PLACE)]


def test_a_deletion_needs_no_plaintext() -> None:
    assert gaps(Held(3, public(HashedWrite.of("k", b"")), ())) == []


def test_who_is_no_member_lacks_nothing() -> None:
    assert gaps(Held(3, WRITTEN, ()), places=frozenset()) == []


def test_the_peer_with_gaps_is_named_with_the_first() -> None:
    found = {"a": [Gap(3, PLACE), Gap(5, PLACE)], "b": []}
    [finding] = privatedata.judge(found, {"a": 9, "b": 9}, ())
    assert (finding.severity, finding.subject) == (Severity.FAIL, "a")
    assert "2 writes, the first in block 3 (metering/readings)" in finding.what
    assert finding.remedy


def test_no_gaps_are_well_and_a_silent_peer_is_named() -> None:
    [fine] = privatedata.judge({"a": []}, {"a": 9}, ())
    assert fine.severity is Severity.OK
    [silent] = privatedata.judge({"a": []}, {"a": 9}, ("b",))
    assert (silent.severity, silent.subject) == (Severity.WARN, "b")
