# SPDX-License-Identifier: Apache-2.0
"""What run FINAL makes of a settled order's statements (rules D7, D9) [our].

    remeasuring  as `measuring`, by order
    corrected    {sites: {site: statement}}    by order and cell

The statements of the settlement stay: these supersede them, and name none but the same sites.
"""

from typing import Any

from pedchain_chaincode.documents import Document
from pedchain_chaincode.flexibility import limits, measuring
from pedchain_chaincode.flexibility.dispatching import plan_of
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.flexibility.wanted import Wanted, wanted
from pedchain_domain.flexibility.basis import Asked
from pedchain_domain.flexibility.correction import additions
from pedchain_domain.flexibility.statement import corrected
from pedchain_fabric.shim import Context, Refusal

RUN = "FINAL"


async def correct(ctx: Context, asked: Document) -> Document:
    """One step over some cells {.., digest: plan's, state: measuring's, final: remeasuring's or
    null}. {more: true, digest} or {more: false, digest, sums, contributed, same}; `same` if every
    site contributed what it did. Refuses `run-missing` before run FINAL is shared."""
    store, want = await Store.open(ctx), await wanted(ctx, asked)
    order = want.order["id"]
    plan = await plan_of(store, order, asked["digest"])
    before = await measuring.held(store, "measuring", order, asked["state"])
    state = await _state(store, want, asked["final"])
    due = [cell for cell in sorted(map(int, before["statements"])) if cell > state["after"]]
    judged = Asked(want.direction, want.rule, want.framed, plan["period"])
    for cell in due[: limits.CORRECT_CELLS]:
        expected = before["statements"][str(cell)]
        await _cell(store, want, judged, (cell, expected), state, plan["accounts"])
        state["after"] = cell
    digest = await store.save(("remeasuring", order), state)
    if len(due) > limits.CORRECT_CELLS:
        return {"more": True, "digest": digest}
    contributed = sum(wh for wh, _ in state["weights"].values())
    same = state["weights"] == before["weights"]
    return {
        "more": False,
        "digest": digest,
        "sums": state["sums"],
        "contributed": contributed,
        "same": same,
    }


async def _state(store: Store, want: Wanted, expected: str | None) -> Document:
    if expected is None:
        sums = [[0, 0] for _ in want.framed.event]
        return {"after": -1, "sums": sums, "weights": {}, "sites": 0, "statements": {}}
    return await measuring.held(store, "remeasuring", want.order["id"], expected)


async def _cell(
    store: Store,
    want: Wanted,
    judged: Asked,
    settled: tuple[int, str],
    state: Document,
    accounts: dict[str, Any],
) -> None:
    order, (cell, expected) = want.order["id"], settled
    statements, digest = await store.held("statements", order, cell)
    if digest != expected:
        raise Refusal("not-certified", "statements")
    today = await store.load("shared", cell, want.framed.day["day"])
    if today is None or today["run"] != RUN:
        raise Refusal("run-missing")
    found: dict[str, Document] = {}
    for site, before in sorted(statements["sites"].items()):
        figure = today["sites"].get(site) or measuring.nothing(today)
        found[site] = corrected(judged, before, figure)
        measuring.add(state, site, found[site], accounts[site])
    state["statements"][str(cell)] = await store.save(("corrected", order, cell), {"sites": found})


async def parts(store: Store, asked: Document) -> Document:
    """Some users' additions {order: id, digest: measuring's, final: remeasuring's, pools: [settled,
    corrected], after: site}; as `measuring.parts`."""
    before = await measuring.held(store, "measuring", asked["order"], asked["digest"])
    after = await measuring.held(store, "remeasuring", asked["order"], asked["final"])
    found = added(before, after, asked["pools"])
    return measuring.page(found, after["weights"], asked["after"])


def added(before: Document, after: Document, pools: list[int]) -> dict[str, int]:
    """What each site's account gets besides, µcur."""
    settled, final = pools
    return additions(measuring.shares(before, settled), measuring.shares(after, final))
