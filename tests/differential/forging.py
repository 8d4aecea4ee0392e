# SPDX-License-Identifier: Apache-2.0
"""Read-write sets from data: whatever a dishonest majority of peers could sign.

A set is a list of namespaces: {"ns", "reads": [[key, version]], "ranges": [[start, end, exhausted,
[[key, version]] or null]], "writes": [[key, value or null]], "metadata": [[key, organizations]],
"private": [{"name", "reads", "writes", "metadata", "hash"}]}. A version is [block, tx] counted from
the sequence's first block, null (no value was there), or `now`: as it stands.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2 as kv
from fabric_protos.ledger.rwset.rwset_pb2 import (
    CollectionHashedReadWriteSet,
    NsReadWriteSet,
    TxReadWriteSet,
)

from tests.differential.chaincode import POLICY, policy

VersionOf = Callable[[str, str, Any], Awaitable[tuple[int, int] | None]]
"""The version a text means, for a namespace and a key."""


async def forge(spec: list[Any], version_of: VersionOf) -> bytes:
    """The bytes of a TxReadWriteSet, in the order the data has."""
    made = [await _namespace(each, version_of) for each in spec]
    return TxReadWriteSet(data_model=TxReadWriteSet.KV, ns_rwset=made).SerializeToString()


async def _namespace(spec: dict[str, Any], version_of: VersionOf) -> NsReadWriteSet:
    name = spec["ns"]
    rwset = kv.KVRWSet(
        reads=[
            await _read(name, key, version, version_of) for key, version in spec.get("reads", ())
        ],
        range_queries_info=[
            await _range(name, each, version_of) for each in spec.get("ranges", ())
        ],
        writes=[
            kv.KVWrite(key=key, value=(value or "").encode(), is_delete=value is None)
            for key, value in spec.get("writes", ())
        ],
        metadata_writes=[
            kv.KVMetadataWrite(key=key, entries=_entries(organizations))
            for key, organizations in spec.get("metadata", ())
        ],
    )
    return NsReadWriteSet(
        namespace=name,
        rwset=rwset.SerializeToString(),
        collection_hashed_rwset=[_collection(each) for each in spec.get("private", ())],
    )


async def _read(namespace: str, key: str, version: Any, version_of: VersionOf) -> kv.KVRead:
    found = await version_of(namespace, key, version)
    return kv.KVRead(key=key, version=_version(found))


def _version(found: tuple[int, int] | None) -> kv.Version | None:
    return None if found is None else kv.Version(block_num=found[0], tx_num=found[1])


async def _range(namespace: str, spec: list[Any], version_of: VersionOf) -> kv.RangeQueryInfo:
    start, end, exhausted, reads = spec
    query = kv.RangeQueryInfo(start_key=start, end_key=end, itr_exhausted=exhausted)
    if reads is not None:
        found = [await _read(namespace, key, version, version_of) for key, version in reads]
        query.raw_reads.CopyFrom(kv.QueryReads(kv_reads=found))
    return query


def _entries(organizations: list[str] | None) -> list[kv.KVMetadataEntry]:
    """A policy; none of them for null."""
    if organizations is None:
        return []
    return [kv.KVMetadataEntry(name=POLICY, value=policy(organizations))]


def _collection(spec: dict[str, Any]) -> CollectionHashedReadWriteSet:
    hashed = kv.HashedRWSet(
        hashed_reads=[
            kv.KVReadHash(key_hash=_hash(key), version=_version(version))
            for key, version in spec.get("reads", ())
        ],
        hashed_writes=[
            kv.KVWriteHash(
                key_hash=_hash(key),
                value_hash=b"" if value is None else _hash(value),
                is_delete=value is None,
            )
            for key, value in spec.get("writes", ())
        ],
        metadata_writes=[
            kv.KVMetadataWriteHash(key_hash=_hash(key), entries=_entries(organizations))
            for key, organizations in spec.get("metadata", ())
        ],
    )
    return CollectionHashedReadWriteSet(
        collection_name=spec["name"],
        hashed_rwset=hashed.SerializeToString(),
        pvt_rwset_hash=_hash(spec["hash"]) if "hash" in spec else b"",
    )


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
