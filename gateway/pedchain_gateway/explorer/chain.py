# SPDX-License-Identifier: Apache-2.0
"""Blocks of our own peer by number and by transaction, the newest few remembered."""

from collections import OrderedDict

from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger


class Chain:
    """Reads blocks. Methods raise `Unavailable`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: OrderedDict[int, bytes] = OrderedDict()

    async def height(self) -> int:
        """The number of blocks."""
        return await self._ledger.height()

    async def block(self, number: int) -> bytes | None:
        """A block as the peer keeps it; None where there is none (yet)."""
        if number not in self._known:
            if not 0 <= number < await self.height():
                return None
            self._known[number] = await self._ledger.block(number)
            if len(self._known) > limits.BLOCKS_REMEMBERED:
                self._known.popitem(last=False)
        return self._known[number]

    async def of_transaction(self, transaction: str) -> bytes | None:
        """The block that holds a transaction, valid or not."""
        return await self._ledger.block_of(transaction)
