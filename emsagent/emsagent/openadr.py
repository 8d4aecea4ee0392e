# SPDX-License-Identifier: Apache-2.0
"""Orders in the words of OpenADR 3: the agent as a client (VEN) of the district's VTN.

    [[flexibility]]
    ...
    openadr = { client = "ven-1", secret_file = "ven.secret" }    # path = "/openadr3"

Each event carries the dispatch as its issuer signed it (PED_DISPATCH, docs/openadr.md), which is
judged like any other; an event without one is another VTN's, or another kind, and is not obeyed.
Answers are reports with what the home's device signed (PED_ANSWER).
"""

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from emsagent import limits
from emsagent.consent import Ven
from emsagent.errors import UplinkError
from emsagent.uplink import Uplink
from pedchain_domain import canonical
from pedchain_domain.reasons import DomainError

Document = dict[str, Any]
PAGE = 50


class OpenAdr:
    """One client's dispatches and answers: what a `Follower` asks of a gateway."""

    def __init__(self, uplink: Uplink, ven: Ven) -> None:
        self._uplink, self._ven = uplink, ven
        self._token, self._until = "", 0.0

    async def dispatches(self, inquiry: Document) -> list[Document]:
        """Dispatches in the events of the site that inquires. Raises `UplinkError`."""
        found: list[Document] = []
        site = inquiry["document"]["site"]
        for skip in range(0, limits.EVENTS_MAX, PAGE):
            page = await self._ask(f"/events?skip={skip}&limit={PAGE}")
            found += [paper for event in page for paper in dispatches_of(event, site)]
            if len(page) < PAGE:
                return found
        return found

    async def answer(self, order: str, answers: Sequence[Document]) -> None:
        """Report what the home's device answers to an order. Raises `UplinkError`, `Declined`."""
        for paper in answers:
            await self._uplink.request(
                "POST",
                f"{self._ven.path}/reports",
                report(self._ven.client, order, paper),
                await self._bearer(),
            )

    async def _ask(self, path: str) -> list[Document]:
        token = await self._bearer()
        found = await self._uplink.array(f"{self._ven.path}{path}", token)
        if not all(isinstance(one, dict) for one in found):
            raise UplinkError("the events cannot be read")
        return found

    async def _bearer(self) -> str:
        if time.monotonic() < self._until:
            return self._token
        try:
            secret = self._ven.secret_file.read_text().strip()
        except OSError as error:
            raise UplinkError(f"the client's secret: {error.strerror}") from error
        form = {
            "grant_type": "client_credentials",
            "client_id": self._ven.client,
            "client_secret": secret,
        }
        told = await self._uplink.post_form(f"{self._ven.path}/auth/token", form)
        token, lasts = told.get("access_token"), told.get("expires_in")
        if not isinstance(token, str) or type(lasts) is not int:
            raise UplinkError("the token cannot be read")
        self._token, self._until = token, time.monotonic() + lasts / 2
        return token


def dispatches_of(event: Document, site: str) -> list[Document]:
    """The signed dispatch of an event, if it is for the site and there is one."""
    try:
        payloads = [one for interval in event["intervals"][:1] for one in interval["payloads"]]
        texts = [one["values"][0] for one in payloads if one["type"] == "PED_DISPATCH"]
        papers: list[Any] = [canonical.decode(str(text).encode()) for text in texts]
        return [one for one in papers if one["document"]["site"] == site]
    except (KeyError, IndexError, TypeError, DomainError, canonical.CanonicalError):
        return []


def report(client: str, order: str, paper: Document) -> Document:
    """An OpenADR 3 report with an answer the home's device signed."""
    site = paper["document"]["site"]
    digest = hashlib.sha256(f"event\x00{order}\x00{site}".encode()).hexdigest()
    payload = {"type": "PED_ANSWER", "values": [canonical.encode(paper).decode()]}
    resource = {"resourceName": "home", "intervals": [{"id": 0, "payloads": [payload]}]}
    return {
        "objectType": "REPORT",
        "eventID": digest[:32],
        "clientName": client,
        "resources": [resource],
    }
