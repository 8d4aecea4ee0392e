# SPDX-License-Identifier: Apache-2.0
"""What agents of homes in demand response are told: a site's dispatches, to its own device alone.

An inquiry is signed by the device, for this network and channel, and fresh; who only listens learns
nothing of what a home is asked. Dispatches come as their issuer signed them.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from pedchain_domain import canonical, fields, lifecycle, signed
from pedchain_domain.flexibility import papers
from pedchain_domain.reasons import DomainError
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Refused, definition_of
from pedchain_gateway.ledger.queries import ask, ask_document

CONTRACT = papers.CONTRACT
SETTLEMENT = "settlement"
PAGE = 100
"""Orders in one answer of the contract."""
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


class Agents:
    """What one gateway tells agents. Methods raise any `LedgerError`."""

    def __init__(self, ledger: Ledger, channel: str) -> None:
        self._ledger, self._channel = ledger, channel
        self._network: str | None = None

    async def inquired(self, district: str, paper: object, now: float | None = None) -> Document:
        """The inquiry of a paper whose device signed it. Raises `NotProvenError`."""
        try:
            document = papers.opened(paper)
            fields.check(document, INQUIRY)
            assert isinstance(paper, dict)
            fresh(document, time.time() if now is None else now)
            entry = await _device(self._ledger, district, document)
            contract = papers.contract_of(district)
            network = await self._named()
            message = papers.message(document, network, self._channel, contract)
            signed.verify(entry["document"]["key"]["spki"], message, paper["signature"])
        except DomainError as error:
            raise NotProvenError(str(error.reason)) from error
        return document

    async def _named(self) -> str:
        """The network's name, which never changes."""
        if self._network is None:
            setup = await ask_document(self._ledger, SETTLEMENT, "tokens:GetSetup")
            self._network = str(setup["network"])
        return self._network

    async def ahead(self, district: str) -> dict[str, Document]:
        """A district's accepted orders that are not over: {order: {notice, product, ..}}. What a
        ledger has settled, however much, is not looked at."""
        found: dict[str, Document] = {}
        page, last = None, ("", "")
        while page is None or len(page) == PAGE:
            page = await ask(self._ledger, SETTLEMENT, f"{CONTRACT}:ListOrdersAhead", *last)
            found |= {name: told for _, name, told in page if district in told["districts"]}
            last = (page[-1][0], page[-1][1]) if page else last
        return found

    async def dispatches(
        self, district: str, orders: Iterable[str], sites: Sequence[str]
    ) -> list[Document]:
        """Sites' dispatches of these orders, as their issuer signed them."""
        wanted = [{"order": order, "site": site} for order in orders for site in sites]
        found: list[Document | None] = []
        for at in range(0, len(wanted), limits.PAPERS_TOGETHER):
            part = canonical.encode(wanted[at : at + limits.PAPERS_TOGETHER]).decode()
            try:
                function = f"{CONTRACT}:GetDispatches"
                found += await ask(self._ledger, definition_of(district), function, part)
            except Refused as error:
                if error.reason != "not-begun":
                    raise
        return [one for one in found if one is not None]


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
