# SPDX-License-Identifier: Apache-2.0
"""The guards of orders: each reads the key that changes when what it stands for lapses."""

from typing import NamedTuple

from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.flexibility import keys
from pedchain_chaincode.settlement import guards as settlement
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.clock import now
from pedchain_chaincode.settlement.guards import Spending
from pedchain_fabric.shim import Refusal


class Order(NamedTuple):
    """An order as it stands, and the ledger's time."""

    document: Document
    now: int


async def account(book: Book, contract: str, action: str) -> Spending:
    """The signed debit of an account; see `settlement.guards.account`."""
    return await settlement.account(book, contract, action)


async def unissued(book: Book, identifier: str) -> None:
    """Refuse `already-registered` for an order that was issued."""
    if await load(book.stub, keys.order(book.stub, identifier)) is not None:
        raise Refusal("already-registered")


async def order(book: Book, identifier: str, *states: str) -> Order:
    """An order in one of these states; it changes with every step. Refuses `not-found`,
    `wrong-state`."""
    found = await load(book.stub, keys.order(book.stub, identifier))
    if found is None:
        raise Refusal("not-found", "order")
    if found["state"] not in states:
        raise Refusal("wrong-state", found["state"])
    return Order(found, await now(book.ctx, book.setup))
