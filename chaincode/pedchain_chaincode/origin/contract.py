# SPDX-License-Identifier: Apache-2.0
"""Contract `origin`, beside `metering` in the same definition: granular certificates (rules G).

`OpenAccount` once per account; `IssueDay(day)` until `done`, day after day once run F has closed
it; `FollowDay(day, cell)` once the day is settled and shared; then `Debit`: whatever an owner gives
away, signed by the account's key. What names an account, a site or an amount comes in the transient
map and stays in the collection; every transaction brings `salt` (16 bytes). Responses hold
nothing.
"""

from typing import Any

from pedchain_chaincode import debits
from pedchain_chaincode.access import require
from pedchain_chaincode.documents import identifier, read, save
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.metering import guards as metering
from pedchain_chaincode.metering import keys as names
from pedchain_chaincode.metering.folding import DONE
from pedchain_chaincode.origin import (
    accounts,
    following,
    guards,
    issuing,
    keys,
    leaving,
    moving,
    queries,
)
from pedchain_chaincode.origin.book import Book
from pedchain_domain import canonical
from pedchain_fabric.shim import Context, Contract, Refusal, evaluate, submit


class OriginContract(Contract):
    """Certificates of origin of the one district this definition has adopted."""

    name = "origin"

    @submit
    @guarded("holders")
    async def open_account(self, ctx: Context) -> None:
        """Open the account in transient `account`: account/1 with its key's own signature."""
        fence = await metering.permitted(ctx, "open_account")
        book = await Book.open(ctx, fence)
        body = accounts.requested(ctx.stub.transient.get("account", b""), book.domain)
        await accounts.open_account(book, body, await guards.holders(book, body["site"] or ""))

    @submit
    @guarded("closing", "issuing")
    async def issue_day(self, ctx: Context, day: str) -> bytes:
        """A step of issuing a day's certificates from run F: `more` or `done`."""
        fence = await metering.permitted(ctx, "issue_day")
        closing, state = await guards.closing(ctx), await guards.issuing(ctx)
        if issuing.check(state, closing, identifier(day)):
            return DONE
        return await issuing.issue_day(await Book.open(ctx, fence), state, day)

    @submit
    @guarded("issuing")
    async def follow_day(self, ctx: Context, day: str, cell: int) -> bytes:
        """A step of letting a cell's certificates of an issued day go with what was sold and
        shared: `more`, `done`, or `waits` while hours of it can still be given."""
        fence = await metering.permitted(ctx, "follow_day")
        state = await guards.issuing(ctx)
        return await following.follow_day(await Book.open(ctx, fence), state, identifier(day), cell)

    @submit
    @guarded("account", "closing", "issuing")
    async def debit(self, ctx: Context) -> None:
        """Carry out the signed debit in transient `debit`: slice, transfer, reserve, cancel,
        claim, charge, discharge, withdraw, lock, export or rotate."""
        fence = await metering.permitted(ctx, "debit")
        book = await Book.open(ctx, fence)
        signed = debits.received(ctx)
        holder = await guards.account(book, signed.debit.account)
        debit = debits.verified(signed, holder, book.domain)
        await moving.apply(book, holder, await guards.closing(ctx), debit)
        await debits.keep(ctx.stub, names.COLLECTION, debits.salt(ctx), signed)
        # By the time it was made, so that retention finds it; the block shows as much.
        state = await guards.issuing(ctx)
        marker = keys.debit_marker(ctx.stub, state.get("last", ""), ctx.stub.transaction_id)
        await save(ctx.stub, marker, {})

    @submit
    @guarded("foreign")
    async def put_foreign(self, ctx: Context, document: bytes) -> None:
        """Know a foreign registry {schema: foreign/1, id, key}; it is never changed."""
        require(ctx, "put_foreign")
        found = read(document)
        if sorted(found) != ["id", "key", "schema"] or found["schema"] != "foreign/1":
            raise Refusal("malformed-document")
        accounts.key_of(found["key"])
        registry = identifier(found["id"])
        known = await guards.foreign(ctx, registry)
        if known is not None and known != found:
            raise Refusal("already-registered")
        await save(ctx.stub, keys.foreign(ctx.stub, registry), found)

    @evaluate
    async def get_issued(self, ctx: Context, day: str) -> bytes:
        """What was issued for a day, as far as it may be printed."""
        return canonical.encode(await queries.issued(ctx, day))

    @evaluate
    async def get_issuing(self, ctx: Context) -> bytes:
        """The first and last day issued, and how far the open one has come."""
        return canonical.encode(await guards.issuing(ctx))

    @evaluate
    async def get_account(self, ctx: Context, account: str) -> bytes:
        """An account with the counter of its last debit (members of the collection only)."""
        return canonical.encode(await queries.account(ctx, account))

    @evaluate
    async def list_certificates(self, ctx: Context, account: str, after: str) -> bytes:
        """A page of an account's certificates (members of the collection only)."""
        found: Any = await queries.certificates(ctx, account, after)
        return canonical.encode(found)

    @evaluate
    async def get_exported(self, ctx: Context, day: str) -> bytes:
        """What left the district of a day's certificates, as far as it may be printed."""
        return canonical.encode(await queries.exported(ctx, day))

    @evaluate
    async def get_followed(self, ctx: Context, day: str) -> bytes:
        """{cells, done}: how many cells there are, and those whose certificates of a day went with
        what was sold and shared."""
        return canonical.encode(await queries.followed(ctx, identifier(day)))

    @evaluate
    async def get_pools(self, ctx: Context, day: str) -> bytes:
        """Certified Wh that went with what was sold and shared of a day: {hour: {pool: Wh}}
        (members of the collection only)."""
        return canonical.encode(await queries.pools(ctx, identifier(day)))

    @evaluate
    async def get_left(self, ctx: Context, marks: bytes) -> bytes:
        """Those of an array of marks whose certificates left (asked by settlement)."""
        return canonical.encode(await leaving.left(ctx, marks))
