# SPDX-License-Identifier: Apache-2.0
"""The guards of demand response in a district: each reads the key that changes when what it stands
for lapses."""

from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.flexibility import keys
from pedchain_chaincode.metering import days
from pedchain_chaincode.metering import guards as metering
from pedchain_chaincode.metering.guards import Fence
from pedchain_fabric.shim import Context


async def permitted(ctx: Context, action: str) -> Fence:
    """The fence, for a client that may take this action, a submit method's name. What is filed
    after it changes was not known before."""
    return await metering.permitted(ctx, action)


async def closing(ctx: Context) -> Document:
    """Which days are closed by which run; a close in flight fails what is shared of the day."""
    return await days.closing(ctx)


async def share(ctx: Context, day: str) -> Document:
    """How far a day is shared; of two steps in flight one fails."""
    return await load(ctx.stub, keys.share(ctx.stub, day)) or {}


async def kept(ctx: Context, kind: str) -> Document:
    """How far the retention of a kind has come; of two steps in flight one fails."""
    return await load(ctx.stub, keys.kept(ctx.stub, kind)) or {}
