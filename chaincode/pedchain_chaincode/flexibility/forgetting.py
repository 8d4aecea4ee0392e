# SPDX-License-Identifier: Apache-2.0
"""What a data subject gets of demand response, and how it is erased (rules Y, C5).

By day: the site's shared day and what the day's orders held of it; then, for the whole site, the
consents that have ended, absences, and schedules. Documents are written anew without the site and
their past is purged. Sums, results and commitments are of all sites and stay. A day's orders must
be over, which they are at the latest when they lapse: until then settlement rests on these
documents.
"""

from typing import Any

from pedchain_chaincode.documents import Document, identifier, load, read, refusals, save
from pedchain_chaincode.flexibility import consent, declaring, keys, limits
from pedchain_chaincode.flexibility.store import Name, Store
from pedchain_chaincode.metering import keys as metering
from pedchain_chaincode.metering import names
from pedchain_chaincode.privacy.retention import day_row
from pedchain_domain import fields
from pedchain_fabric.shim import Context, Refusal

_DAY: fields.Shape = {"site": fields.identifier, "cell": fields.count, "day": fields.identifier}
_SITE: fields.Shape = {"site": fields.identifier, "cell": fields.count, "month": fields.identifier}
_SUMS = ("measuring", "remeasuring")
_WHOLE = ("plan", "sent", "freezing", *_SUMS)
_CELL = ("frozen", "statements", "corrected")
_PAPERS = ("dispatch", "answer")


async def erase(ctx: Context) -> None:
    """Erase transient `subject`: {site, cell, day}, or {site, cell, month} for what it consented to
    and declared up to now, schedules of that month. The cell is given, not looked up: a read of the
    site's own entry would stand in the block. Refuses `unknown-site`, `too-early`."""
    what = read(ctx.stub.transient.get("subject", b""))
    with refusals():
        fields.check(what, _DAY if "day" in what else _SITE)
    store, cell = await Store.open(ctx), what["cell"]
    site = await names.resolve(ctx, what["site"])
    roster = await load(ctx.stub, metering.roster(ctx.stub, cell))
    if roster is None or site not in roster["sites"]:
        raise Refusal("unknown-site")
    written = (
        await _day(store, site, cell, what["day"])
        if "day" in what
        else await _site(store, site, cell, what["month"])
    )
    await store.mark_moved()
    key = keys.erasure(ctx.stub, ctx.stub.transaction_id)
    await save(ctx.stub, key, {"documents": written})


async def _day(store: Store, site: str, cell: int, day: str) -> int:
    row = await day_row(store.ctx, day)
    if store.ctx.stub.timestamp < row["end"] + limits.LAPSE:
        raise Refusal("too-early")
    documents: list[Name] = [("shared", cell, day)]
    for order in await orders(store, day):
        documents += [(kind, order) for kind in _WHOLE]
        documents += [(kind, order, cell) for kind in _CELL]
        for kind in _PAPERS:
            await store.purge((kind, order, site))
    return await _without(store, documents, site)


async def _site(store: Store, site: str, cell: int, month: str) -> int:
    """Consents that have ended, absences, the month's schedules, and what it was asked for."""
    await store.purge(("schedule", site, month))
    enrolled = await consent.enrolled(store, cell)
    now = store.ctx.stub.timestamp
    left = [one for one in enrolled.get(site, []) if one["to"] is None or one["to"] > now]
    if left:
        return 0
    await store.purge(("offer", site))
    return await _without(store, [("enrolled", cell), ("absent", cell), ("busy",)], site)


async def _without(store: Store, documents: list[Name], site: str) -> int:
    """Write documents anew without a site; how many held it."""
    written = 0
    for name, found in zip(documents, await store.load_many(documents), strict=True):
        if found is None:
            continue
        is_sum = name[0] in _SUMS
        fresh = _nameless(store, found, site) if is_sum else without(found, site)
        if fresh != found:
            await store.replace(name, fresh)
            written += 1
    return written


def _nameless(store: Store, document: Document, site: str) -> Document:
    """A district's sums with a site's weight under no name, at the same place in the order of
    names: everybody else's part of the pool stays what it is, to the last unit."""
    weights = document["weights"]
    if site not in weights:
        return document
    before = max((one for one in weights if one < site), default="")
    hidden = f"{before}!{store.fresh('weight', site)}"
    left = {name: row for name, row in weights.items() if name != site}
    return {**document, "weights": {**left, hidden: [weights[site][0], ""]}}


def without(value: Any, site: str) -> Any:
    """A document without what stands under a site's name, or names it in a list."""
    if isinstance(value, dict):
        return {name: without(one, site) for name, one in value.items() if name != site}
    if isinstance(value, list):
        return [without(one, site) for one in value if one != site]
    return value


async def orders(store: Store, day: str) -> list[str]:
    """The orders of a day, as far as they reached this district."""
    held = await store.load("orders", day)
    return [] if held is None else list(held["orders"])


async def export(ctx: Context, site: str, day: str) -> Document:
    """All that stands about a site and a day: {figure, schedule, orders: {id: {..}}}, and under
    `site` its consents and absences, whatever the day."""
    name = await names.resolve(ctx, identifier(site))
    cell = (await consent.site(ctx, name))["cell"]
    store = await Store.read(ctx)
    shared = await store.load("shared", cell, identifier(day))
    months = await declaring.schedules(store, [name], [day])
    found: Document = {
        "figure": None if shared is None else shared["sites"].get(name),
        "schedule": months[name].get(day),
        "orders": {},
        "site": {
            "consents": (await consent.enrolled(store, cell)).get(name, []),
            "absences": (await declaring.absences(store, cell)).get(name, []),
        },
    }
    for order in await orders(store, day):
        kept = await _order(store, order, name, cell)
        if kept:
            found["orders"][order] = kept
    return found


async def _order(store: Store, order: str, site: str, cell: int) -> Document:
    """What an order holds of a site; empty if it did not ask it."""
    papers = await store.load_many([(kind, order, site) for kind in _PAPERS])
    held = await store.load_many([(kind, order, cell) for kind in _CELL])
    plan = await store.load("plan", order)
    found: Document = {
        kind: one for kind, one in zip(_PAPERS, papers, strict=True) if one is not None
    }
    for kind, one in zip(_CELL, held, strict=True):
        if one is not None and site in one["sites"]:
            found[kind] = one["sites"][site]
    if plan is not None and site in plan["passed"]:
        found["passed"] = plan["passed"][site]
    return found
