# SPDX-License-Identifier: Apache-2.0
"""How long documents of demand response are kept (rules Y).

Shared days go 185 days after their end: the last order whose baselines look at one comes 65 days
after it, and 120 days have passed since. Schedules go with the last day of their month. What orders
left (frozen days, plans, dispatches, answers, statements) goes after 456 days, as readings do; the
commitment, digests and results in settlement stay. In steps of one cell, day after day.
"""

from pedchain_chaincode.documents import Document, load, save
from pedchain_chaincode.flexibility import consent, keys, limits
from pedchain_chaincode.flexibility.store import Name, Store
from pedchain_chaincode.metering import keys as metering
from pedchain_chaincode.metering.folding import DONE, MORE
from pedchain_chaincode.privacy.retention import day_row
from pedchain_domain.calendar import shifted
from pedchain_fabric.shim import Context, Refusal

DAYS, ORDERS = "days", "orders"
KEPT = {DAYS: limits.DAYS_KEPT, ORDERS: limits.ORDERS_KEPT}
_CELL = ("frozen", "statements", "corrected")
_SITE = ("dispatch", "answer")
_WHOLE = ("freezing", "sent", "measuring", "remeasuring", "plan")


async def purge(ctx: Context, closing: Document, state: Document, kind: str, day: str) -> bytes:
    """One step of purging documents of a kind up to a day; `done` when nothing is left. Refuses
    `too-early` for a day that is younger, `run-missing` before the first."""
    row = await day_row(ctx, day)
    if ctx.stub.timestamp < row["end"] + KEPT[kind]:
        raise Refusal("too-early")
    if "P" not in closing:
        raise Refusal("run-missing")
    store = await Store.open(ctx)
    first = shifted(state["day"], 1) if state.get("day") else str(closing["P"]["first"])
    if first > day:
        return DONE
    cell = state.get("cell", 0)
    layout = await load(ctx.stub, metering.layout(ctx.stub))
    count = len(layout["cells"]) if layout else 0
    if kind == DAYS:
        await _shared(store, first, cell)
    else:
        await _orders(store, first, cell, is_last=cell + 1 >= count)
    is_over = cell + 1 >= count
    after = {"day": first, "cell": 0} if is_over else {**state, "cell": cell + 1}
    await save(ctx.stub, keys.kept(ctx.stub, kind), after)
    return MORE


async def _shared(store: Store, day: str, cell: int) -> None:
    await store.purge(("shared", cell, day))
    if shifted(day, 1)[:7] != day[:7]:
        for site in sorted(await consent.enrolled(store, cell)):
            await store.purge(("schedule", site, day[:7]))


async def _orders(store: Store, day: str, cell: int, *, is_last: bool) -> None:
    """Purge what a day's orders left of a cell; with the last one the orders themselves."""
    held = await store.load("orders", day)
    for order in [] if held is None else held["orders"]:
        plan = await store.load("plan", order)
        cells = {} if plan is None else plan["cells"]
        names: list[Name] = [(kind, order, cell) for kind in _CELL]
        mine = sorted(site for site in cells if cells[site] == cell)
        names += [(kind, order, site) for kind in _SITE for site in mine]
        names += [(kind, order) for kind in _WHOLE] if is_last else []
        for name in names:
            await store.purge(name)
    if is_last and held is not None:
        await store.purge(("orders", day))
