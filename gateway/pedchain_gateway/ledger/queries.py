# SPDX-License-Identifier: Apache-2.0
"""Questions to a contract, and what it answers read as canonical JSON."""

from typing import Any

from pedchain_domain import canonical
from pedchain_gateway.ledger.port import Ledger, Unavailable

Document = dict[str, Any]


async def ask(ledger: Ledger, definition: str, function: str, *arguments: str) -> Any:
    """A query's answer. Raises `Refused`, or `Unavailable` where no answer comes that can be
    read."""
    answer = await ledger.evaluate(definition, function, *arguments)
    try:
        return canonical.decode(answer)
    except canonical.CanonicalError as error:
        raise Unavailable(f"{function}'s answer cannot be read") from error


async def ask_document(ledger: Ledger, definition: str, function: str, *arguments: str) -> Document:
    """The same where the answer is one document; `Unavailable` if it is none."""
    found = await ask(ledger, definition, function, *arguments)
    if not isinstance(found, dict):
        raise Unavailable(f"{function}'s answer is no document")
    return found
