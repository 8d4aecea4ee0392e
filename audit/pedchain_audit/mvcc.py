# SPDX-License-Identifier: Apache-2.0
"""Step 5: was what a transaction had read still true when its turn came?

Reads, range queries and hashed reads are checked against the state before the block and against
the writes of earlier valid transactions of the same block (Fabric:
core/ledger/kvledger/txmgmt/validation/validator.go). Range queries with many results are recorded
as a Merkle summary, rebuilt here (rwsetutil/query_results_helper.go).
"""

import hashlib
from collections.abc import Iterable

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRead, QueryReads
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import Version as VersionMessage
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit.world import Place, World
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.rwset import KvRead, MerkleSummary, Namespace, RangeQuery, Version

VALID = TxValidationCode.VALID
CONFLICT = TxValidationCode.MVCC_READ_CONFLICT
PHANTOM = TxValidationCode.PHANTOM_READ_CONFLICT


def verdict(world: World, namespaces: tuple[Namespace, ...]) -> TxValidationCode.ValueType:
    """VALID, or the first conflict in Fabric's order of looking.

    `world` holds the earlier valid transactions of the block; what they wrote or deleted is in
    `world.touched`, and conflicts whatever version it has now.
    """
    for each in namespaces:
        if any(stale(world, (each.name, "", read.key), read.version) for read in each.reads):
            return CONFLICT
        if not all(unchanged(world, each.name, query) for query in each.range_queries):
            return PHANTOM
        for collection in each.collections:
            if any(
                stale(world, (each.name, collection.name, trace.key_hash), trace.version)
                for trace in collection.reads
            ):
                return CONFLICT
    return VALID


def stale(world: World, place: Place, seen: Version | None) -> bool:
    """The key was written since it was read."""
    namespace, collection, key = place
    return place in world.touched or world.version(namespace, key, collection) != seen


def unchanged(world: World, namespace: str, query: RangeQuery) -> bool:
    """The range, read again, gives what it gave."""
    found = [
        KvRead(key, cell.version)
        for key, cell in world.space(namespace).between(
            query.start_key, query.end_key, include_end=not query.exhausted
        )
    ]
    if query.merkle is not None:
        return summary(found, query.merkle.max_degree) == query.merkle
    return tuple(found) == (query.reads or ())


def summary(reads: Iterable[KvRead], degree: int) -> MerkleSummary | None:
    """The Merkle summary of range results; None while they are too few to be condensed."""
    levels: dict[int, list[bytes]] = {1: []}
    pending: list[KvRead] = []
    for read in reads:
        pending.append(read)
        if len(pending) > degree:
            add(levels, digest(pending), degree)
            pending = []
    if not levels[1] and len(levels) == 1:
        return None
    if pending:
        add(levels, digest(pending), degree)
    top = finish(levels, degree)
    return MerkleSummary(degree, top, tuple(levels[top]))


def digest(reads: list[KvRead]) -> bytes:
    """Hash of consecutive results: one leaf."""
    messages = [
        KVRead(
            key=read.key,
            version=None
            if read.version is None
            else VersionMessage(block_num=read.version.block, tx_num=read.version.tx),
        )
        for read in reads
    ]
    return hashlib.sha256(serialize(QueryReads(kv_reads=messages))).digest()


def add(levels: dict[int, list[bytes]], leaf: bytes, degree: int) -> None:
    """A new leaf; a level that exceeds the degree becomes one node of the level above."""
    level = 1
    levels.setdefault(level, []).append(leaf)
    while len(levels[level]) > degree:
        node = combined(levels[level])
        levels[level] = []
        level += 1
        levels.setdefault(level, []).append(node)


def finish(levels: dict[int, list[bytes]], degree: int) -> int:
    """Lifts what is left on lower levels to the highest one; returns that level."""
    top = max(levels)
    for level in range(1, top):
        rest, levels[level] = levels[level], []
        if rest:
            levels[level + 1].append(rest[0] if len(rest) == 1 else combined(rest))
    if len(levels[top]) > degree:
        levels[top + 1] = [combined(levels[top])]
        levels[top] = []
        top += 1
    return top


def combined(hashes: list[bytes]) -> bytes:
    return hashlib.sha256(b"".join(hashes)).digest()
