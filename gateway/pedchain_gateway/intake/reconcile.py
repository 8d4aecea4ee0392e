# SPDX-License-Identifier: Apache-2.0
"""Finding out what became of transactions whose outcome this gateway never heard.

A gateway may end between sending a transaction and learning its outcome; the index knows the
transaction's id, the ledger knows the rest. A transaction the ledger has not seen for a while may
be sent again under a new id: should the first still come, the fold counts it as a duplicate, and
sealing the period makes it invalid for good.
"""

import asyncio
import time
from collections.abc import Callable

from pedchain_gateway import limits
from pedchain_gateway.intake.decision import Ask
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.submission import record_result
from pedchain_gateway.ledger.port import VALID, Committed, Ledger, Unavailable


class Reconciler:
    """Asks the ledger about transactions, one question at a time for each."""

    def __init__(
        self,
        ledger: Ledger,
        index: Index,
        clock: Callable[[], float] = time.time,
        resubmit_s: float | None = None,
    ) -> None:
        """`resubmit_s` replaces how long a transaction may stay unseen before it is sent again."""
        self._ledger = ledger
        self._index = index
        self._clock = clock
        self._resubmit_s = resubmit_s
        self._asking: dict[str, asyncio.Lock] = {}

    async def resolve(self, ask: Ask) -> bool:
        """Settle the index by what the ledger says; False if that is still unknown.

        Raises `Unavailable`.
        """
        lock = self._asking.setdefault(ask.transaction, asyncio.Lock())
        try:
            async with lock:
                if not self._index.of_transaction(ask.transaction):
                    return True
                return await self._ask(ask)
        finally:
            if not lock.locked():
                self._asking.pop(ask.transaction, None)

    async def settle_open(self) -> dict[str, bool]:
        """Ask for every outcome an earlier process did not hear of; whether each is settled."""
        settled = {}
        for transaction in self._index.open_transactions():
            try:
                settled[transaction] = await self.resolve(Ask(transaction, self._clock()))
            except Unavailable:
                settled[transaction] = False
        return settled

    async def _ask(self, ask: Ask) -> bool:
        outcome = await self._ledger.outcome(ask.transaction)
        if outcome is None:
            if self._clock() - ask.at < (self._resubmit_s or limits.UNKNOWN_RESUBMIT_S):
                return False
            self._index.drop(ask.transaction)
        elif outcome.code == VALID:
            record_result(
                self._index, Committed(outcome.transaction, outcome.result), self._clock()
            )
            # What this gateway cannot read of a valid answer stays open, and is not sent again.
            return not self._index.of_transaction(ask.transaction)
        else:
            self._index.drop(ask.transaction)
        return True
