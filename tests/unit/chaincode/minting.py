# SPDX-License-Identifier: Apache-2.0
"""A contract of the tests beside the tokens: it mints energy without an order."""

from pedchain_chaincode.settlement import guards, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_fabric.shim import Context, Contract, submit


class MintingContract(Contract):
    """Energy tokens out of nothing."""

    name = "minting"

    @submit
    async def mint(self, ctx: Context, account: str, token: str, amount: int) -> None:
        """Credit an account and count it into the supply."""
        book = await Book.open(ctx, await guards.setup(ctx))
        await rows.give(book, account, int(token, 16), amount)
        await rows.supplied(book, int(token, 16), amount)
