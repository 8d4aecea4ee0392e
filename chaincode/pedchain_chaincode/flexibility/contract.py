# SPDX-License-Identifier: Apache-2.0
"""Contract `flexibility` of a district, beside `metering` in the same definition (rules D).

Consent and shared days are the district's and the DSO's. The steps of an order (`FreezeCells`,
`DispatchSites`, `AnswerSites`, `MeasureCells`, `PartsOf`) are called by settlement's contract of
the same name, which holds the order, its state and its money, and by nobody else. Papers, codes
and `salt` (16 bytes) come in the transient map.
"""

from pedchain_chaincode.documents import Document, identifier, read, read_array, refusals
from pedchain_chaincode.flexibility import (
    consent,
    declaring,
    dispatching,
    forgetting,
    freezing,
    guards,
    limits,
    measuring,
    remeasuring,
    retention,
    sharing,
)
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.metering import names
from pedchain_domain import canonical
from pedchain_fabric.shim import Context, Contract, Refusal, evaluate, submit

SETTLEMENT = "settlement"


class FlexibilityContract(Contract):
    """Demand response in the one district this definition has adopted."""

    name = "flexibility"

    @submit
    @guarded("permitted")
    async def offer_consent(self, ctx: Context) -> None:
        """Expect a site's consent by the code its occupant is given: transient `document`."""
        await guards.permitted(ctx, "offer_consent")
        await consent.offer(ctx)

    @submit
    @guarded("permitted")
    async def protect_site(self, ctx: Context) -> None:
        """Never dispatch a site, or again: transient `document` {site, protected}."""
        await guards.permitted(ctx, "protect_site")
        await consent.protect(ctx)

    @submit
    @guarded("permitted")
    async def enrol_site(self, ctx: Context) -> None:
        """A site's consent: transient `enrolment`, signed by its device, and `code`."""
        await consent.enrol(ctx, await guards.permitted(ctx, "enrol_site"))

    @submit
    @guarded("permitted")
    async def withdraw_site(self, ctx: Context) -> None:
        """The end of a consent: transient `withdrawal`, signed by the site's device."""
        await consent.withdraw(ctx, await guards.permitted(ctx, "withdraw_site"))

    @submit
    @guarded("permitted")
    async def declare_site(self, ctx: Context) -> None:
        """A site's schedule of a day or its days of absence: transient `declaration`, signed by
        its device before they begin."""
        await declaring.declare(ctx, await guards.permitted(ctx, "declare_site"))

    @submit
    @guarded("permitted", "closing", "share")
    async def share_day(self, ctx: Context, day: str) -> bytes:
        """A step of sharing a closed day of enrolled sites: `more` or `done`."""
        await guards.permitted(ctx, "share_day")
        state = await guards.share(ctx, identifier(day))
        return await sharing.share_day(ctx, await guards.closing(ctx), state, day)

    @submit
    @guarded("permitted", "closing", "kept")
    async def purge(self, ctx: Context, kind: str, day: str) -> bytes:
        """A step of purging shared `days`, or what `orders` left, up to a day past its retention:
        `more` or `done`."""
        await guards.permitted(ctx, "purge")
        if kind not in retention.KEPT:
            raise Refusal("malformed-document", "kind")
        state, closing = await guards.kept(ctx, kind), await guards.closing(ctx)
        return await retention.purge(ctx, closing, state, kind, identifier(day))

    @submit
    @guarded("permitted")
    async def erase(self, ctx: Context) -> None:
        """A step of erasing the site in transient `subject`."""
        await guards.permitted(ctx, "erase")
        await forgetting.erase(ctx)

    @submit
    @guarded("permitted")
    async def freeze_cells(self, ctx: Context, asked: bytes) -> bytes:
        """A step of freezing an order at its notice."""
        fence = await guards.permitted(ctx, "freeze_cells")
        return canonical.encode(await freezing.freeze(ctx, fence, _called(ctx, asked)))

    @submit
    @guarded("permitted")
    async def dispatch_sites(self, ctx: Context, asked: bytes) -> bytes:
        """Keep the issuer's signed `dispatches`."""
        fence = await guards.permitted(ctx, "dispatch_sites")
        return canonical.encode(await dispatching.dispatch(ctx, fence, _called(ctx, asked)))

    @submit
    @guarded("permitted")
    async def answer_sites(self, ctx: Context, asked: bytes) -> None:
        """Keep agents' signed `answers`."""
        fence = await guards.permitted(ctx, "answer_sites")
        await dispatching.answer(ctx, fence, _called(ctx, asked))

    @submit
    @guarded("permitted")
    async def measure_cells(self, ctx: Context, asked: bytes) -> bytes:
        """A step of measuring an order's portfolio."""
        await guards.permitted(ctx, "measure_cells")
        return canonical.encode(await measuring.measure(ctx, _called(ctx, asked)))

    @submit
    @guarded("permitted")
    async def correct_cells(self, ctx: Context, asked: bytes) -> bytes:
        """A step of correcting an order's statements by run FINAL."""
        await guards.permitted(ctx, "correct_cells")
        return canonical.encode(await remeasuring.correct(ctx, _called(ctx, asked)))

    @evaluate
    async def additions_of(self, ctx: Context, asked: bytes) -> bytes:
        """What a correction adds to some users' parts (members of the collection only)."""
        store = await Store.read(ctx)
        return canonical.encode(await remeasuring.parts(store, read(asked)))

    @evaluate
    async def parts_of(self, ctx: Context, asked: bytes) -> bytes:
        """Some users' parts of an order's pool (members of the collection only)."""
        store = await Store.read(ctx)
        return canonical.encode(await measuring.parts(store, read(asked)))

    @evaluate
    async def get_shared_day(self, ctx: Context, day: str) -> bytes:
        """How far a day is shared: {run, cell?}, or {} before the first step."""
        return canonical.encode(await guards.share(ctx, identifier(day)))

    @evaluate
    async def get_subject_day(self, ctx: Context, site: str, day: str) -> bytes:
        """All that stands about a site and a day (members of the collection only)."""
        return canonical.encode(await forgetting.export(ctx, site, day))

    @evaluate
    async def get_enrolments(self, ctx: Context, site: str) -> bytes:
        """A site's enrolments (members of the collection only)."""
        entry = await consent.site(ctx, await names.resolve(ctx, identifier(site)))
        found = await consent.enrolled(await Store.read(ctx), entry["cell"])
        return canonical.encode(found.get(entry["document"]["id"], []))

    @evaluate
    async def get_figure(self, ctx: Context, site: str, day: str) -> bytes:
        """What is shared of a site's day (members of the collection only)."""
        entry = await consent.site(ctx, await names.resolve(ctx, identifier(site)))
        shared = await (await Store.read(ctx)).load("shared", entry["cell"], identifier(day))
        found = None if shared is None else shared["sites"].get(entry["document"]["id"])
        if shared is None or found is None:
            raise Refusal("not-found")
        return canonical.encode({"day": shared["day"], "run": shared["run"], "figure": found})

    @evaluate
    async def get_plan(self, ctx: Context, order: str) -> bytes:
        """Who is asked for what, and why others are not (members of the collection only)."""
        return canonical.encode(await _held(ctx, "plan", identifier(order)))

    @evaluate
    async def get_dispatch(self, ctx: Context, order: str, site: str) -> bytes:
        """A site's dispatch as its issuer signed it (members of the collection only)."""
        name = await names.resolve(ctx, identifier(site))
        return canonical.encode(await _held(ctx, "dispatch", identifier(order), name))

    @evaluate
    async def get_dispatches(self, ctx: Context, asked: bytes) -> bytes:
        """The signed dispatches of some {order, site}, null for who is not asked (members of the
        collection only)."""
        wanted = read_array(asked, limits.PAPERS)
        store, ids = await Store.read(ctx), {}
        for site in dict.fromkeys(identifier(one.get("site")) for one in wanted):
            ids[site] = await names.resolve(ctx, site)
        places = [("dispatch", identifier(one.get("order")), ids[one["site"]]) for one in wanted]
        return canonical.encode(await store.load_many(places))

    @evaluate
    async def get_answer(self, ctx: Context, order: str, site: str) -> bytes:
        """What a site answered, and whether it counts (members of the collection only)."""
        name = await names.resolve(ctx, identifier(site))
        return canonical.encode(await _held(ctx, "answer", identifier(order), name))

    @evaluate
    async def get_statement(self, ctx: Context, order: str, site: str, pool: int) -> bytes:
        """A site's statement with its part of the district's pool, µcur, and when it was asked
        (members of the collection only)."""
        store, name = await Store.read(ctx), await names.resolve(ctx, identifier(site))
        plan = await _held(ctx, "plan", identifier(order))
        if name not in plan["cells"]:
            raise Refusal("not-found")
        held = await store.load("statements", order, plan["cells"][name])
        if held is None or name not in held["sites"]:
            raise Refusal("not-found")
        with refusals():
            state = await _held(ctx, "measuring", order)
            part = measuring.shares(state, pool).get(name, 0)
        about = {"site": name, "order": order, "money": part, "account": plan["accounts"][name]}
        return canonical.encode({**held["sites"][name], **about, "power_w": plan["watts"][name]})

    @evaluate
    async def get_correction(
        self, ctx: Context, order: str, site: str, settled: int, final: int
    ) -> bytes:
        """What run FINAL made of a site's statement, by its district's pools before and after,
        µcur; `added` is what it gets besides (members of the collection only)."""
        store, name = await Store.read(ctx), await names.resolve(ctx, identifier(site))
        plan = await _held(ctx, "plan", identifier(order))
        held = await store.load("corrected", order, plan["cells"].get(name, -1))
        if held is None or name not in held["sites"]:
            raise Refusal("not-found")
        before, after = [await _held(ctx, kind, order) for kind in ("measuring", "remeasuring")]
        with refusals():
            added = remeasuring.added(before, after, [settled, final]).get(name, 0)
        return canonical.encode({**held["sites"][name], "site": name, "added": added})

    @evaluate
    async def list_sites(self, ctx: Context, order: str) -> bytes:
        """The sites an order asks, ascending (members of the collection only)."""
        plan = await _held(ctx, "plan", identifier(order))
        return canonical.encode(sorted(plan["watts"]))


def _called(ctx: Context, asked: bytes) -> Document:
    """What settlement's contract asks for. Refuses `called-directly`: whoever may write here could
    else put a step's documents in the place of those an order rests on."""
    if ctx.stub.entry != SETTLEMENT:
        raise Refusal("called-directly")
    return read(asked)


async def _held(ctx: Context, *name: str) -> Document:
    found = await (await Store.read(ctx)).load(*name)
    if found is None:
        raise Refusal("not-found")
    return found
