# SPDX-License-Identifier: Apache-2.0
"""What a registry transaction relies on: the version of the document it replaces."""

from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.registry import keys
from pedchain_fabric.shim import Context, Refusal


async def former(ctx: Context, key: str) -> Document | None:
    """The document under the key, read so that of two replacements in flight one fails."""
    return await load(ctx.stub, key)


async def proposal(ctx: Context, district_id: str) -> Document:
    """The change that waits; of an approval and a new proposal in flight one fails."""
    document = await load(ctx.stub, keys.proposal(ctx.stub, district_id))
    if document is None:
        raise Refusal("not-found")
    return document
