# SPDX-License-Identifier: Apache-2.0
"""Contract `sharing`: communities that share their surplus ex post (rules S, P)."""

from typing import Any

from pedchain_chaincode.documents import refusals
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.settlement import (
    community,
    following,
    forgetting,
    guards,
    leaving,
    limits,
    sessions,
    sharedhours,
)
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.clock import now
from pedchain_chaincode.settlement.places import carrier_of
from pedchain_domain import canonical
from pedchain_domain.market.tokenid import HOUR
from pedchain_fabric.shim import Context, Contract, Refusal, evaluate, submit

CONTRACT = "sharing"


class SharingContract(Contract):
    """Ex-post sharing, hour by hour, of what the market left."""

    name = CONTRACT

    @submit
    @guarded("community")
    async def put_community(self, ctx: Context) -> None:
        """Found the community of transient `community`, community/1; its terms never change."""
        setup = await guards.permitted(ctx, "put_community")
        terms = community.check(ctx.stub.transient.get("community", b""))
        if setup.districts.get(terms["district"]) != ctx.client.msp_id:
            raise Refusal("not-permitted", "district")
        book = await Book.open(ctx, setup)
        former = await guards.community(book, terms["id"])
        if former is not None and former["terms"] != terms:
            raise Refusal("already-registered")
        await book.save(("community", terms["id"]), {"terms": terms})

    @submit
    @guarded("account")
    async def join_community(self, ctx: Context) -> None:
        """Become a member by transient `debit` {community, terms, factor_ppm}."""
        book = await guards.opened(ctx, "join_community")
        spent = await guards.account(book, CONTRACT, "join-community")
        await community.join(spent, await now(ctx, book.setup))
        await spent.done()

    @submit
    @guarded("account")
    async def leave_community(self, ctx: Context) -> None:
        """End a membership by transient `debit` {community}."""
        book = await guards.opened(ctx, "leave_community")
        spent = await guards.account(book, CONTRACT, "leave-community")
        await community.leave(spent, await now(ctx, book.setup))
        await spent.done()

    @submit
    @guarded("unshared")
    async def share_hour(self, ctx: Context, community_id: str, hour: int) -> None:
        """Share an hour (UTC s) among a community's members, once."""
        setup = await guards.permitted(ctx, "share_hour")
        book = await Book.open(ctx, setup)
        clock = await now(ctx, setup)
        if hour % HOUR or hour < 0 or clock < hour + HOUR:
            raise Refusal("too-early")
        if clock >= hour + HOUR + limits.RETENTION:
            raise Refusal("too-late")  # it may have been shared, and that purged
        await guards.unshared(book, _id(community_id), hour)
        terms = await community.terms_of(book, community_id)
        await sessions.over(ctx.stub, terms["carrier"], terms["zone"], hour)
        await sharedhours.write(book, terms, hour, await sharedhours.members(book, terms, hour))

    @submit
    @guarded("shared")
    async def correct_hour(self, ctx: Context, community_id: str, hour: int) -> None:
        """Divide a shared hour anew by what run FINAL showed of its members."""
        setup = await guards.permitted(ctx, "correct_hour")
        book = await Book.open(ctx, setup)
        shared = await guards.shared(book, _id(community_id), hour)
        terms = await community.terms_of(book, community_id)
        await sharedhours.correct(
            book, terms, hour, await sharedhours.same_members(book, terms, shared)
        )

    @submit
    @guarded("shared")
    async def purge_hour(self, ctx: Context, community_id: str, hour: int) -> None:
        """Purge what stands of a shared hour once its retention is over: members' rows, positions,
        and what their registers measured."""
        book = await guards.opened(ctx, "purge_hour")
        shared = await guards.shared(book, _id(community_id), hour)
        terms = await community.terms_of(book, community_id)
        await forgetting.hour(book, terms, shared, await now(ctx, book.setup))

    @evaluate
    async def preview_hour(self, ctx: Context, community_id: str, hour: int) -> bytes:
        """What sharing an hour would give now: {account: [received, given, pays, receives]}
        (members of the collection only)."""
        book = await Book.read(ctx, await guards.setup(ctx))
        terms = await community.terms_of(book, _id(community_id))
        found = await sharedhours.members(book, terms, hour)
        with refusals():
            return canonical.encode(sharedhours.divide(terms, found))

    @evaluate
    async def get_shared(self, ctx: Context, community_id: str, hour: int) -> bytes:
        """How an hour was shared, and under `corrected` what run FINAL made of it, or null
        (members of the collection only)."""
        book = await Book.read(ctx, await guards.setup(ctx))
        found = await guards.shared(book, _id(community_id), hour)
        corrected = await book.load("correction", community_id, hour)
        rows = None if corrected is None else corrected["members"]
        return canonical.encode({**found, "corrected": rows})

    @evaluate
    async def get_community(self, ctx: Context, community_id: str) -> bytes:
        """A community's terms, for who is asked to sign them."""
        book = await Book.read(ctx, await guards.setup(ctx))
        return canonical.encode(await community.terms_of(book, _id(community_id)))

    @evaluate
    async def get_days(self, ctx: Context, month: str) -> bytes:
        """The market days of a month, as `2026-03`."""
        calendar = await guards.calendar(ctx)
        rows = [] if calendar is None else calendar["rows"]
        return canonical.encode([row for row in rows if row["day"][: len(month)] == month])

    @evaluate
    async def get_hours(self, ctx: Context, account: str, carrier: str, start: int) -> bytes:
        """An account's day from `start`, UTC s: what was measured, sold, bought and shared by hour
        (members of the collection only)."""
        book = await Book.read(ctx, await guards.setup(ctx))
        with refusals():
            found = await sharedhours.hours(book, _id(account), carrier_of(carrier), start)
            return canonical.encode(found)

    @evaluate
    async def get_origin(self, ctx: Context, account: str, start: int) -> bytes:
        """What of an account's day of electricity from `start`, UTC s, was given, and taken, with
        its origin: {given, taken}, hour after hour as `following` tells (members of the collection
        only)."""
        book = await Book.read(ctx, await guards.setup(ctx))
        holder = await book.load("account", _id(account))
        if holder is None:
            raise Refusal("unknown-account")
        at = range(start, start + limits.HOURS * HOUR, HOUR)
        found = {
            name: await following.of_account(book, holder, way, at)
            for name, way in (("given", following.FEEDS), ("taken", following.DRAWS))
        }
        return canonical.encode(found)

    @evaluate
    async def get_given(self, ctx: Context, district: str, hour: int, registers: bytes) -> bytes:
        """What of registers [[point, role]] was sold and shared in an hour for good: {wh, marks}
        (asked by the district's metering before a certificate of origin leaves)."""
        if await guards.begun(ctx) is None:
            return canonical.encode({"wh": 0, "marks": []})
        book = await Book.read(ctx, await guards.setup(ctx))
        with refusals():
            found = canonical.decode(registers)
        if not isinstance(found, list):
            raise Refusal("malformed-document")
        return canonical.encode(await leaving.given(book, _id(district), hour, found))

    @evaluate
    async def get_following(
        self, ctx: Context, district: str, way: str, hours: bytes, registers: bytes
    ) -> bytes:
        """What of registers [[point, role]] that feed, or draw, counts in hours (UTC s) together
        with its origin: {point role: [rows | why not yet]} as `following` tells (asked by the
        district's metering before certificates of origin are moved)."""
        if await guards.begun(ctx) is None:
            return canonical.encode({})
        book = await Book.read(ctx, await guards.setup(ctx))
        at, asked = _list(hours, limits.HOURS), _list(registers, limits.REGISTERS)
        if way not in (following.FEEDS, following.DRAWS) or any(type(one) is not int for one in at):
            raise Refusal("malformed-document")
        found: Any = await following.of_registers(book, _id(district), way, at, asked)
        return canonical.encode(found)


def _list(data: bytes, most: int) -> list[Any]:
    with refusals():
        found = canonical.decode(data)
    if not isinstance(found, list) or len(found) > most:
        raise Refusal("malformed-document")
    return found


def _id(text: str) -> str:
    with refusals():
        return canonical.check_id(text)
