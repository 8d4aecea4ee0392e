# SPDX-License-Identifier: Apache-2.0
"""Simulating again what real peers endorsed gives the same read-write sets, byte for byte."""

import tarfile
from collections.abc import Iterator

from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.embedded.ledger import NAMESPACE, Ledger, Simulator, field_key
from pedchain_fabric.embedded.ledger.outcome import claimed_id
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import HashedCollection, Namespace, PrivateCollection, hash_key
from pedchain_fabric.wire.transaction import TransactionParts, parse_envelope
from tests.unit.fabric.embedded_ledger.test_golden import RECORDING, place, stripped

DEFINED = [
    f"{name}#{sequence}"
    for name in ("registry", "metering-DistrictA", "metering-DistrictB")
    for sequence in (1, 2)
]
LIFECYCLE = [
    key
    for name in DEFINED
    for key in (
        f"namespaces/metadata/{name}",
        f"namespaces/fields/{name}/EndorsementInfo",
        f"namespaces/fields/{name}/ValidationInfo",
        f"namespaces/fields/{name}/Collections",
        f"chaincode-sources/metadata/{name}",
        f"chaincode-sources/fields/{name}/PackageID",
    )
]
KEYS = [
    *LIFECYCLE,
    "x",
    "y",
    "z",
    "w",
    "i",
    "held",
    "s1",
    "s2",
    "keep",
    *(f"n{n}" for n in range(8)),
]


def repeat(simulator: Simulator, parts: TransactionParts, private: bytes) -> None:
    """Do again what the read-write sets say was done."""
    plain = {
        (namespace.name, collection.name): collection
        for namespace in rwset.decode_private(private)
        for collection in namespace.collections
    }
    if parts.chaincode_name != NAMESPACE:  # what the endorser itself reads
        simulator.get_state(NAMESPACE, field_key("namespaces", parts.chaincode_name, "Sequence"))
    for namespace in rwset.decode(parts.results):
        if namespace.name == NAMESPACE != parts.chaincode_name:
            for read in namespace.reads:  # that of a called chaincode
                if read.key.endswith("/Sequence"):
                    simulator.get_state(NAMESPACE, read.key)
            continue
        repeat_public(simulator, namespace)
        for collection in namespace.collections:
            own = plain.get((namespace.name, collection.name), PrivateCollection(collection.name))
            repeat_private(simulator, namespace.name, collection, own)


def repeat_public(simulator: Simulator, namespace: Namespace) -> None:
    for query in namespace.range_queries:
        repeat_range(simulator, namespace, query.start_key)
    for read in namespace.reads:
        simulator.get_state(namespace.name, read.key)
    for write in namespace.writes:
        simulator.put_state(namespace.name, write.key, write.value)
    for marked in namespace.metadata_writes:
        simulator.put_metadata(namespace.name, marked.key, dict(marked.entries))


def repeat_range(simulator: Simulator, namespace: Namespace, start: str) -> None:
    (query,) = [each for each in namespace.range_queries if each.start_key == start]
    if query.exhausted:
        list(simulator.range(namespace.name, start, query.end_key))
    else:
        found = simulator.range(namespace.name, start, "")
        while next(found).key != query.end_key:
            pass


def repeat_private(
    simulator: Simulator, namespace: str, collection: HashedCollection, own: PrivateCollection
) -> None:
    known = {hash_key(key): key for key in KEYS + [write.key for write in own.writes]}
    known |= {hash_key(each.key): each.key for each in own.metadata_writes}
    name = collection.name
    for read in collection.reads:
        simulator.get_private_hash(namespace, name, known[read.key_hash])
    purged = {write.key_hash for write in collection.writes if write.is_purge}
    for write in own.writes:
        if hash_key(write.key) in purged:
            simulator.purge_private(namespace, name, write.key)
        else:
            simulator.put_private(namespace, name, write.key, write.value)
    for marked in collection.metadata_writes:
        key = known[marked.key_hash]
        simulator.put_private_metadata(namespace, name, key, dict(marked.entries))


def recorded() -> Iterator[tuple[Block, dict[int, bytes]]]:
    """Blocks with the private write sets of their transactions."""
    with tarfile.open(RECORDING) as archive:
        found = {member.name: archive.extractfile(member) for member in archive}
        files = {name: file.read() for name, file in found.items() if file is not None}
    for name in sorted(name for name in files if name.startswith("blocks/")):
        block = Block.FromString(files[name])
        offered = {
            place(each)[1]: data
            for each, data in files.items()
            if each.startswith("offered/") and place(each)[0] == block.header.number
        }
        yield block, offered


def test_a_transaction_simulated_again_has_the_same_read_write_set() -> None:
    ledger, same, condensed, private = Ledger.open(None), 0, 0, 0
    for block, offered in recorded():
        if block.header.number == 0:
            ledger.append_genesis(block)
            continue
        flags = block.metadata.metadata[2]
        for index, raw in enumerate(block.data.data):
            parts = parse_envelope(raw)
            if flags[index] or not parts.results:
                continue  # endorsed against an older state
            with ledger.simulator(parts.transaction_id, "DSOMSP") as simulator:
                repeat(simulator, parts, offered.get(index, b""))
                results = simulator.finish()
            assert results.public == parts.results, (block.header.number, index)
            assert (results.private or b"") == offered.get(index, b"")
            same += 1
            condensed += any(q.merkle for n in rwset.decode(parts.results) for q in n.range_queries)
            private += results.private is not None
        for index, data in offered.items():
            ledger.transient.put(claimed_id(block.data.data[index]), data)
        ledger.commit(stripped(block))
    assert (same, condensed, private) >= (80, 2, 15)
    ledger.close()
