# SPDX-License-Identifier: Apache-2.0
"""The chain: blocks by number, hash and transaction (Fabric common/ledger/blkstorage)."""

import sqlite3
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.wire.block import header_hash


@dataclass(frozen=True, slots=True)
class ChainInfo:
    """The chain's end: number of blocks, hash of the last header, hash of the one before."""

    height: int
    current_hash: bytes
    previous_hash: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a transaction stands and what became of it (`peer.TxValidationCode`)."""

    block: int
    position: int
    code: int


class BlockStore:
    """Committed blocks, as stored: with validation flags and commit hash."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._info = self._read_info()

    def _read_info(self) -> ChainInfo:
        last = self._connection.execute("SELECT MAX(number) FROM block").fetchone()[0]
        block = None if last is None else self.block(last)
        if block is None:
            return ChainInfo(0, b"", b"")
        return _info(block)

    @property
    def info(self) -> ChainInfo:
        """The chain's end."""
        return self._info

    @property
    def height(self) -> int:
        """Number of blocks."""
        return self._info.height

    def write(self, block: Block, transaction_ids: list[str], codes: bytes) -> None:
        """Append a block, inside the caller's database transaction; then call `advance`."""
        number = block.header.number
        self._connection.execute(
            "INSERT INTO block (number, hash, bytes) VALUES (?, ?, ?)",
            (number, header_hash(block.header), block.SerializeToString()),
        )
        # A transaction id may stand in several blocks; the first counts (blockindex.go).
        self._connection.executemany(
            "INSERT INTO tx (id, block, position, code) VALUES (?, ?, ?, ?)",
            [
                (name, number, position, code)
                for position, (name, code) in enumerate(zip(transaction_ids, codes, strict=True))
            ],
        )

    def note_config(self, number: int) -> None:
        """The block with this number holds the configuration in force after it."""
        self._connection.execute(
            "INSERT INTO fact (name, value) VALUES ('config', ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (number,),
        )

    @property
    def config_block(self) -> int:
        """The number of the block with the configuration in force; 0 before genesis."""
        row = self._connection.execute("SELECT value FROM fact WHERE name = 'config'").fetchone()
        return 0 if row is None else int(row[0])

    def advance(self, block: Block) -> None:
        """The block written last is durable."""
        self._info = _info(block)

    def block(self, number: int) -> Block | None:
        """The block with this number, None if there is none yet."""
        return self._one("SELECT bytes FROM block WHERE number = ?", number)

    def by_hash(self, digest: bytes) -> Block | None:
        """The block whose header has this hash."""
        return self._one("SELECT bytes FROM block WHERE hash = ?", digest)

    def _one(self, query: str, value: int | bytes) -> Block | None:
        row = self._connection.execute(query, (value,)).fetchone()
        return None if row is None else Block.FromString(row[0])

    def place(self, transaction_id: str) -> Place | None:
        """Where the transaction stands; invalid ones count too."""
        row = self._connection.execute(
            "SELECT block, position, code FROM tx WHERE id = ? ORDER BY block, position LIMIT 1",
            (transaction_id,),
        ).fetchone()
        return None if row is None else Place(*row)


def _info(block: Block) -> ChainInfo:
    header = block.header
    return ChainInfo(header.number + 1, header_hash(header), header.previous_hash)
