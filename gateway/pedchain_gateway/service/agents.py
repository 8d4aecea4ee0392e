# SPDX-License-Identifier: Apache-2.0
"""What agents of homes in demand response are told: a site's dispatches, to its own device alone.

An inquiry is signed by the device, for this network and channel, and fresh; who only listens learns
nothing of what a home is asked. Dispatches come as their issuer signed them.
"""

import time
from typing import Any

from pedchain_domain import fields, lifecycle, signed
from pedchain_domain.flexibility import papers
from pedchain_domain.reasons import DomainError
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Refused, definition_of
from pedchain_gateway.ledger.queries import ask, ask_document

CONTRACT = papers.CONTRACT
SETTLEMENT, ACCEPTED = "settlement", "ACCEPTED"
Document = dict[str, Any]
INQUIRY: fields.Shape = {
    "schema": fields.one_of("inquiry/1"),
    "site": fields.identifier,
    "device": fields.identifier,
    "at": fields.count,
}


class NotProvenError(Exception):
    """An inquiry that its device did not sign now; `reason` is a stable slug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def inquired(
    ledger: Ledger, channel: str, district: str, paper: object, now: float | None = None
) -> Document:
    """The inquiry of a paper whose device signed it. Raises `NotProvenError`, `LedgerError`."""
    try:
        document = papers.opened(paper)
        fields.check(document, INQUIRY)
        assert isinstance(paper, dict)
        fresh(document, time.time() if now is None else now)
        entry = await _device(ledger, district, document)
        network = (await ask(ledger, SETTLEMENT, "tokens:GetSetup"))["network"]
        contract = papers.contract_of(district)
        message = papers.message(document, network, channel, contract)
        signed.verify(entry["document"]["key"]["spki"], message, paper["signature"])
    except DomainError as error:
        raise NotProvenError(str(error.reason)) from error
    return document


def fresh(document: Document, now: float) -> None:
    """Raises `NotProvenError` for an inquiry of another time: it may be somebody's copy."""
    if abs(document["at"] - now) > limits.INQUIRY_FRESH_S:
        raise NotProvenError("stale-inquiry")


async def _device(ledger: Ledger, district: str, document: Document) -> Document:
    try:
        found = await ask_document(ledger, definition_of(district), "GetDevice", document["device"])
    except Refused as error:
        raise NotProvenError("unknown-device") from error
    if found["site"] != document["site"]:
        raise NotProvenError("key-meter-mismatch")
    if lifecycle.state_of(found["document"]) != lifecycle.ACTIVE:
        raise NotProvenError("revoked-key")
    return found


async def live_orders(ledger: Ledger) -> list[str]:
    """Accepted orders, by id. Raises `LedgerError`."""
    found, after = [], ""
    while page := await ask(ledger, SETTLEMENT, f"{CONTRACT}:ListOrdersIssued", after):
        found += [name for name, state in page.items() if state == ACCEPTED]
        after = max(page)
    return sorted(found)


async def dispatches(ledger: Ledger, district: str, site: str) -> list[Document]:
    """A site's dispatches of accepted orders, as their issuer signed them. Raises `LedgerError`."""
    found = []
    for order in await live_orders(ledger):
        paper = await dispatch(ledger, district, order, site)
        if paper is not None:
            found.append(paper)
    return found


async def dispatch(ledger: Ledger, district: str, order: str, site: str) -> Document | None:
    """A site's dispatch of an order; None where it is not asked."""
    asked = (f"{CONTRACT}:GetDispatch", order, site)
    try:
        return await ask_document(ledger, definition_of(district), *asked)
    except Refused as error:
        if error.reason not in ("not-found", "not-begun"):
            raise
        return None
