# SPDX-License-Identifier: Apache-2.0
"""The guards of origin: each reads the key that changes when what it stands for lapses."""

from pedchain_chaincode import debits
from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.metering import days
from pedchain_chaincode.origin import keys
from pedchain_chaincode.origin.book import Book
from pedchain_fabric.shim import Context


async def closing(ctx: Context) -> Document:
    """Which days are closed by which run; a close in flight fails what rests on the day before."""
    return await days.closing(ctx)


async def issuing(ctx: Context) -> Document:
    """How far certificates are issued; of two steps in flight one fails, so none issues twice."""
    return await load(ctx.stub, keys.issuing(ctx.stub)) or {}


async def account(book: Book, name: str) -> Document:
    """The account that spends: its counter changes with each debit."""
    return await debits.account(book.vault, name)


async def holders(book: Book, site: str) -> Document:
    """Who holds what a site generates, since when."""
    return await book.vault.load("holders", site) or {"rows": []}


async def foreign(ctx: Context, registry: str) -> Document | None:
    """A foreign registry as known so far."""
    return await load(ctx.stub, keys.foreign(ctx.stub, registry))
