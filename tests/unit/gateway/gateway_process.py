# SPDX-License-Identifier: Apache-2.0
"""A gateway as a process of its own, on a ledger in a file: for tests that kill it.

python gateway_process.py FOLDER PORT
"""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import uvicorn

from pedchain_domain import batch
from pedchain_gateway import limits
from pedchain_gateway.config import Config
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.spool import Spool, keep_sending
from pedchain_gateway.ledger.port import VALID, Announce, Committed, Event, Outcome
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import assemble


class FileLedger:
    """Every batch is a transaction in a database: what is committed outlives the gateway."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS tx (id TEXT PRIMARY KEY, records, result)")

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        assert function == "GetFence"
        return b'{"period":1,"shards":1}'

    async def submit(
        self,
        definition: str,
        function: str,
        *arguments: str,
        transient: Mapping[str, bytes] | None = None,
        announce: Announce | None = None,
    ) -> Committed:
        assert transient is not None
        assert announce is not None
        records = batch.decode(transient["records"])
        transaction = transient["salt"].hex() * 2
        await asyncio.sleep(0.005)
        announce(transaction)
        await asyncio.sleep(0.005)
        result = bytes(len(records))
        self._db.execute(
            "INSERT INTO tx VALUES (?, ?, ?)", (transaction, b"\n".join(records), result)
        )
        await asyncio.sleep(0.005)
        return Committed(transaction, result)

    async def outcome(self, transaction: str) -> Outcome | None:
        row = self._db.execute("SELECT result FROM tx WHERE id = ?", (transaction,)).fetchone()
        return None if row is None else Outcome(transaction, VALID, row[0])

    async def height(self) -> int:
        return 1

    async def block(self, number: int) -> bytes:
        raise AssertionError("nobody asks for it here")

    async def block_of(self, transaction: str) -> bytes | None:
        raise AssertionError("nobody asks for it here")

    def events(self, definition: str, after: tuple[int, str] | None) -> AsyncIterator[Event]:
        raise AssertionError("nobody asks for it here")


async def serve(folder: Path, port: int) -> None:
    limits.UNKNOWN_RESUBMIT_S = 0.2
    config = Config.model_validate(
        {"profile": folder / "none", "state": folder, "districts": {"DistrictA": {}}}
    )
    spool = Spool(folder / "spool")
    ledger = FileLedger(folder / "ledger.sqlite")
    services = assemble(config, ledger, Index(folder / "index"), spool=spool)

    async def beside() -> None:
        await services.reconciler.settle_open()
        await keep_sending(spool, services.intake, "DistrictA")

    server = uvicorn.Config(
        create(services, beside), port=port, log_config=None, access_log=False, lifespan="on"
    )
    await uvicorn.Server(server).serve()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
