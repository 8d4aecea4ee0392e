# SPDX-License-Identifier: Apache-2.0
"""A reader of events that may be killed at any moment: keeps each event and its checkpoint as one.

python -m tests.interop.reading PROFILE DATABASE chaincode|block START
"""

import asyncio
import sqlite3
import sys
from pathlib import Path

from pedchain_fabric.client import MemoryCheckpointer, Network, profile

SCHEMA = """
create table if not exists event (number integer primary key, said text);
create table if not exists place (only integer primary key, block integer, id text);
"""


def opened(path: Path) -> sqlite3.Connection:
    """What the reader keeps; whoever looks from outside finds whole events only."""
    kept = sqlite3.connect(path, isolation_level=None, timeout=30)
    kept.executescript("pragma journal_mode=wal; pragma synchronous=full;" + SCHEMA)
    return kept


def place(kept: sqlite3.Connection) -> MemoryCheckpointer | None:
    """Where the reader got to."""
    row = kept.execute("select block, id from place").fetchone()
    return MemoryCheckpointer(*row) if row else None


def keep(kept: sqlite3.Connection, said: str, done: MemoryCheckpointer) -> None:
    """The event and the new place, or neither."""
    kept.execute("begin immediate")
    kept.execute("insert into event (said) values (?)", (said,))
    kept.execute(
        "insert or replace into place values (1, ?, ?)", (done.block_number, done.transaction_id)
    )
    kept.execute("commit")


async def chaincode_events(network: Network, kept: sqlite3.Connection, start: int) -> None:
    async for event in network.chaincode_events("ours", start_block=start, checkpoint=place(kept)):
        done = MemoryCheckpointer()
        done.checkpoint_event(event)
        keep(kept, event.payload.decode(), done)


async def blocks(network: Network, kept: sqlite3.Connection, start: int) -> None:
    async for block in network.block_events(start_block=start, checkpoint=place(kept)):
        done = MemoryCheckpointer()
        done.checkpoint_block(block.header.number)
        keep(kept, str(block.header.number), done)


READERS = {"chaincode": chaincode_events, "block": blocks}


async def main() -> None:
    _, path, database, kind, start = sys.argv
    async with await profile.connect(path) as gateway:
        await READERS[kind](gateway.network("ped"), opened(Path(database)), int(start))


if __name__ == "__main__":
    asyncio.run(main())
