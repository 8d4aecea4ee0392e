# SPDX-License-Identifier: Apache-2.0
"""Dispatch documents as the issuer signed them, and what agents answered (rules D2, D3).

    dispatch  the signed paper                             by order and site
    answer    {paper, state: acknowledged | opted-out}     by order and site
    sent      {sites: [site]}                              by order

Before the event the newest answer stands, and who opted out is not in the portfolio. Once it has
begun the portfolio is closed: a late opt-out is kept for the statement and changes nothing.
"""

from collections.abc import Sequence
from typing import Any

from pedchain_chaincode.documents import Document
from pedchain_chaincode.flexibility import signing
from pedchain_chaincode.flexibility.signing import Claimed
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.metering.guards import Fence
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim import Context, Refusal

ACKNOWLEDGED, OPTED_OUT = "acknowledged", "opted-out"


async def dispatch(ctx: Context, fence: Fence, asked: Document) -> Document:
    """Keep signed dispatches of the plan {order, digest, spki}; {left: how many it still lacks}."""
    store, order = await Store.open(ctx), asked["order"]
    plan = await plan_of(store, order["id"], asked["digest"])
    found = signing.several(ctx, "dispatches", papers.DISPATCH)
    claims = []
    for one in found:
        body = one["document"]
        site = body["site"]
        if site not in plan["watts"]:
            raise Refusal("unknown-site")
        if body != papers.dispatch(order, site, plan["devices"][site], plan["watts"][site]):
            raise Refusal("malformed-document", "dispatch")
        message = papers.message(body, fence.network, ctx.stub.channel_id, papers.ORDERS)
        claims.append(Claimed(body, message, one["signature"], asked["spki"]))
    await signing.verified(ctx, claims)
    held = await store.load("sent", order["id"])
    sent = dict.fromkeys(held["sites"] if held is not None else [])
    for one in found:
        site = one["document"]["site"]
        sent[site] = None
        await store.save(("dispatch", order["id"], site), one)
    await store.save(("sent", order["id"]), {"sites": list(sent)})
    return {"left": len(plan["watts"]) - len(sent)}


async def answer(ctx: Context, fence: Fence, asked: Document) -> None:
    """Keep what agents answer to their dispatch {order: id, open: before the event}."""
    store, order = await Store.open(ctx), asked["order"]
    found = signing.several(ctx, "answers", papers.ANSWER)
    sites = [one["document"]["site"] for one in found]
    if len(dict.fromkeys(sites)) != len(sites):
        raise Refusal("malformed-document", "answers")
    if any(one["document"]["order"] != order for one in found):
        raise Refusal("wrong-domain", "order")
    dispatched = await store.load_many([("dispatch", order, site) for site in sites])
    for one, paper in zip(found, dispatched, strict=True):
        if paper is None or paper["document"]["device"] != one["document"]["device"]:
            raise Refusal("not-found", "dispatch")
    await signing.by_devices(ctx, fence, found)
    states = await answers(store, order, sites)
    for one, site in zip(found, sites, strict=True):
        said = one["document"]["answer"]
        if not asked["open"] and said == papers.ACKNOWLEDGE:
            raise Refusal("too-late")
        fresh = ACKNOWLEDGED if said == papers.ACKNOWLEDGE else OPTED_OUT
        state = fresh if asked["open"] else states[site]
        await store.save(("answer", order, site), {"paper": one, "state": state})


async def plan_of(store: Store, order: str, expected: str) -> Document:
    """The plan of an order, as settlement knows it. Refuses `not-certified` for any other."""
    plan, digest = await store.held("plan", order)
    if digest != expected:
        raise Refusal("not-certified", "plan")
    return plan


async def answers(store: Store, order: str, sites: Sequence[str]) -> dict[str, Any]:
    """What counts of each site's answers; None where it gave none in time."""
    found = await store.load_many([("answer", order, site) for site in sites])
    return {
        site: None if one is None else one["state"] for site, one in zip(sites, found, strict=True)
    }
