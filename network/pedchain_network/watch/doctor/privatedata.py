# SPDX-License-Identifier: Apache-2.0
"""Private data that members should hold and do not.

A peer that got no plaintext within a minute commits the block without it and asks for it later,
and no metric counts what is missing. Each member's peer is asked for its newest blocks with
private data; every hash on chain must have its plaintext there, unless it was purged since.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pedchain_fabric.wire.rwset import HashedWrite, Namespace, PrivateNamespace, hash_key, sha256
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn

CHECK = "private data"

Place = tuple[str, str]
"""A definition's name and a collection's."""


@dataclass(frozen=True, slots=True)
class Held:
    """A valid transaction's writes as one peer has them: hashes on chain, plaintext it holds."""

    block: int
    public: Sequence[Namespace]
    private: Sequence[PrivateNamespace]


@dataclass(frozen=True, slots=True)
class Gap:
    """A value a peer lacks."""

    block: int
    place: Place


def gaps(transactions: Sequence[Held], places: Collection[Place]) -> list[Gap]:
    """What is missing, in the order of blocks. `places` are those whose member the peer is."""
    return [
        Gap(each.block, place)
        for position, each in enumerate(transactions)
        for place, writes in _hashed(each.public).items()
        if place in places
        and _lacks(writes, _plain(each.private, place), place, transactions[position:])
    ]


def _lacks(
    writes: Sequence[HashedWrite],
    plain: Collection[tuple[bytes, bytes]],
    place: Place,
    later: Sequence[Held],
) -> bool:
    return any(
        not write.deletes
        and (write.key_hash, write.value_hash) not in plain
        and not _purged(write.key_hash, place, later)
        for write in writes
    )


def _purged(key_hash: bytes, place: Place, later: Sequence[Held]) -> bool:
    return any(
        write.is_purge and write.key_hash == key_hash
        for each in later
        for write in _hashed(each.public).get(place, ())
    )


def _hashed(namespaces: Iterable[Namespace]) -> Mapping[Place, Sequence[HashedWrite]]:
    return {
        (namespace.name, collection.name): collection.writes
        for namespace in namespaces
        for collection in namespace.collections
    }


def _plain(namespaces: Iterable[PrivateNamespace], place: Place) -> set[tuple[bytes, bytes]]:
    return {
        (hash_key(write.key), sha256(write.value))
        for namespace in namespaces
        for collection in namespace.collections
        if (namespace.name, collection.name) == place
        for write in collection.writes
    }


def judge(
    found: Mapping[str, Sequence[Gap]], blocks: Mapping[str, int], silent: Collection[str]
) -> list[Finding]:
    """By peer: gaps among the newest `blocks` looked at; `silent` peers could not be asked."""
    findings = [
        fail(
            CHECK,
            peer,
            f"lacks private data of {len(missing)} writes, the first in block {missing[0].block} "
            f"({'/'.join(missing[0].place)})",
            "it fetches them itself every minute while another member is up; else restore it",
        )
        for peer, missing in found.items()
        if missing
    ]
    findings += [
        warn(CHECK, peer, "could not be asked", f"ped-network logs {peer}") for peer in silent
    ]
    most = max(blocks.values(), default=0)
    what = f"{len(found)} peers hold all they should of the newest {most} blocks"
    return findings or [ok(CHECK, what)]
