# SPDX-License-Identifier: Apache-2.0
"""What a registry transaction relies on: the version of the document it replaces."""

from pedchain_chaincode.documents import Document, load
from pedchain_fabric.shim import Context


async def former(ctx: Context, key: str) -> Document | None:
    """The document under the key, read so that of two replacements in flight one fails."""
    return await load(ctx.stub, key)
