# SPDX-License-Identifier: Apache-2.0
"""Calls of another definition, whose reads and writes join the transaction's own."""

from typing import Any

from pedchain_chaincode.documents import refusals
from pedchain_domain import canonical
from pedchain_fabric.shim import CalledChaincodeError, Context, Refusal


async def answer_if_defined(
    ctx: Context, definition: str, function: str, *arguments: str | bytes
) -> Any:
    """The same; None where the channel has no such definition."""
    try:
        return await answer_of(ctx, definition, function, *arguments)
    except Refusal as error:
        if str(error).endswith(f"chaincode {definition} not found"):
            return None
        raise


async def answer_of(ctx: Context, definition: str, function: str, *arguments: str | bytes) -> Any:
    """What another definition answers, None for nothing; what it refuses is refused by the same
    reason."""
    try:
        answer = await ctx.stub.invoke_chaincode(definition, function, *arguments)
    except CalledChaincodeError as error:
        reason, _, detail = str(error).partition(": ")
        raise Refusal(reason, detail) from error
    with refusals():
        return canonical.decode(answer) if answer else None
