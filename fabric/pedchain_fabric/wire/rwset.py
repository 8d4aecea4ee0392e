# SPDX-License-Identifier: Apache-2.0
"""Read-write sets: what a simulated transaction read and would write.

Byte for byte as Fabric builds them (core/ledger/kvledger/txmgmt/rwsetutil). The private half
travels between collection members and never stands in a block. `encode` writes
what it is given in the order it is given; `ordered` puts public parts in Fabric's order. The
order of hashed entries is that of their plain keys, which only who knows them can establish.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2 as kv
from fabric_protos.ledger.rwset.rwset_pb2 import (
    CollectionHashedReadWriteSet,
    CollectionPvtReadWriteSet,
    NsPvtReadWriteSet,
    NsReadWriteSet,
    TxPvtReadWriteSet,
    TxReadWriteSet,
)

from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.rwsettypes import (
    Entries,
    HashedCollection,
    HashedMetadataWrite,
    HashedRead,
    HashedWrite,
    KvRead,
    KvWrite,
    MerkleSummary,
    MetadataWrite,
    Namespace,
    PrivateCollection,
    PrivateNamespace,
    RangeQuery,
    Version,
    hash_key,
    sha256,
)

__all__ = [
    "Entries",
    "HashedCollection",
    "HashedMetadataWrite",
    "HashedRead",
    "HashedWrite",
    "KvRead",
    "KvWrite",
    "MerkleSummary",
    "MetadataWrite",
    "Namespace",
    "PrivateCollection",
    "PrivateNamespace",
    "RangeQuery",
    "Version",
    "decode",
    "decode_collection",
    "decode_private",
    "encode",
    "encode_collection",
    "encode_private",
    "hash_key",
    "ordered",
    "private_hash",
    "sha256",
]


def ordered(namespaces: Iterable[Namespace]) -> tuple[Namespace, ...]:
    """The same, in Fabric's order: names and keys ascending, range queries as they were made.

    Hashed entries keep their order (see the module's text).
    """
    by_name, by_key = attrgetter("name"), attrgetter("key")
    return tuple(
        replace(
            each,
            reads=tuple(sorted(each.reads, key=by_key)),
            writes=tuple(sorted(each.writes, key=by_key)),
            metadata_writes=tuple(sorted(each.metadata_writes, key=by_key)),
            collections=tuple(sorted(each.collections, key=by_name)),
        )
        for each in sorted(namespaces, key=by_name)
    )


def decode(data: bytes) -> tuple[Namespace, ...]:
    """Read a `TxReadWriteSet`. Raises `WireError` (validation code BAD_RWSET)."""
    message = parse(TxReadWriteSet, data, code="BAD_RWSET")
    return tuple(_namespace(each) for each in message.ns_rwset)


def encode(namespaces: Sequence[Namespace]) -> bytes:
    """The `TxReadWriteSet`'s bytes, as Fabric writes them."""
    message = TxReadWriteSet(data_model=TxReadWriteSet.KV)
    for each in namespaces:
        public = kv.KVRWSet(
            reads=map(_read_message, each.reads),
            range_queries_info=map(_range_message, each.range_queries),
            writes=map(_write_message, each.writes),
            metadata_writes=map(_metadata_message, each.metadata_writes),
        )
        message.ns_rwset.add(
            namespace=each.name,
            rwset=serialize(public),
            collection_hashed_rwset=map(_collection_message, each.collections),
        )
    return serialize(message)


def decode_private(data: bytes) -> tuple[PrivateNamespace, ...]:
    """Read a `TxPvtReadWriteSet`. Raises `WireError`."""
    message = parse(TxPvtReadWriteSet, data)
    return tuple(
        PrivateNamespace(
            namespace.namespace,
            tuple(
                decode_collection(each.collection_name, each.rwset)
                for each in namespace.collection_pvt_rwset
            ),
        )
        for namespace in message.ns_pvt_rwset
    )


def encode_private(namespaces: Sequence[PrivateNamespace]) -> bytes:
    """The `TxPvtReadWriteSet`'s bytes, as Fabric writes them, in the order given."""
    message = TxPvtReadWriteSet(data_model=TxReadWriteSet.KV)
    for namespace in namespaces:
        collections = [
            CollectionPvtReadWriteSet(collection_name=each.name, rwset=encode_collection(each))
            for each in namespace.collections
        ]
        message.ns_pvt_rwset.append(
            NsPvtReadWriteSet(namespace=namespace.name, collection_pvt_rwset=collections)
        )
    return serialize(message)


def decode_collection(name: str, data: bytes) -> PrivateCollection:
    """Read one collection's `KVRWSet`. Raises `WireError`."""
    message = parse(kv.KVRWSet, data)
    return PrivateCollection(
        name,
        tuple(map(_write, message.writes)),
        tuple(map(_metadata_write, message.metadata_writes)),
    )


def encode_collection(collection: PrivateCollection) -> bytes:
    """One collection's `KVRWSet`: the bytes `private_hash` is computed from."""
    return serialize(
        kv.KVRWSet(
            writes=map(_write_message, collection.writes),
            metadata_writes=map(_metadata_message, collection.metadata_writes),
        )
    )


def private_hash(collection: PrivateCollection) -> bytes:
    """What the public set's `HashedCollection.private_hash` holds for it."""
    return sha256(encode_collection(collection))


def _namespace(message: NsReadWriteSet) -> Namespace:
    public = parse(kv.KVRWSet, message.rwset, code="BAD_RWSET")
    return Namespace(
        name=message.namespace,
        reads=tuple(map(_read, public.reads)),
        range_queries=tuple(map(_range, public.range_queries_info)),
        writes=tuple(map(_write, public.writes)),
        metadata_writes=tuple(map(_metadata_write, public.metadata_writes)),
        collections=tuple(map(_collection, message.collection_hashed_rwset)),
    )


def _version(message: kv.KVRead | kv.KVReadHash) -> Version | None:
    if not message.HasField("version"):
        return None
    return Version(message.version.block_num, message.version.tx_num)


def _version_message(version: Version | None) -> kv.Version | None:
    return None if version is None else kv.Version(block_num=version.block, tx_num=version.tx)


def _read(message: kv.KVRead) -> KvRead:
    return KvRead(message.key, _version(message))


def _read_message(read: KvRead) -> kv.KVRead:
    return kv.KVRead(key=read.key, version=_version_message(read.version))


def _write(message: kv.KVWrite) -> KvWrite:
    return KvWrite(message.key, message.value, message.is_delete)


def _write_message(written: KvWrite) -> kv.KVWrite:
    return kv.KVWrite(key=written.key, is_delete=written.is_delete, value=written.value)


def _entries(message: kv.KVMetadataWrite | kv.KVMetadataWriteHash) -> Entries:
    return tuple((entry.name, entry.value) for entry in message.entries)


def _entry_messages(entries: Entries) -> list[kv.KVMetadataEntry]:
    return [kv.KVMetadataEntry(name=name, value=value) for name, value in entries]


def _metadata_write(message: kv.KVMetadataWrite) -> MetadataWrite:
    return MetadataWrite(message.key, _entries(message))


def _metadata_message(written: MetadataWrite) -> kv.KVMetadataWrite:
    return kv.KVMetadataWrite(key=written.key, entries=_entry_messages(written.entries))


def _range(message: kv.RangeQueryInfo) -> RangeQuery:
    kind = message.WhichOneof("reads_info")
    condensed = message.reads_merkle_hashes
    return RangeQuery(
        message.start_key,
        message.end_key,
        message.itr_exhausted,
        tuple(map(_read, message.raw_reads.kv_reads)) if kind == "raw_reads" else None,
        MerkleSummary(condensed.max_degree, condensed.max_level, tuple(condensed.max_level_hashes))
        if kind == "reads_merkle_hashes"
        else None,
    )


def _range_message(query: RangeQuery) -> kv.RangeQueryInfo:
    message = kv.RangeQueryInfo(
        start_key=query.start_key, end_key=query.end_key, itr_exhausted=query.exhausted
    )
    if query.reads is not None:
        reads = kv.QueryReads(kv_reads=map(_read_message, query.reads))
        message.raw_reads.CopyFrom(reads)
    elif query.merkle is not None:
        message.reads_merkle_hashes.CopyFrom(
            kv.QueryReadsMerkleSummary(
                max_degree=query.merkle.max_degree,
                max_level=query.merkle.max_level,
                max_level_hashes=query.merkle.max_level_hashes,
            )
        )
    return message


def _collection(message: CollectionHashedReadWriteSet) -> HashedCollection:
    hashed = parse(kv.HashedRWSet, message.hashed_rwset, code="BAD_RWSET")
    return HashedCollection(
        name=message.collection_name,
        reads=tuple(HashedRead(each.key_hash, _version(each)) for each in hashed.hashed_reads),
        writes=tuple(
            HashedWrite(each.key_hash, each.value_hash, each.is_delete, each.is_purge)
            for each in hashed.hashed_writes
        ),
        metadata_writes=tuple(
            HashedMetadataWrite(each.key_hash, _entries(each)) for each in hashed.metadata_writes
        ),
        private_hash=message.pvt_rwset_hash,
    )


def _collection_message(collection: HashedCollection) -> CollectionHashedReadWriteSet:
    hashed = kv.HashedRWSet(
        hashed_reads=[
            kv.KVReadHash(key_hash=each.key_hash, version=_version_message(each.version))
            for each in collection.reads
        ],
        hashed_writes=[
            kv.KVWriteHash(
                key_hash=each.key_hash,
                is_delete=each.is_delete,
                value_hash=each.value_hash,
                is_purge=each.is_purge,
            )
            for each in collection.writes
        ],
        metadata_writes=[
            kv.KVMetadataWriteHash(key_hash=each.key_hash, entries=_entry_messages(each.entries))
            for each in collection.metadata_writes
        ],
    )
    return CollectionHashedReadWriteSet(
        collection_name=collection.name,
        hashed_rwset=serialize(hashed),
        pvt_rwset_hash=collection.private_hash,
    )
