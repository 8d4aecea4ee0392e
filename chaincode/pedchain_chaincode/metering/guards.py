# SPDX-License-Identifier: Apache-2.0
"""The guards of metering: each reads the key that changes when what it stands for lapses."""

from dataclasses import dataclass, replace

from pedchain_chaincode.access import require
from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.metering import keys
from pedchain_fabric.shim import Context, Refusal


@dataclass(frozen=True, slots=True)
class Fence:
    """The open filing period, and what of the district never changes."""

    period: int
    district: str
    operator: str
    network: str
    grain: int
    shards: int

    def following(self) -> "Fence":
        """The same district with the next period open."""
        return replace(self, period=self.period + 1)


async def fence(ctx: Context) -> Fence:
    """The fence. It changes when a period is sealed, so batches in flight then fail."""
    document = await load(ctx.stub, keys.fence(ctx.stub))
    if document is None:
        raise Refusal("not-adopted")
    return Fence(
        period=document["period"],
        district=document["district"],
        operator=document["operator"],
        network=document["network"],
        grain=document["grain"],
        shards=document["shards"],
    )


async def permitted(ctx: Context, action: str) -> Fence:
    """The fence, for a client that may take this action, a submit method's name."""
    found = await fence(ctx)
    require(ctx, action, found.operator)
    return found


async def adoption(ctx: Context) -> Document | None:
    """What was adopted so far; of two adoptions in flight one fails."""
    return await load(ctx.stub, keys.adoption(ctx.stub))


async def closing(ctx: Context) -> Document:
    """Which days are closed by which run. It changes with each."""
    return await load(ctx.stub, keys.closing(ctx.stub)) or {}


async def certificate(ctx: Context, day: str) -> Document:
    """A day's certificate in force. It changes when a later run supersedes it."""
    document = await load(ctx.stub, keys.certificate(ctx.stub, day))
    if document is None:
        raise Refusal("not-found")
    return document


async def device(ctx: Context, device_id: str) -> Document:
    """A device as registered. It changes by rotation, revocation and exchange."""
    document = await load(ctx.stub, keys.device(ctx.stub, device_id))
    if document is None:
        raise Refusal("unknown-device")
    return document


async def member(ctx: Context, member_id: str) -> Document:
    """A member as enrolled. It changes when the member leaves."""
    document = await load(ctx.stub, keys.member(ctx.stub, member_id))
    if document is None:
        raise Refusal("unknown-member")
    return document


async def claim(ctx: Context, claim_id: str) -> Document | None:
    """A claim. It changes with every try, and when it is used or withdrawn."""
    return await load(ctx.stub, keys.claim(ctx.stub, claim_id))
