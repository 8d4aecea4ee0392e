# SPDX-License-Identifier: Apache-2.0
"""The guards of privacy: how far days are closed, and how far documents were purged."""

from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.metering import days
from pedchain_chaincode.privacy import keys
from pedchain_fabric.shim import Context


async def closing(ctx: Context) -> Document:
    """Which days are closed by which run: only final days are purged or erased from."""
    return await days.closing(ctx)


async def retention(ctx: Context) -> Document:
    """How far the retention has come; of two steps in flight one fails."""
    found = await load(ctx.stub, keys.retention(ctx.stub))
    return found or {"day": "", "cell": 0, "period": 0, "bucket": 0, "after": ""}
