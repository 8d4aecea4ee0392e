# SPDX-License-Identifier: Apache-2.0
"""What each site of an order's portfolio did, and the district's sums (rules D4 to D10, D17).

    measuring   {after: cell, sums: [[baseline, measured]], weights: {site: [Wh, account]}, sites,
                 ordered: Wh of an interval, statements: {cell: digest}}
    statements  {sites: {site: statement}}    by order and cell; see domain's `statement`

Baselines come from the frozen days as run F knows them. Who is paid what follows from the weights
and the district's pool, so that no document is written for it.
"""

from typing import Any

from pedchain_chaincode.documents import Document
from pedchain_chaincode.flexibility import limits
from pedchain_chaincode.flexibility.dispatching import ACKNOWLEDGED, answers, plan_of
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.flexibility.wanted import Wanted, wanted
from pedchain_domain.flexibility import history
from pedchain_domain.flexibility.basis import Asked
from pedchain_domain.flexibility.dispatch import energies
from pedchain_domain.flexibility.likedays import Past
from pedchain_domain.flexibility.remuneration import divide
from pedchain_domain.flexibility.statement import generation, statement
from pedchain_domain.intervals import MISSING
from pedchain_fabric.shim import Context, Refusal

RUNS = ("F", "FINAL")


async def measure(ctx: Context, asked: Document) -> Document:
    """One step over some cells of the plan {.., digest: plan's, state: measuring's or null, sold:
    {site: [[hour, Wh]]}, what its sites with storage sold to their peers}.
    {more: true, digest} or {more: false, digest, sums, contributed, sites, ordered}."""
    store, want = await Store.open(ctx), await wanted(ctx, asked)
    order = want.order["id"]
    plan = await plan_of(store, order, asked["digest"])
    state = await _state(store, want, asked["state"])
    cells = sorted(dict.fromkeys(plan["cells"].values()))
    due = [cell for cell in cells if cell > state["after"]]
    for cell in due[: limits.MEASURE_CELLS]:
        await _cell(store, want, plan, cell, state, asked["sold"])
        state["after"] = cell
    digest = await store.save(("measuring", order), state)
    if len(due) > limits.MEASURE_CELLS:
        return {"more": True, "digest": digest}
    contributed = sum(wh for wh, _ in state["weights"].values())
    done = {name: state[name] for name in ("sums", "sites", "ordered")}
    return {"more": False, "digest": digest, "contributed": contributed, **done}


async def _state(store: Store, want: Wanted, expected: str | None) -> Document:
    if expected is None:
        sums = [[0, 0] for _ in want.framed.event]
        begun: Document = {"after": -1, "sums": sums, "weights": {}, "statements": {}}
        return begun | {"sites": 0, "ordered": 0}
    return await held(store, "measuring", want.order["id"], expected)


async def held(store: Store, kind: str, order: str, expected: str) -> Document:
    """What a step left, as settlement knows it. Refuses `not-certified` for anything else."""
    found, digest = await store.held(kind, order)
    if digest != expected:
        raise Refusal("not-certified", kind)
    return found


async def _cell(
    store: Store, want: Wanted, plan: Document, cell: int, state: Document, sold: Document
) -> None:
    """Make the statements of a cell's sites that acknowledged, and add them to the sums."""
    order = want.order["id"]
    frozen, digest = await store.held("frozen", order, cell)
    if digest != plan["digests"][str(cell)]:
        raise Refusal("not-certified", "frozen")
    asked = sorted(site for site in plan["watts"] if plan["cells"][site] == cell)
    states = await answers(store, order, asked)
    sites = [site for site in asked if states[site] == ACKNOWLEDGED]
    if not sites:
        return
    named = sorted({day for site in sites for day in frozen["sites"][site]["days"]})
    shared = await _shared(store, cell, [*named, want.framed.day["day"]])
    today = shared[want.framed.day["day"]]
    if today["run"] not in RUNS:
        raise Refusal("run-missing")
    figures = {site: today["sites"].get(site) or nothing(today) for site in sites}
    made = {site: generation(one, want.framed) for site, one in figures.items() if one["g"]}
    wh = energies(plan["watts"], want.interval_wh)
    judged = Asked(want.direction, want.rule, want.framed, plan["period"])
    found: dict[str, Document] = {}
    for site in sites:
        days = _days(want, site, frozen["sites"][site]["days"], shared)
        others = {name: pair for name, pair in made.items() if name != site}
        asked_wh = wh[site] * want.order["count"]
        found[site] = statement(
            judged,
            figures[site],
            days,
            asked_wh,
            others,
            schedule=frozen["sites"][site].get("schedule"),
            sold=dict(sold.get(site, [])),
        )
        add(state, site, found[site], plan["accounts"][site])
        state["ordered"] += wh[site]
    digest = await store.save(("statements", order, cell), {"sites": found})
    state["statements"][str(cell)] = digest


def add(state: Document, site: str, found: Document, account: str) -> None:
    """Add a statement to a district's sums."""
    pairs = zip(found["baseline"], found["measured"], strict=True)
    for sums, (base, measured) in zip(state["sums"], pairs, strict=True):
        sums[0] += base
        sums[1] += measured
    state["weights"][site] = [found["contributed"], account]
    state["sites"] += 1


async def _shared(store: Store, cell: int, days: list[str]) -> dict[str, Any]:
    found = await store.load_many([("shared", cell, day) for day in days])
    held = {day: one for day, one in zip(days, found, strict=True) if one is not None}
    if days[-1] not in held:
        raise Refusal("run-missing")
    return held


def _days(want: Wanted, site: str, days: list[str], shared: dict[str, Any]) -> list[Past]:
    held = [shared[day] for day in days if day in shared and site in shared[day]["sites"]]
    places, grain = want.framed.shown, want.framed.grain
    places = sorted(dict.fromkeys((*places, *want.framed.waiting)))
    return [
        history.past(one["day"], one["sites"][site], places, grain, ordered=False) for one in held
    ]


def nothing(shared: Document) -> Document:
    """The figure of a site of which nothing was shared: all of it counts against the portfolio."""
    row = shared["day"]
    count = (row["end"] - row["start"]) // shared["grain"]
    return {"f": [0] * count, "c": MISSING * count, "g": [], "gw": 0, "p": []}


async def parts(store: Store, asked: Document) -> Document:
    """Some users' parts of the district's pool {order: id, digest, pool, after: site}:
    {more, after, parts: [[account, µcur]]}."""
    state = await held(store, "measuring", asked["order"], asked["digest"])
    found = shares(state, asked["pool"])
    return page(found, state["weights"], asked["after"])


def page(found: dict[str, int], weights: Document, after: str) -> Document:
    """A page of what sites' accounts get, behind the site `after`."""
    due = [site for site in sorted(found) if site > after]
    now = due[: limits.CREDITS]
    due_now = [[weights[site][1], found[site]] for site in now if found[site]]
    last = now[-1] if now else after
    return {"more": len(due) > limits.CREDITS, "after": last, "parts": due_now}


def shares(state: Document, pool: int) -> dict[str, int]:
    """Each site's part of a pool, µcur."""
    weights = {site: wh for site, (wh, _) in state["weights"].items()}
    return divide(pool, weights)[0]
