# SPDX-License-Identifier: Apache-2.0
"""Contract `flexibility` of settlement: orders for more or less consumption (rules D).

`IssueOrder`, `AcceptOrder` (the notice); then by district `FreezeOrder` until `done`,
`DispatchOrder` with the issuer's signed documents until `done`, `AnswerOrder` with the agents'.
After the event `SettleDistrict` until `done` for each, `FinishOrder`, and `PayDistrict` until
`done`. Once run FINAL is shared `CorrectDistrict` until `done` for each, `CorrectOrder`, and
`PayCorrection` by who owes. `ReduceOrder` asks for no more than what who acknowledged was asked;
`RevokeOrder` and `LapseOrder` end an order without money. What a district's steps read and write
lies in its own definition, so each is endorsed by it, the DSO and the aggregator.
"""

from pedchain_chaincode.calling import answer_of
from pedchain_chaincode.documents import Document, identifier, load
from pedchain_chaincode.flexibility import correcting, keys, orders
from pedchain_chaincode.flexibility import orderguards as guards
from pedchain_chaincode.flexibility.sold import sold
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.metering.folding import DONE, MORE
from pedchain_chaincode.settlement import guards as settlement
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.clock import now
from pedchain_chaincode.settlement.metered import metering
from pedchain_chaincode.state import restore
from pedchain_domain import canonical
from pedchain_domain.flexibility import order as rules
from pedchain_domain.flexibility.papers import CONTRACT
from pedchain_fabric.shim import (
    Context,
    Contract,
    Refusal,
    evaluate,
    submit,
)


class OrderingContract(Contract):
    """Orders of demand response over all districts."""

    name = CONTRACT

    @submit
    @guarded("account", "unissued")
    async def issue_order(self, ctx: Context) -> None:
        """Issue an order by transient `debit` {order: order/1}; its price is locked."""
        book = await settlement.opened(ctx, "issue_order")
        spent = await guards.account(book, CONTRACT, "issue-order")
        body = spent.debit.body
        found = orders.issued(
            book, body.get("order"), spent.debit.account, await now(ctx, book.setup)
        )
        if sorted(body) != ["order"]:
            raise Refusal("malformed-document", "body")
        await guards.unissued(book, found["id"])
        await correcting.unowed(book, spent.debit.account)
        await orders.put_issued(book, found)
        await spent.done()

    @submit
    @guarded("account", "order")
    async def accept_order(self, ctx: Context) -> None:
        """Accept an order by transient `debit` {order, parts: {district: W}, plant}; the most its
        provider can owe is locked, and the notice counts from now."""
        book = await settlement.opened(ctx, "accept_order")
        spent = await guards.account(book, CONTRACT, "accept-order")
        found = await guards.order(book, _named(spent.debit.body), orders.ISSUED)
        if spent.debit.account != found.document["order"]["provider"]:
            raise Refusal("not-owner")
        await correcting.unowed(book, spent.debit.account)
        await orders.accept(book, found.document, spent.debit.body, found.now)
        await spent.done()

    @submit
    @guarded("account", "order")
    async def revoke_order(self, ctx: Context) -> None:
        """Take an order back by transient `debit` {order}, as long as nobody was chosen for it."""
        book = await settlement.opened(ctx, "revoke_order")
        spent = await guards.account(book, CONTRACT, "revoke-order")
        name = _named(spent.debit.body)
        found = await guards.order(book, name, orders.ISSUED, orders.ACCEPTED)
        if sorted(spent.debit.body) != ["order"]:
            raise Refusal("malformed-document", "body")
        if spent.debit.account != found.document["order"]["issuer"]:
            raise Refusal("not-owner")
        if orders.is_frozen(found.document):
            raise Refusal("too-late")
        await orders.give_back(book, found.document, orders.REVOKED)
        await spent.done()

    @submit
    @guarded("account", "order")
    async def reduce_order(self, ctx: Context) -> None:
        """Ask for no more than what is asked of who acknowledged, by the issuer's transient `debit`
        {order}: for an order that homes have left before it begins."""
        book = await settlement.opened(ctx, "reduce_order")
        spent = await guards.account(book, CONTRACT, "reduce-order")
        found = await guards.order(book, _named(spent.debit.body), orders.ACCEPTED)
        if sorted(spent.debit.body) != ["order"]:
            raise Refusal("malformed-document", "body")
        if spent.debit.account != found.document["order"]["issuer"]:
            raise Refusal("not-owner")
        await orders.put(book, orders.reduce(found.document, found.now))
        await spent.done()

    @submit
    @guarded("order")
    async def lapse_order(self, ctx: Context, order: str) -> None:
        """End an order that cannot come to its end any more."""
        book = await settlement.opened(ctx, "lapse_order")
        found = await guards.order(book, identifier(order), orders.ISSUED, orders.ACCEPTED)
        if not orders.has_lapsed(found.document, found.now):
            raise Refusal("too-early")
        await orders.give_back(book, found.document, orders.LAPSED)

    @submit
    @guarded("order")
    async def freeze_order(self, ctx: Context, order: str, district: str) -> bytes:
        """A step of choosing sites and days in a district: `more` or `done`."""
        book = await settlement.opened(ctx, "freeze_order")
        found = await guards.order(book, identifier(order), orders.ACCEPTED)
        part = orders.phase(found.document, district, orders.OPEN, orders.FREEZING)
        _before(found)
        state = await book.load("flex", order, district)
        digest = None if state is None else state["digest"]
        answer = await _called(ctx, found, district, "FreezeCells", digest=digest)
        kept = {"digest": answer["digest"]}
        if not answer["more"] and answer["storage"]:
            kept["storage"] = answer["storage"]
        await book.save(("flex", order, district), kept)
        if answer["more"]:
            await orders.put_part(book, found.document, district, {"phase": orders.FREEZING})
            return MORE
        told = {name: answer[name] for name in ("root", "sites", "accuracy")}
        part = {**part, "phase": orders.FROZEN, **told}
        await orders.put_part(book, found.document, district, part)
        return DONE

    @submit
    @guarded("order")
    async def dispatch_order(self, ctx: Context, order: str, district: str) -> bytes:
        """Keep dispatches the issuer signed, transient `dispatches`: `more` or `done`."""
        book = await settlement.opened(ctx, "dispatch_order")
        found = await guards.order(book, identifier(order), orders.ACCEPTED)
        part = orders.phase(found.document, district, orders.FROZEN)
        _before(found)
        issuer = await book.load("account", found.document["order"]["issuer"])
        if issuer is None:
            raise Refusal("unknown-account")
        (held,) = await orders.kept(book, order, [district])
        key = issuer["key"]["spki"]
        answer = await _called(
            ctx, found, district, "DispatchSites", digest=held["digest"], spki=key
        )
        if answer["left"]:
            return MORE
        part = {**part, "phase": orders.DISPATCHED}
        await orders.put_part(book, found.document, district, part)
        return DONE

    @submit
    @guarded("order")
    async def answer_order(self, ctx: Context, order: str, district: str) -> None:
        """Keep what agents answer, transient `answers`."""
        book = await settlement.opened(ctx, "answer_order")
        found = await guards.order(book, identifier(order), orders.ACCEPTED)
        orders.phase(found.document, district, orders.FROZEN, orders.DISPATCHED)
        body = found.document["order"]
        asked = {"order": body["id"], "open": found.now < body["start"]}
        await _invoke(ctx, district, "AnswerSites", asked)

    @submit
    @guarded("order")
    async def settle_district(self, ctx: Context, order: str, district: str) -> bytes:
        """A step of measuring a district's portfolio once the event is over: `more` or `done`."""
        book = await settlement.opened(ctx, "settle_district")
        found = await guards.order(book, identifier(order), orders.ACCEPTED)
        part = orders.phase(found.document, district, orders.DISPATCHED, orders.MEASURING)
        if found.now < rules.end(found.document["order"]):
            raise Refusal("too-early")
        (held,) = await orders.kept(book, order, [district])
        answer = await _measured(book, found, district, held)
        if answer["more"]:
            part = {**part, "phase": orders.MEASURING}
            await orders.put_part(book, found.document, district, part)
            return MORE
        told = {"contributed": answer["contributed"], "measured": answer["sites"]}
        told["ordered"] = answer["ordered"]
        part = {**part, "phase": orders.MEASURED, **told}
        await orders.put_part(book, found.document, district, part)
        return DONE

    @submit
    @guarded("order")
    async def finish_order(self, ctx: Context, order: str) -> None:
        """Settle an order whose districts are measured."""
        book = await settlement.opened(ctx, "finish_order")
        found = await guards.order(book, identifier(order), orders.ACCEPTED)
        await orders.finish(book, found.document)

    @submit
    @guarded("order")
    async def pay_district(self, ctx: Context, order: str, district: str) -> bytes:
        """A step of crediting a district's users: `more` or `done`."""
        book = await settlement.opened(ctx, "pay_district")
        found = await guards.order(book, identifier(order), orders.SETTLED)
        part = orders.phase(found.document, district, orders.MEASURED)
        (held,) = await orders.kept(book, order, [district])
        paid = await book.load("flex-paid", order, district)
        asked = {
            "order": order,
            "digest": held["state"],
            "pool": found.document["result"]["pools"][district],
            "after": "" if paid is None else paid["after"],
        }
        answer = await _invoke(ctx, district, "PartsOf", asked)
        await orders.credit_users(book, answer["parts"])
        kept = {"schema": "paid/1", "order": order, "after": answer["after"]}
        kept["paid"] = sum(part[1] for part in answer["parts"])
        kept["paid"] += 0 if paid is None else paid["paid"]
        await book.save(("flex-paid", order, district), kept)
        if answer["more"]:
            return MORE
        await orders.put_part(book, found.document, district, {**part, "phase": orders.PAID})
        return DONE

    @submit
    @guarded("order")
    async def correct_district(self, ctx: Context, order: str, district: str) -> bytes:
        """A step of correcting a settled district by run FINAL: `more` or `done`."""
        book = await settlement.opened(ctx, "correct_district")
        found = await guards.order(book, identifier(order), orders.SETTLED)
        part = correcting.part_of(found.document, district, orders.OPEN, orders.MEASURING)
        (held,) = await orders.kept(book, order, [district])
        final = await book.load("flex-final", order, district) or {"state": None}
        answer = await _called(
            ctx,
            found,
            district,
            "CorrectCells",
            digest=held["digest"],
            state=held["state"],
            final=final["state"],
        )
        kept = {"state": answer["digest"]}
        if answer["more"]:
            part = {"phase": orders.MEASURING}
        else:
            kept |= {name: answer[name] for name in ("sums", "same")}
            part = {"phase": orders.MEASURED, "contributed": answer["contributed"]}
        await book.save(("flex-final", order, district), kept)
        await correcting.put_part(book, found.document, district, part)
        return MORE if answer["more"] else DONE

    @submit
    @guarded("order")
    async def correct_order(self, ctx: Context, order: str) -> None:
        """Compute a settled order anew by run FINAL, and what its two sides owe each other."""
        book = await settlement.opened(ctx, "correct_order")
        found = await guards.order(book, identifier(order), orders.SETTLED)
        await correcting.finish(book, found.document)

    @submit
    @guarded("account", "order")
    async def pay_correction(self, ctx: Context) -> bytes:
        """Pay what a correction makes a side owe, by transient `debit` {order, district}: to the
        other side and the supplier where `district` is null, else by the provider to some of that
        district's users; `more` or `done`."""
        book = await settlement.opened(ctx, "pay_correction")
        spent = await guards.account(book, CONTRACT, "pay-correction")
        body, payer = spent.debit.body, spent.debit.account
        found = await guards.order(book, _named(body), orders.SETTLED)
        if sorted(body) != ["district", "order"]:
            raise Refusal("malformed-document", "body")
        done = DONE
        if body["district"] is None:
            await correcting.pay(book, found.document, payer)
        else:
            district = identifier(body["district"])
            answer = await _additions(book, found.document, district)
            await correcting.add(book, found.document, payer, district, answer)
            done = MORE if answer["more"] else DONE
        await spent.done()
        return done

    @evaluate
    async def get_order(self, ctx: Context, order: str) -> bytes:
        """An order as it stands."""
        found = await load(ctx.stub, keys.order(ctx.stub, identifier(order)))
        if found is None:
            raise Refusal("not-found")
        return canonical.encode(found)

    @evaluate
    async def list_orders_issued(self, ctx: Context, after: str) -> bytes:
        """Orders by id, a page behind `after`: {id: state}."""
        found: dict[str, str] = {}
        behind = [after] if after else []
        async for row in ctx.stub.partial_composite("flex-order", [], after=behind):
            name = ctx.stub.split_composite_key(row.key)[1][0]
            found[name] = str(restore(row.value)["state"])
            if len(found) == orders.PAGE:
                break
        return canonical.encode(found)

    @evaluate
    async def list_orders_ahead(self, ctx: Context, day: str, after: str) -> bytes:
        """Accepted orders [day, id, {districts, notice, product}] that begin from the day before
        today on, by the ledger's clock; a page behind `day` and `after`, or the first."""
        clock = await now(ctx, await settlement.setup(ctx))
        return canonical.encode(await orders.ahead(ctx.stub, clock, day, after))

    @evaluate
    async def get_outcome_of(self, ctx: Context, order: str) -> bytes:
        """An order's [delivered, deficiency] Wh by interval (members of the collection only)."""
        book = await Book.read(ctx, await settlement.setup(ctx))
        found = await book.load("flex-outcome", identifier(order))
        if found is None:
            raise Refusal("not-found")
        return canonical.encode(found["outcomes"])


def _named(body: Document) -> str:
    return identifier(body.get("order"))


def _before(found: guards.Order) -> None:
    """Refuse `too-late` once the event has begun: the portfolio is closed."""
    if found.now >= found.document["order"]["start"]:
        raise Refusal("too-late")


async def _measured(book: Book, found: guards.Order, district: str, held: Document) -> Document:
    """A step of measuring a district, and what the book keeps of it."""
    step = held.get("step", 0)
    storage = held.get("storage", [])
    points = storage[step] if storage else {}
    body = found.document["order"]
    answer = await _called(
        book.ctx,
        found,
        district,
        "MeasureCells",
        digest=held["digest"],
        state=held.get("state"),
        sold=await sold(book, body, district, points),
    )
    kept = {**held, "state": answer["digest"], "step": step + 1}
    if not answer["more"]:
        kept["sums"] = answer["sums"]
    await book.save(("flex", body["id"], district), kept)
    return answer


async def _additions(book: Book, found: Document, district: str) -> Document:
    """A page of what a correction adds to a district's users."""
    order = found["order"]["id"]
    correcting.part_of(found, district, orders.MEASURED)
    if "correction" not in found:
        raise Refusal("not-measured")
    (held,) = await orders.kept(book, order, [district])
    (final,) = await orders.kept(book, order, [district], "flex-final")
    paid = await book.load("flex-added", order, district)
    asked = {
        "order": order,
        "digest": held["state"],
        "final": final["state"],
        "pools": [found[kind]["pools"][district] for kind in ("result", "correction")],
        "after": "" if paid is None else paid["after"],
    }
    return await _invoke(book.ctx, district, "AdditionsOf", asked)


async def _called(
    ctx: Context, found: guards.Order, district: str, function: str, **further: object
) -> Document:
    """A step in the district's own definition, told what settlement knows of the order."""
    document = found.document
    asked = {
        "order": document["order"],
        "notice": document["notice"],
        "power_w": document["parts"][district],
        "plant": document["plant"],
    }
    return await _invoke(ctx, district, function, {**asked, **further})


async def _invoke(ctx: Context, district: str, function: str, what: Document) -> Document:
    sent = canonical.encode(what)
    found = await answer_of(ctx, metering(district), f"{CONTRACT}:{function}", sent)
    if found is not None and not isinstance(found, dict):
        raise Refusal("malformed-document")
    return found or {}
