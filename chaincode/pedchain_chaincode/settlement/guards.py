# SPDX-License-Identifier: Apache-2.0
"""The guards of settlement: each reads the key that changes when what it stands for lapses."""

from collections.abc import Sequence
from dataclasses import dataclass

from pedchain_chaincode import debits
from pedchain_chaincode.documents import Document, load, load_many
from pedchain_chaincode.settlement import keys
from pedchain_chaincode.settlement import setup as agreed
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.setup import Setup
from pedchain_domain.debit import Debit, Signed
from pedchain_fabric.shim import Context, Refusal


@dataclass(frozen=True, slots=True)
class Spending:
    """A debit that its account's key signed, not yet carried out."""

    book: Book
    holder: Document
    debit: Debit
    signed: Signed

    async def done(self, **changes: object) -> None:
        """Write the account with its counter raised, and keep the debit for the auditor."""
        fresh = self.book.fresh("account", self.debit.account)
        await debits.spend(self.book, self.holder, fresh, **changes)
        salt = debits.salt(self.book.ctx)
        period = str(self.book.setup.period)
        await debits.keep(self.book.stub, keys.COLLECTION, salt, self.signed, period)


async def permitted(ctx: Context, action: str) -> Setup:
    """What is agreed, if the client may take this action, a submit method's name."""
    found = await setup(ctx)
    agreed.require(ctx, found, action)
    return found


async def opened(ctx: Context, action: str) -> Book:
    """The book for a client that may take this action."""
    return await Book.open(ctx, await permitted(ctx, action))


async def setup(ctx: Context) -> Setup:
    """What is agreed; it changes with the clearing operator's key."""
    document = await load(ctx.stub, keys.setup(ctx.stub))
    if document is None:
        raise Refusal("not-begun")
    return agreed.read(document)


async def begun(ctx: Context) -> Document | None:
    """The setup as it stands, if any; of two beginnings in flight one fails."""
    return await load(ctx.stub, keys.setup(ctx.stub))


async def account(book: Book, contract: str, action: str) -> Spending:
    """The debit in the transient map, if it is this action and its account's next; the counter
    changes with each debit. Refuses `unknown-action` and the reasons of `debit.check`."""
    signed = debits.received(book.ctx)
    if signed.debit.action != action:
        raise Refusal("unknown-action")
    holder = await debits.account(book, signed.debit.account)
    found = debits.verified(signed, holder, book.domain(contract))
    return Spending(book, holder, found, signed)


async def unregistered(book: Book, name: str) -> Document | None:
    """The account of a name, if it was registered; of two registrations in flight one fails."""
    return await book.load("account", name)


async def receipt(book: Book, identifier: str) -> None:
    """Refuse a receipt that money was minted for: it is written with the money."""
    if await book.load("receipt", identifier) is not None:
        raise Refusal("already-registered", "receipt")


async def tick(ctx: Context, organization: str) -> int:
    """An organisation's newest tick; of two in flight one fails."""
    document = await load(ctx.stub, keys.tick(ctx.stub, organization))
    return 0 if document is None else int(document["at"])


async def ticks(ctx: Context, organizations: Sequence[str]) -> dict[str, int]:
    """Every organisation's newest tick: whoever relies on the clock reads what makes it."""
    wanted = [keys.tick(ctx.stub, name) for name in organizations]
    found = await load_many(ctx.stub, wanted)
    return {
        name: int(document["at"])
        for name, document in zip(organizations, found, strict=True)
        if document is not None
    }


async def zone(ctx: Context, number: int) -> Document | None:
    """A zone as admitted."""
    return await load(ctx.stub, keys.zone(ctx.stub, number))


async def calendar(ctx: Context) -> Document | None:
    """The market days as published so far."""
    return await load(ctx.stub, keys.calendar(ctx.stub))


async def tables(ctx: Context, carrier: str) -> list[Document]:
    """The reference prices in force; of two that replace them one fails."""
    found = await load(ctx.stub, keys.reference(ctx.stub, carrier))
    return [] if found is None else list(found["tables"])


async def proposed(ctx: Context, carrier: str) -> Document:
    """The reference prices that wait; of an approval and another proposal in flight one fails."""
    found = await load(ctx.stub, keys.proposed(ctx.stub, carrier))
    if found is None:
        raise Refusal("not-found")
    return found


async def unopened(ctx: Context, session_id: str) -> None:
    """Refuse `already-registered` for a session that was opened."""
    if await load(ctx.stub, keys.session(ctx.stub, session_id)) is not None:
        raise Refusal("already-registered")


async def session(ctx: Context, session_id: str) -> Document:
    """A session as it stands; it changes with every step."""
    found = await load(ctx.stub, keys.session(ctx.stub, session_id))
    if found is None:
        raise Refusal("unknown-session")
    return found


async def sessions(ctx: Context, session_ids: Sequence[str]) -> dict[str, Document]:
    """Sessions as they stand: closing one fails every order in flight for it."""
    wanted = [keys.session(ctx.stub, name) for name in session_ids]
    found = await load_many(ctx.stub, wanted)
    if any(document is None for document in found):
        raise Refusal("unknown-session")
    return {document["id"]: document for document in found if document is not None}


async def limit(ctx: Context, session_id: str) -> Document | None:
    """The limit published for a session, if any; it does not change past the gate."""
    return await load(ctx.stub, keys.limit(ctx.stub, session_id))


async def community(book: Book, identifier: str) -> Document | None:
    """A community as founded; of two foundings in flight one fails."""
    return await book.load("community", identifier)


async def unshared(book: Book, identifier: str, hour: int) -> None:
    """Refuse `already-registered` for an hour that was shared."""
    if await book.load("shared", identifier, hour) is not None:
        raise Refusal("already-registered")


async def shared(book: Book, identifier: str, hour: int) -> Document:
    """A shared hour; what was corrected of it is read too, so of two corrections one fails."""
    found, _ = await book.load_many(
        [("shared", identifier, hour), ("correction", identifier, hour)]
    )
    if found is None:
        raise Refusal("not-found")
    return found
