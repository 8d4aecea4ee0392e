# SPDX-License-Identifier: Apache-2.0
"""A ledger as a folder: raw blocks as a peer delivered them, and the private data it may show.

    genesis.block        the channel's first block, from a source the auditor trusts
    blocks/00000042      one block's bytes
    private/00000042     private values of that block (BlockAndPrivateData without its block)

The genesis block is the anchor of trust: whoever runs the audit brings it, the peer does not.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fabric_protos.peer import events_pb2
from google.protobuf.message import DecodeError

from pedchain_audit.errors import ArchiveError

#: Fabric's own ceiling of a message, and so of a block.
BLOCK_BYTES_MAX = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Archive:
    """A folder of raw blocks; reading never changes it."""

    folder: Path

    @property
    def genesis(self) -> bytes:
        """The anchor: bytes of the genesis block. ArchiveError where there is none."""
        return read(self.folder / "genesis.block")

    def height(self) -> int:
        """Number of consecutive blocks held, from block 0."""
        held = self._names("blocks")
        return next((n for n in range(len(held)) if f"{n:08}" not in held), len(held))

    def with_private(self) -> list[int]:
        """Numbers of the blocks with private data here, ascending."""
        return sorted(int(name) for name in self._names("private") if name.isdecimal())

    def _names(self, kind: str) -> frozenset[str]:
        try:
            return frozenset(os.listdir(self.folder / kind))
        except OSError:
            return frozenset()

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Blocks in order of their numbers, bytes as delivered."""
        for number in range(self.height()):
            yield number, read(self.block_path(number))

    def private(self, number: int) -> events_pb2.BlockAndPrivateData:
        """Private read-write sets by the transaction's position; empty where none is held."""
        path = self.folder / "private" / f"{number:08}"
        try:
            raw = path.read_bytes() if path.stat().st_size <= BLOCK_BYTES_MAX else read(path)
        except FileNotFoundError:
            return events_pb2.BlockAndPrivateData()
        except OSError as error:
            raise ArchiveError(f"{path.name} cannot be read: {error.strerror}") from error
        try:
            return events_pb2.BlockAndPrivateData.FromString(raw)
        except DecodeError as error:
            raise ArchiveError(f"{path.name}: private data cannot be decoded") from error

    def block_path(self, number: int) -> Path:
        return self.folder / "blocks" / f"{number:08}"

    def write_genesis(self, block: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "genesis.block").write_bytes(block)

    def write(self, number: int, block: bytes, private: bytes = b"") -> None:
        """Adds one block; private data only where there is any."""
        path = self.block_path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(block)
        if private:
            beside = self.folder / "private" / path.name
            beside.parent.mkdir(exist_ok=True)
            beside.write_bytes(private)


def read(path: Path) -> bytes:
    """A file's bytes within the ceiling; ArchiveError where it is missing or beyond it."""
    try:
        if path.stat().st_size > BLOCK_BYTES_MAX:
            raise ArchiveError(f"{path.name} is larger than any block can be")
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path.name} cannot be read: {error.strerror}") from error
