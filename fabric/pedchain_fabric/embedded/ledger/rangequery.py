# SPDX-License-Identifier: Apache-2.0
"""What a range query read, in the form a read set records it.

Up to `degree` results stand as they are. More are hashed in groups of degree + 1, the hashes
again in groups of degree + 1, until at most `degree` hashes are left
(Fabric rwsetutil/query_results_helper.go).
"""

from hashlib import sha256

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2 as kv

from pedchain_fabric.embedded.ledger.limits import MERKLE_DEGREE
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.rwset import KvRead, MerkleSummary


class RangeReads:
    """Collects the results of one range query, in order."""

    def __init__(self, degree: int = MERKLE_DEGREE) -> None:
        self._degree = degree
        self._pending: list[KvRead] = []
        self._levels: list[list[bytes]] = []

    def add(self, read: KvRead) -> None:
        """The next result."""
        self._pending.append(read)
        if len(self._pending) > self._degree:
            self._hash_pending()

    def _hash_pending(self) -> None:
        self._raise(0, _hash_reads(self._pending))
        self._pending = []

    def _raise(self, level: int, digest: bytes) -> None:
        """Put a hash on a level; a level of more than `degree` becomes one hash above."""
        if level == len(self._levels):
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(digest)
        if len(hashes) > self._degree:
            combined = sha256(b"".join(hashes)).digest()
            self._levels[level] = []
            self._raise(level + 1, combined)

    def result(self) -> tuple[tuple[KvRead, ...] | None, MerkleSummary | None]:
        """All results as they are, or their summary, or neither if there were none."""
        if not self._levels:
            return tuple(self._pending) or None, None
        if self._pending:
            self._hash_pending()
        top = len(self._levels)
        for level in range(top - 1):
            self._fold(level)
        if len(self._levels[top - 1]) > self._degree:
            self._levels.append([sha256(b"".join(self._levels[top - 1])).digest()])
        hashes = tuple(self._levels[-1])
        return None, MerkleSummary(self._degree, len(self._levels), hashes)

    def _fold(self, level: int) -> None:
        """What is left on a lower level becomes one more hash above it."""
        hashes = self._levels[level]
        if hashes:
            alone = hashes[0] if len(hashes) == 1 else sha256(b"".join(hashes)).digest()
            self._levels[level + 1].append(alone)
            self._levels[level] = []


def _hash_reads(reads: list[KvRead]) -> bytes:
    messages = [
        kv.KVRead(key=key, version=kv.Version(block_num=version.block, tx_num=version.tx))
        for key, version in ((read.key, read.version) for read in reads)
        if version is not None  # what a range returns has a version
    ]
    return sha256(serialize(kv.QueryReads(kv_reads=messages))).digest()
