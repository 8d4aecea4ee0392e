# SPDX-License-Identifier: Apache-2.0
"""Views of one ledger held against each other: do organisations' peers show the same?

A block's header binds everything before it, a commit hash everything that came of it; so two views
agree up to a height if they agree there, and the first block they differ at is found by halving.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fabric_protos.common.ledger_pb2 import BlockchainInfo

from pedchain_audit.archive import Archive, read
from pedchain_audit.errors import ArchiveError
from pedchain_fabric.client import Gateway, profile
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire.messages import parse


@dataclass(frozen=True, slots=True)
class Head:
    """One view of a block: hashes, hex, of its header and of all that came of the ledger so far."""

    number: int
    header: str
    commit: str


class View(Protocol):
    """Somebody's view of the ledger."""

    @property
    def name(self) -> str:
        """Whose it is."""
        ...

    async def height(self) -> int:
        """How many blocks it has."""
        ...

    async def raw(self, number: int) -> bytes:
        """One block's bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Copy:
    """A copied ledger."""

    name: str
    archive: Archive

    async def height(self) -> int:
        return self.archive.height()

    async def raw(self, number: int) -> bytes:
        return read(self.archive.block_path(number))


@dataclass(frozen=True, slots=True)
class Peer:
    """An organisation's peer, asked through its profile."""

    name: str
    channel: str
    gateway: Gateway

    @classmethod
    async def open(cls, path: Path, user: str) -> "Peer":
        """Raises `FabricError`, or `OSError` where there is no such profile."""
        described = profile.load(path)
        gateway = await profile.connect(described, user=user)
        return cls(described.organization, described.channel, gateway)

    async def height(self) -> int:
        contract = self.gateway.network(self.channel).contract("qscc")
        return parse(BlockchainInfo, await contract.evaluate("GetChainInfo", self.channel)).height

    async def raw(self, number: int) -> bytes:
        contract = self.gateway.network(self.channel).contract("qscc")
        return await contract.evaluate("GetBlockByNumber", self.channel, str(number))


async def head(view: View, number: int) -> Head:
    """A view of one block. `ArchiveError` where it is none."""
    try:
        block = wire_block.parse_block(await view.raw(number))
        header = wire_block.header_hash(block.header)
        noted = wire_block.commit_hash(block)
    except WireError as error:
        raise ArchiveError(f"{view.name}: block {number} cannot be read: {error}") from error
    if block.header.number != number or block.header.data_hash != wire_block.data_hash(block.data):
        raise ArchiveError(f"{view.name}: what it shows as block {number} is not that block")
    return Head(number, header.hex(), noted.hex())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Heights by view; the last block all have, as each shows it; the first block two differ at."""

    heights: dict[str, int]
    heads: dict[str, Head]
    differs: int | None = None
    what: str = ""


async def compare(views: Sequence[View]) -> Comparison:
    """Holds views against each other at the last block that all have. `ArchiveError` if one is
    empty."""
    heights = {view.name: await view.height() for view in views}
    last = min(heights.values()) - 1
    if last < 0:
        raise ArchiveError("a view holds no blocks")
    heads = {view.name: await head(view, last) for view in views}
    first, others = views[0], views[1:]
    found: list[tuple[int, str]] = []
    for other in others:
        if heads[other.name] != heads[first.name]:
            at, what = await first_difference(first, other, last)
            found.append((at, f"{first.name} and {other.name} differ in the {what}"))
    if not found:
        return Comparison(heights, heads)
    differs, what = min(found)
    return Comparison(heights, heads, differs, what)


async def first_difference(one: View, other: View, last: int) -> tuple[int, str]:
    """The first block two views differ at, knowing that they do at `last`; and in what."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        if await head(one, middle) == await head(other, middle):
            low = middle + 1
        else:
            high = middle
    mine, theirs = await head(one, low), await head(other, low)
    return low, "block itself" if mine.header != theirs.header else "commit hash"


def told(found: Comparison) -> str:
    """A comparison in words."""
    lines = [f"{name}: {height} blocks" for name, height in found.heights.items()]
    lines += [
        f"{name}: block {each.number} header {each.header} commit {each.commit or 'not noted'}"
        for name, each in found.heads.items()
    ]
    if found.differs is not None:
        lines.append(f"block {found.differs}: {found.what}")
    return "\n".join(lines)
