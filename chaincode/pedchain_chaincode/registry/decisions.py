# SPDX-License-Identifier: Apache-2.0
"""Decisions of all districts: rule, parameters and factors of a district (rules V6).

The definition's policy says that the DSO and two others computed a change, not which districts want
it. So a change is proposed by the DSO, lies there with the list of those who must agree, the
operators of every district, and becomes the district's document when the last of them has.

    proposal  {"document", "hash", "required": [MSP id], "approvals": [[MSP id, transaction]]}
    decision  the same, kept for ever under the day it holds from

It holds from a day that has not begun anywhere on earth when it is proposed and when it is decided,
so no reading that exists is ever weighed by a rule or factor that was chosen after it.
"""

import hashlib
from typing import Final

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, load, save
from pedchain_chaincode.registry import keys
from pedchain_chaincode.state import restore
from pedchain_domain import canonical, instants
from pedchain_fabric.shim import Context, Refusal

EARLIEST_ZONE_S: Final = 14 * 3_600  # UTC+14 is the first place on earth where a day begins


async def propose(ctx: Context, former: Document, district: Document) -> None:
    """Lay a change before the districts; it replaces one that is pending."""
    start = district.get("from")
    if start is None or start <= former.get("from", ""):
        raise Refusal("malformed-document", "from")
    _later_day(ctx, start)
    factors = keys.factors(ctx.stub, district["factors"])
    if await load(ctx.stub, factors) is None:
        raise Refusal("not-in-registry", "factors")
    proposal = {
        "document": district,
        "hash": document_hash(district),
        "required": await _operators(ctx),
        "approvals": [],
    }
    await save(ctx.stub, keys.proposal(ctx.stub, district["id"]), proposal)


async def approve(ctx: Context, district_id: str, digest: str, proposal: Document) -> None:
    """Add the client's organisation to those who agree; the last one decides."""
    if digest != proposal["hash"]:
        raise Refusal("hash-mismatch")
    _later_day(ctx, proposal["document"]["from"])
    agreed = [msp_id for msp_id, _ in proposal["approvals"]]
    own = ctx.client.msp_id
    if own in agreed:
        return
    approvals = [*proposal["approvals"], [own, ctx.stub.transaction_id]]
    after = {**proposal, "approvals": approvals}
    stub = ctx.stub
    if not all(one in (*agreed, own) for one in proposal["required"]):
        await save(stub, keys.proposal(stub, district_id), after)
        return
    document = proposal["document"]
    await save(stub, keys.district(stub, district_id), document)
    await save(stub, keys.decision(stub, district_id, document["from"]), after)
    await stub.del_state(keys.proposal(stub, district_id))


def document_hash(document: Document) -> str:
    """What is agreed to: SHA-256 of the canonical document, hex; factor versions never change."""
    return hashlib.sha256(canonical.encode(document)).hexdigest()


def _later_day(ctx: Context, start: str) -> None:
    """Refuse a day that has begun somewhere by the transaction's own time (see metering.days)."""
    today = instants.format_day((ctx.stub.timestamp + EARLIEST_ZONE_S) // instants.DAY)
    if start <= today:
        raise Refusal("not-a-later-day")


async def _operators(ctx: Context) -> list[str]:
    """The operators of every district there is."""
    found: dict[str, None] = {}
    async with ctx.stub.partial_composite("district", []) as results:
        async for item in results:
            found[restore(item.value)["operator"]] = None
    if len(found) > limits.DISTRICTS:
        raise Refusal("too-large")
    return sorted(found)
