# SPDX-License-Identifier: Apache-2.0
"""Events of a district's contract: told once the certificate they name was read.

An event alone proves nothing, so it is not handed on: what is told is the certificate that stands
under the key the event names. Contracts' other events name no key and are not told. A checkpoint is
`block:transaction`; who comes again with it is told what came after.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator

from pedchain_gateway import limits
from pedchain_gateway.explorer.streams import Told
from pedchain_gateway.ledger.port import Event, Ledger, Refused
from pedchain_gateway.ledger.queries import ask_document

ISSUED = "CertificateIssued"
_CHECKPOINT = re.compile(r"(?P<block>[0-9]{1,18}):(?P<transaction>[0-9a-f]{0,64})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def checkpoint(text: str) -> tuple[int, str]:
    """Block and transaction of a checkpoint. Raises `ValueError`."""
    found = _CHECKPOINT.fullmatch(text)
    if found is None:
        raise ValueError("a checkpoint is block:transaction")
    return int(found["block"]), found["transaction"]


async def certificates(
    ledger: Ledger, definition: str, after: tuple[int, str] | None
) -> AsyncGenerator[Told]:
    """Certificates as they are issued. Raises `LedgerError` where the stream breaks."""
    async for event in ledger.events(definition, after):
        told = await _told(ledger, definition, event)
        if told is not None:
            yield told


async def _told(ledger: Ledger, definition: str, event: Event) -> Told | None:
    day = _day(event)
    for _ in range(limits.STEP_TRIES_MAX if day is not None else 0):
        try:
            found = await ask_document(ledger, definition, "GetCertificate", str(day))
        except Refused:
            await asyncio.sleep(limits.STEP_PAUSE_S)  # the peer asked may be a block behind
            continue
        return Told(
            f"{event.block}:{event.transaction}",
            event.name,
            {"block": event.block, "transaction": event.transaction, "certificate": found},
        )
    return None


def _day(event: Event) -> str | None:
    """The day an event names; None for an event that names none."""
    if event.name != ISSUED:
        return None
    try:
        day = json.loads(event.payload)["day"]
    except (ValueError, KeyError, TypeError):
        return None
    return day if isinstance(day, str) and _DAY.fullmatch(day) else None
