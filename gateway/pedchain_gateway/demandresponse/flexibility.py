# SPDX-License-Identifier: Apache-2.0
"""Demand response through one organisation's gateway: consent, orders, and what came of them.

Money is spent by an account's key (`trader`), a site consents and answers by its device's. Every
step may be called again: what is done stays done.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pedchain_domain.calendar import shifted
from pedchain_domain.debit import PrivateKey
from pedchain_domain.flexibility import papers
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Refused, definition_of
from pedchain_gateway.ledger.queries import ask, ask_document
from pedchain_gateway.ledger.steps import private, submit_step
from pedchain_gateway.market.trader import DEFINITION, Trader

CONTRACT = papers.CONTRACT
LAGGING = frozenset(
    ("not-found", "private-data-missing", "not-certified", "not-begun", "unknown-account",
     "not-measured", "unknown-site", "unknown-device")
)  # fmt: skip
Document = dict[str, Any]
Say = Callable[[str], None]


class Flexibility:
    """Demand response as one gateway sees it. Methods raise any `LedgerError`."""

    def __init__(self, ledger: Ledger, channel: str, say: Say) -> None:
        self._ledger, self._channel, self._say = ledger, channel, say

    # a district's sites

    async def offer(self, district: str, site: str, digest: str) -> None:
        """Expect a site's consent by the code with this digest (the DSO)."""
        document = {"site": site, "code": digest}
        await self._submit(definition_of(district), "OfferConsent", document=document)

    async def enrol(self, district: str, paper: Document, code: str) -> None:
        """Carry a consent its device signed, with the occupant's code."""
        sent = {"enrolment": paper, "code": code.encode()}
        await self._submit(definition_of(district), "EnrolSite", **sent)

    async def withdraw(self, district: str, paper: Document) -> None:
        """Carry the end of a consent, signed by its device."""
        await self._submit(definition_of(district), "WithdrawSite", withdrawal=paper)

    async def declare(self, district: str, paper: Document) -> None:
        """Carry a site's schedule of a day or its absence, signed by its device."""
        await self._submit(definition_of(district), "DeclareSite", declaration=paper)

    async def share(self, district: str, first: str, last: str) -> None:
        """Share the closed days from `first` through `last` with the aggregator."""
        day = first
        while day <= last:
            await self._until_done(definition_of(district), "ShareDay", day)
            self._say(f"{district} {day} shared")
            day = shifted(day, 1)

    # an order

    async def order(self, name: str) -> Document:
        """An order as it stands."""
        return await ask_document(self._ledger, DEFINITION, f"{CONTRACT}:GetOrder", name)

    async def issue(self, trader: Trader, body: Document) -> None:
        """Issue an order; its whole price is locked."""
        await trader.spend(CONTRACT, "IssueOrder", "issue-order", {"order": body})

    async def accept(
        self,
        trader: Trader,
        name: str,
        parts: dict[str, int],
        *,
        plant: bool,
        guaranteed: bool = False,
    ) -> None:
        """Accept an order with its districts' parts, W; the notice counts from now."""
        body = {"order": name, "parts": parts, "plant": plant, "guaranteed": guaranteed}
        await trader.spend(CONTRACT, "AcceptOrder", "accept-order", body)

    async def reduce(self, trader: Trader, name: str) -> None:
        """Ask for no more than what is asked of who acknowledged."""
        await trader.spend(CONTRACT, "ReduceOrder", "reduce-order", {"order": name})

    async def revoke(self, trader: Trader, name: str) -> None:
        """Take an order back."""
        await trader.spend(CONTRACT, "RevokeOrder", "revoke-order", {"order": name})

    async def dispatch(self, name: str, key: PrivateKey) -> None:
        """Choose who is asked, district by district, and send what the issuer's key signs.

        Each district's filing period is sealed first, so that what was known at the notice is told
        from what came later.
        """
        found = await self.order(name)
        if found["state"] != "ACCEPTED":
            raise Refused("wrong-state", found["state"])
        network = (await ask(self._ledger, DEFINITION, "tokens:GetSetup"))["network"]
        for district, part in found["districts"].items():
            if part["phase"] == "open":
                period = (await ask(self._ledger, definition_of(district), "GetFence"))["period"]
                await submit_step(self._ledger, definition_of(district), "SealPeriod", str(period))
            if part["phase"] in ("open", "freezing"):
                await self._until_done(DEFINITION, "FreezeOrder", name, district)
            part = (await self.order(name))["districts"][district]
            if part["phase"] == "frozen":
                await self._send(found["order"], district, key, network)
            self._say(f"{district} {part['sites']} sites asked")

    async def _send(self, order: Document, district: str, key: PrivateKey, network: str) -> None:
        plan = await self._look(district, "GetPlan", order["id"])
        domain = (network, self._channel, papers.ORDERS)
        made = [
            papers.signed_by(
                key, papers.dispatch(order, site, plan["devices"][site], watts), domain
            )
            for site, watts in sorted(plan["watts"].items())
        ]
        for part in _parts(made):
            arguments = (order["id"], district)
            await self._submit(DEFINITION, "DispatchOrder", *arguments, dispatches=part)

    async def answer(self, name: str, district: str, answers: Sequence[Document]) -> None:
        """Carry answers agents signed."""
        for part in _parts(list(answers)):
            await self._submit(DEFINITION, "AnswerOrder", name, district, answers=part)

    async def settle(self, name: str) -> Document:
        """Measure, settle and pay an order, as far as it is not done; its result. Refuses
        `wrong-state` for one that nobody accepted, or that ended without a settlement."""
        found = await self.order(name)
        if found["state"] not in ("ACCEPTED", "SETTLED"):
            raise Refused("wrong-state", found["state"])
        for district, part in found["districts"].items():
            if part["phase"] in ("dispatched", "measuring"):
                await self._until_done(DEFINITION, "SettleDistrict", name, district)
                self._say(f"{district} measured")
        if found["state"] == "ACCEPTED":
            await self._submit(DEFINITION, "FinishOrder", name)
        for district, part in (await self.order(name))["districts"].items():
            if part["phase"] == "measured":
                await self._until_done(DEFINITION, "PayDistrict", name, district)
                self._say(f"{district} paid")
        result: Document = (await self.order(name))["result"]
        return result

    async def correct(self, name: str) -> Document:
        """Put a settled order right by run FINAL, as far as it is not done; the correction."""
        found = await self.order(name)
        for district, part in found["districts"].items():
            if part.get("correction", {"phase": "open"})["phase"] in ("open", "measuring"):
                await self._until_done(DEFINITION, "CorrectDistrict", name, district)
                self._say(f"{district} measured by run FINAL")
        if "correction" not in found:
            await self._submit(DEFINITION, "CorrectOrder", name)
        correction: Document = (await self.order(name))["correction"]
        return correction

    async def pay_correction(self, trader: Trader, name: str) -> None:
        """Pay all that a correction makes this account owe. Refuses `not-measured` before it is
        computed."""
        found = await self.order(name)
        correction, order = found.get("correction"), found["order"]
        if correction is None:
            raise Refused("not-measured")
        role = "issuer" if trader.account == order["issuer"] else "provider"
        if role not in correction["paid"]:
            await self._pay(trader, name, None)
        for district in found["districts"] if role == "provider" else ():
            while await self._owes_users(name, district):
                await self._pay(trader, name, district)

    async def _owes_users(self, name: str, district: str) -> bool:
        part = (await self.order(name))["districts"][district]
        return bool(part["correction"]["phase"] == "measured")

    async def _pay(self, trader: Trader, name: str, district: str | None) -> None:
        body = {"order": name, "district": district}
        await trader.spend(CONTRACT, "PayCorrection", "pay-correction", body)

    async def lapse(self, name: str) -> None:
        """End an order that cannot come to its end any more."""
        await self._submit(DEFINITION, "LapseOrder", name)

    async def statement(self, name: str, district: str, site: str) -> tuple[Document, Document]:
        """An order, and what it was for one site, with `corrected` once run FINAL put it right.
        Refuses `not-measured` before it is settled, `unknown-district` where it asked nobody."""
        found = await self.order(name)
        if found.get("result") is None:
            raise Refused("not-measured")
        if district not in found["result"]["pools"]:
            raise Refused("unknown-district", district)
        pool = str(found["result"]["pools"][district])
        told = await self._look(district, "GetStatement", name, site, pool)
        if "correction" in found:
            pools = (pool, str(found["correction"]["pools"][district]))
            corrected = await self._look(district, "GetCorrection", name, site, *pools)
            told = {**told, "corrected": corrected}
        return found, told

    async def _look(self, district: str, function: str, *arguments: str) -> Document:
        definition = definition_of(district)
        return await ask_document(self._ledger, definition, f"{CONTRACT}:{function}", *arguments)

    async def _until_done(self, definition: str, function: str, *arguments: str) -> None:
        while await self._submit(definition, function, *arguments) != b"done":
            pass

    async def _submit(
        self, definition: str, function: str, *arguments: str, **documents: object
    ) -> bytes:
        sent = private(**documents)
        name = f"{CONTRACT}:{function}"
        return await submit_step(
            self._ledger, definition, name, *arguments, transient=sent, lagging=LAGGING
        )


def _parts(made: list[Document]) -> list[list[Document]]:
    size = limits.PAPERS_TOGETHER
    return [made[at : at + size] for at in range(0, len(made), size)]
