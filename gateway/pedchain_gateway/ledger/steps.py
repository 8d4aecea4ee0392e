# SPDX-License-Identifier: Apache-2.0
"""Submitting a step that may be repeated: once more where somebody was faster or a peer lags."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import (
    REPEATABLE,
    Invalid,
    Ledger,
    LedgerError,
    Mismatch,
    Refused,
    Unavailable,
    Unknown,
)

Pause = Callable[[float], Awaitable[None]]


async def submit_step(
    ledger: Ledger,
    definition: str,
    function: str,
    *arguments: str,
    transient: Mapping[str, bytes] | None = None,
    lagging: Collection[str] = (),
    endorsing: Collection[str] | None = None,
    pause: Pause = asyncio.sleep,
) -> bytes:
    """The contract's answer to an idempotent call; `endorsing` as the ledger's port has it.

    A peer of another organisation that refuses what ours does not lags behind; `lagging` are
    reasons that ours too may give while it has not seen what others committed. Raises what is not
    cured by trying again, `Unavailable` when that did not help either.
    """
    last: LedgerError | None = None
    options: dict[str, Any] = {"endorsing": endorsing} if endorsing else {}
    for attempt in range(limits.STEP_TRIES_MAX):
        try:
            done = await ledger.submit(
                definition, function, *arguments, transient=transient, **options
            )
            return done.result
        except LedgerError as error:
            if not _passes(error, lagging):
                raise
            last = error
        await pause(limits.STEP_PAUSE_S * 2**attempt * (0.5 + secrets.randbelow(1_000) / 1_000))
    raise Unavailable(f"{function} found no way through: {last}") from last


def private(**documents: object) -> dict[str, bytes]:
    """A transient map: what is in it reaches the collection's members and no block.

    Documents become canonical bytes; `salt` leads what the contract keeps of them.
    """
    found = {
        name: value if isinstance(value, bytes) else canonical.encode(value)
        for name, value in documents.items()
    }
    return {"salt": secrets.token_bytes(limits.SALT_BYTES), **found}


def _passes(error: LedgerError, lagging: Collection[str]) -> bool:
    """Whether trying again may help, and does no harm."""
    match error:
        case Mismatch() | Unknown():
            return True
        case Invalid(code=code):
            return code in REPEATABLE
        case Refused(reason=reason, elsewhere=elsewhere):
            return elsewhere or reason in lagging
        case _:
            return False
