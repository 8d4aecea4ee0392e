# SPDX-License-Identifier: Apache-2.0
"""Contract `market`: sessions and orders for electricity and heat (rules K, paper B).

Orders come as signed debits in the transient map, with `salt` (16 bytes), and stay in the
collection. Whatever is due by the ledger's clock can be called by anyone, step by step until
`done`. Each function of the paper keeps its name.
"""

from pedchain_chaincode.documents import Document, read, refusals, save
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.settlement import (
    clearing,
    coupled,
    forgetting,
    guards,
    keys,
    limits,
    metered,
    orders,
    ordertold,
    outcome,
    paying,
    places,
    rows,
    sessions,
    taking,
)
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.clock import now
from pedchain_chaincode.state import restore
from pedchain_domain import canonical
from pedchain_domain.market import orders as rules
from pedchain_domain.market import reference, tokenid
from pedchain_domain.market.session import State, Step
from pedchain_fabric.shim import Context, Contract, Refusal, evaluate, submit

CONTRACT = "market"
MORE, DONE = b"more", b"done"
_TRADED = (State.CLEARED, State.MEASURED, State.SETTLED)


class MarketContract(Contract):
    """One call auction per carrier, zone and delivery hour."""

    name = CONTRACT

    @submit
    @guarded("zone")
    async def put_zone(self, ctx: Context, document: bytes) -> None:
        """Admit a zone, zone/1; it is never changed."""
        await guards.permitted(ctx, "put_zone")
        found = places.zone_of(document)
        await places.put_zone(ctx, found, await guards.zone(ctx, found["number"]))

    @submit
    @guarded("calendar")
    async def put_days(self, ctx: Context, document: bytes) -> None:
        """Publish market days, calendar/1, or add rows to them."""
        await guards.permitted(ctx, "put_days")
        found = places.days_of(document, await guards.calendar(ctx))
        await save(ctx.stub, keys.calendar(ctx.stub), found)

    @submit
    @guarded("zone", "ticks")
    async def put_limits(self, ctx: Context, document: bytes) -> None:
        """Publish what may flow between two zones hour by hour, limits/1, before the gate."""
        setup = await guards.permitted(ctx, "put_limits")
        found = coupled.limits_of(document)
        for number in found["zones"]:
            coupled.fits(await guards.zone(ctx, number))
        await guards.ticks(ctx, setup.organizations)
        await coupled.put(ctx, found, await guards.calendar(ctx), await now(ctx, setup))

    @submit
    @guarded("tables", "ticks")
    async def propose_reference(self, ctx: Context, document: bytes) -> None:
        """Propose a day's reference prices, reference/1, for a district to agree to."""
        setup = await guards.permitted(ctx, "propose_reference")
        await guards.ticks(ctx, setup.organizations)
        clock = await now(ctx, setup)
        carrier = places.carrier_of(str(read(document).get("carrier")))
        table = places.proposed(document, await guards.tables(ctx, carrier), clock)
        await save(ctx.stub, keys.proposed(ctx.stub, carrier), table)

    @submit
    @guarded("tables", "proposed")
    async def approve_reference(self, ctx: Context, carrier: str, digest: str) -> None:
        """A district's operator agrees to the proposed prices, named by their SHA-256."""
        setup = await guards.permitted(ctx, "approve_reference")
        named = places.carrier_of(carrier)
        table = await guards.proposed(ctx, named)
        if places.digest(table) != digest:
            raise Refusal("not-found", "digest")
        former = await guards.tables(ctx, named)
        await places.put_table(ctx, places.again(table, former, await now(ctx, setup)), former)

    @submit
    @guarded("unopened")
    async def open_session(self, ctx: Context, zone: int, hour: int) -> None:
        """Open the session of a zone's hour (UTC s) once it is due."""
        setup = await guards.permitted(ctx, "open_session")
        place = await guards.zone(ctx, zone)
        if place is None:
            raise Refusal("unknown-zone")
        before = places.day_before(await guards.calendar(ctx), hour)
        tables = await guards.tables(ctx, place["carrier"])
        found = sessions.opened(place, hour, before, tables, await now(ctx, setup))
        await guards.unopened(ctx, found["id"])
        await _save(ctx, found)

    @submit
    @guarded("session")
    async def close_session(self, ctx: Context, session_id: str) -> None:
        """Close a session at its gate; orders in flight then fail."""
        setup = await guards.permitted(ctx, "close_session")
        found = await guards.session(ctx, session_id)
        await _save(ctx, sessions.moved(found, Step.CLOSE, await now(ctx, setup)))

    @submit
    @guarded("session")
    async def void_session(self, ctx: Context, session_id: str) -> None:
        """Void a session that nobody cleared in time; `Take` then gives all back."""
        setup = await guards.permitted(ctx, "void_session")
        found = await guards.session(ctx, session_id)
        moved = sessions.moved(found, Step.VOID, await now(ctx, setup))
        left = {name: found["step"].get(name, 0) for name in ("chunks", "shards")}
        await _save(ctx, {**moved, "step": dict(sessions.NOT_BEGUN), **left})

    @submit
    @guarded("session")
    async def clear(self, ctx: Context, session_id: str) -> bytes:
        """A step of clearing a closed session, with the one it is coupled to: `more` or `done`."""
        book = await guards.opened(ctx, "clear")
        found = await guards.session(ctx, session_id)
        pair, clock = await coupled.to_clear(ctx, found), await now(ctx, book.setup)
        moved = [sessions.moved(each, Step.CLEAR, clock) for each in pair.sessions]
        for each in pair.sessions:
            if each["step"]["phase"] not in (clearing.MATCH, clearing.KEEP):
                await _save(ctx, await clearing.prepare(book, each))
                return MORE
        if found["step"]["phase"] == clearing.MATCH:
            for each in await clearing.match(book, pair):
                await _save(ctx, each)
            return MORE
        kept, told = await clearing.keep(book, pair)
        if not all(map(clearing.is_kept, kept)):
            for each in kept:
                await _save(ctx, each)
            return MORE
        for each, matched in zip(moved, told, strict=True):
            done = {"step": dict(sessions.NOT_BEGUN), "chunks": each["step"]["chunks"]}
            await _save(ctx, {**each, **matched._asdict(), **done})
        return DONE

    @submit
    @guarded("opened")
    async def attach_certificate(self, ctx: Context) -> None:
        """Show what points measured in whole hours of a day: transient `proofs`, proof/1 of each
        interval, against the certificate the district's metering printed by run F."""
        book = await guards.opened(ctx, "attach_certificate")
        await metered.attach(book, metered.shown(ctx.stub.transient.get("proofs", b"")))

    @submit
    @guarded("session")
    async def measure(self, ctx: Context, session_id: str) -> None:
        """Take a cleared session whose hour is over to be settled."""
        setup = await guards.permitted(ctx, "measure")
        found = await guards.session(ctx, session_id)
        await _save(ctx, sessions.moved(found, Step.MEASURE, await now(ctx, setup)))

    @submit
    @guarded("session")
    async def settle(self, ctx: Context, session_id: str) -> bytes:
        """A step of settling a measured session, with the one it was cleared with: `more` or
        `done`; the last settles all of it."""
        book = await guards.opened(ctx, "settle")
        found = await guards.session(ctx, session_id)
        clock = await now(ctx, book.setup)
        pair = await coupled.to_settle(ctx, found)
        moved = [sessions.moved(each, Step.SETTLE, clock) for each in pair]
        late = clock >= found["times"]["ends"] + limits.LATE
        for each in pair:
            if each["step"]["phase"] not in (paying.RECKON, paying.PAY):
                await _save(ctx, {**each, "step": await paying.weigh(book, each, late=late)})
                return MORE
        if found["step"]["phase"] == paying.RECKON:
            await paying.reckon(book, pair)
            for each in pair:
                await _save(ctx, {**each, "step": {"phase": paying.PAY}})
            return MORE
        await paying.pay(book, pair)
        for each in moved:
            await _save(ctx, {**each, "step": dict(sessions.NOT_BEGUN)})
        return DONE

    @submit
    @guarded("session")
    async def purge_session(self, ctx: Context, session_id: str) -> None:
        """Purge a session's private documents once their retention is over and all was taken."""
        book = await guards.opened(ctx, "purge_session")
        found = await guards.session(ctx, session_id)
        await _save(ctx, await forgetting.purge(book, found, await now(ctx, book.setup)))

    @submit
    @guarded("opened")
    async def purge_measured(self, ctx: Context) -> None:
        """Purge what registers measured, and owners' sides, of the hours in transient `places` once
        their retention is over."""
        book = await guards.opened(ctx, "purge_measured")
        places = forgetting.places_of(ctx.stub.transient.get("places", b""))
        await forgetting.measured(book, places, await now(ctx, book.setup))

    @submit
    @guarded("account", "sessions")
    async def take(self, ctx: Context) -> None:
        """Take what came of the account's orders by transient `debit` {sessions}: free deposits of
        cleared ones, money and energy of settled ones, all of void ones."""
        book = await guards.opened(ctx, "take")
        spent = await guards.account(book, CONTRACT, "take")
        found = await guards.sessions(ctx, taking.named(spent.debit.body))
        await spent.done(**await taking.take(spent, found))

    @submit
    @guarded("account", "sessions")
    async def register_order(self, ctx: Context) -> None:
        """Place the order of transient `debit` {side, tokens, quantities, prices}."""
        book = await guards.opened(ctx, "register_order")
        spent = await guards.account(book, CONTRACT, "register-order")
        order = orders.check(spent.debit.body)
        found = await guards.sessions(ctx, order.sessions)
        orders.accepting(found)
        await spent.done(**await orders.place(spent, order, found))
        await ctx.stub.set_event("OrderRegistered", b"{}")

    @submit
    @guarded("account", "sessions")
    async def amend_order(self, ctx: Context) -> None:
        """Put the order of transient `debit` in place of {order}, on the same side."""
        book = await guards.opened(ctx, "amend_order")
        spent = await guards.account(book, CONTRACT, "amend-order")
        body = {**spent.debit.body}
        identifier = body.pop("order", None)
        former = await orders.owned(book, spent.debit.account, identifier)
        order = orders.check(body)
        involved = sorted({**dict.fromkeys(order.sessions), **orders.sessions_of(former)})
        found = await guards.sessions(ctx, involved)
        orders.accepting(found)
        await spent.done(**await orders.amend(spent, str(identifier), former, order, found))

    @submit
    @guarded("account", "sessions")
    async def cancel_order(self, ctx: Context) -> None:
        """Withdraw the order of transient `debit` {order}; at the gate orders become firm."""
        book = await guards.opened(ctx, "cancel_order")
        spent = await guards.account(book, CONTRACT, "cancel-order")
        if sorted(spent.debit.body) != ["order"]:
            raise Refusal("malformed-document", "body")
        identifier = spent.debit.body["order"]
        former = await orders.owned(book, spent.debit.account, identifier)
        orders.accepting(await guards.sessions(ctx, sorted(orders.sessions_of(former))))
        await spent.done(**await orders.cancel(spent, identifier, former))

    @evaluate
    async def determine_involved_markets(self, ctx: Context, tokens: bytes) -> bytes:
        """Ids of the sessions of an array of token ids, each once."""
        with refusals():
            found = canonical.decode(tokens)
            if not isinstance(found, list):
                raise Refusal("malformed-document")
            return canonical.encode(rules.determine_involved_markets(found))

    @evaluate
    async def determine_reference_price(self, ctx: Context, token: str, supplier: str) -> bytes:
        """{retail, feed_in} of a token's hour for a supplier class, µcur per kWh; `stands_in` says
        that an earlier day's table is used. Refuses `no-reference`."""
        with refusals():
            product = tokenid.product_of(tokenid.from_hex(token))
            tables = await guards.tables(ctx, str(product.carrier))
            table = places.table_for(tables, product.start)
            quote = reference.quote(table, supplier, product.start)
            stands_in = reference.stands_in(table, product.start)
        return canonical.encode({**quote._asdict(), "stands_in": stands_in})

    @evaluate
    async def get_session(self, ctx: Context, session_id: str) -> bytes:
        """A session, with what may be printed of its outcome."""
        return canonical.encode(await guards.session(ctx, session_id))

    @evaluate
    async def get_session_history(self, ctx: Context, session_id: str) -> bytes:
        """The states of a session in the order it had them."""
        await guards.session(ctx, session_id)
        found = [
            restore(change.value)["state"]
            async for change in ctx.stub.history(keys.session(ctx.stub, session_id))
            if change.value
        ]
        return canonical.encode(list(dict.fromkeys(reversed(found))))

    @evaluate
    async def get_trades(self, ctx: Context, session_id: str) -> bytes:
        """The pairs of a cleared session (members of the collection only)."""
        book = await Book.read(ctx, await guards.setup(ctx))
        session = await guards.session(ctx, session_id)
        found = await book.load("trades", session_id)
        if found is None or session["state"] not in _TRADED:
            raise Refusal("not-found")
        return canonical.encode(found)

    @evaluate
    async def get_settled(self, ctx: Context, session_id: str) -> bytes:
        """The trades of a settled session: [seller, buyer, Wh, settled Wh, buyer pays, seller makes
        good, buyer makes good, why it was left out, price] (members of the collection only)."""
        book = await Book.read(ctx, await guards.setup(ctx))
        session = await guards.session(ctx, session_id)
        found = await book.load(paying.SETTLED, session_id)
        if found is None or session["state"] != State.SETTLED:
            raise Refusal("not-found")
        return canonical.encode(found)

    @evaluate
    async def get_outcome(self, ctx: Context, account: str, session_id: str) -> bytes:
        """What came of an account's orders in a session: {cleared, due} (members of the collection
        only)."""
        book = await Book.read(ctx, await guards.setup(ctx))
        session = await guards.session(ctx, session_id)
        with refusals():
            name = canonical.check_id(account)
        return canonical.encode(await outcome.of(book, name, session))

    @evaluate
    async def get_order_history(self, ctx: Context, account: str, order: str) -> bytes:
        """What became of an account's order: each debit that changed it, and what came of it in
        its sessions, also after it ended (members of the collection only)."""
        book = await Book.read(ctx, await guards.setup(ctx))
        with refusals():
            name = canonical.check_id(account)
        identifier = orders.identifier(order)
        return canonical.encode(await ordertold.told(book, name, identifier))

    @evaluate
    async def list_orders(self, ctx: Context, account: str, after: str) -> bytes:
        """An account's open orders, a page by id (members of the collection only)."""
        book = await Book.read(ctx, await guards.setup(ctx))
        with refusals():
            owner = book.tag(canonical.check_id(account))
        return canonical.encode(await rows.page(book, orders.ORDER, owner, after))


async def _save(ctx: Context, found: Document) -> None:
    await save(ctx.stub, keys.session(ctx.stub, found["id"]), found)
