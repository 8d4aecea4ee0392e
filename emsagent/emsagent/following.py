# SPDX-License-Identifier: Apache-2.0
"""A home in demand response: it asks for its dispatches, obeys or not, and answers, all signed.

An order that the gateway no longer tells of as accepted was taken back or has lapsed: from then on
it is not followed. A gateway that does not answer changes nothing: what was promised is kept.
"""

import time
from collections.abc import Sequence
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from emsagent import keyring, logs
from emsagent.config import Config, HomeConfig
from emsagent.consent import Consent
from emsagent.errors import ConfigError, Declined, NotObeyed, UplinkError
from emsagent.obedience import judge
from emsagent.promises import Promise, Promises
from emsagent.uplink import Uplink
from pedchain_domain.flexibility import papers
from pedchain_domain.flexibility.order import end

Document = dict[str, Any]


class Asking(Protocol):
    """Where dispatches come from and answers go: a gateway's own routes, or OpenADR 3."""

    async def dispatches(self, inquiry: Document) -> list[Document]:
        """What accepted orders ask of the device that signed the inquiry. Raises `UplinkError`."""
        ...

    async def answer(self, order: str, answers: Sequence[Document]) -> None:
        """Bring answers to an order. Raises `UplinkError`, `Declined`."""
        ...


def consent_of(config: Config, home: str) -> Consent:
    """What a home offers. Raises `ConfigError` where it offers nothing."""
    for one in config.consents:
        if one.home == home:
            return one
    raise ConfigError("flexibility", f"{home} offers nothing")


class Follower:
    """One home's part in demand response."""

    def __init__(self, config: Config, consent: Consent) -> None:
        self.consent = consent
        self._domain = (config.network, config.channel)
        self._district = _district(config, consent.home)
        self._key: ec.EllipticCurvePrivateKey = keyring.load(
            config, keyring.device_of(config, consent.meter)
        )
        self._path = config.state / "flexibility" / f"{consent.home}.json"
        self._promises = Promises(self._path, consent.setpoints)
        self._passed: set[str] = set()

    @property
    def promises(self) -> dict[str, Promise]:
        """What was answered, by order."""
        return self._promises.orders

    def setpoint(self, now: int) -> int | None:
        """The power that an order asks for now, W (minus: draw less), or None."""
        for one in self.promises.values():
            if one.is_followed and one.start <= now < one.until:
                return one.watts
        return None

    async def enrol(self, uplink: Uplink, code: str, since: int) -> Document:
        """Consent from an instant on, with the code the occupant has from the DSO; the paper that
        was sent. Raises `NotObeyed` `protected`, `UplinkError`."""
        if self.consent.protected:
            raise NotObeyed("protected")
        paper = self._signed(self.consent.enrolment(since))
        await uplink.enrol(paper, code)
        return paper

    async def withdraw(self, uplink: Uplink, until: int) -> None:
        """Consent no longer, from an instant on. Raises `UplinkError`."""
        body = {"schema": "withdrawal/1", "provider": self.consent.provider, "to": until}
        await uplink.withdraw(self._signed(body | self._named()))

    def leave(self, order: str, now: int) -> None:
        """The occupant opts out of an order: told to the ledger with the next turn. Raises
        `NotObeyed` for an order nobody asked of this home."""
        promise = self.promises.get(order)
        if promise is None:
            raise NotObeyed("not-found")
        promise.answer, promise.sent = papers.OPT_OUT, False
        promise.ends = now
        self._promises.keep()

    async def turn(self, uplink: Asking, now: int) -> None:
        """Ask, judge, keep, answer; `now` is the time the home lives in. Never raises for what the
        network or the gateway do."""
        self._promises = Promises(self._path, self.consent.setpoints)  # somebody may have opted out
        try:
            told = await uplink.dispatches(self.inquiry())
        except UplinkError as error:
            logs.event("not-asked", home=self.consent.home, why=str(error))
            return
        for paper in told:
            self._consider(paper, now)
        live = {str(_order(paper)) for paper in told}
        for name, promise in self.promises.items():
            if name not in live and promise.ends is None and now < end(promise.dispatch):
                promise.ends = now
                logs.event("taken-back", home=self.consent.home, order=name)
        self._promises.keep()
        await self._answer(uplink, live)

    def _consider(self, paper: Document, now: int) -> None:
        order = str(_order(paper))
        if order in self.promises or order in self._passed:
            return
        following = [one.dispatch for one in self.promises.values() if one.is_followed]
        try:
            found = judge(paper, self.consent, self._domain, now, following)
        except NotObeyed as error:
            logs.alarm(error.code, home=self.consent.home, reason=error.reason)
            self._passed.add(order)
            return
        self.promises[found["order"]] = Promise(found, papers.ACKNOWLEDGE)

    async def _answer(self, uplink: Asking, live: set[str]) -> None:
        due = {name: one for name, one in self.promises.items() if name in live and not one.sent}
        for name, promise in due.items():
            body = {"schema": "answer/1", "order": name, "answer": promise.answer}
            try:
                await uplink.answer(name, [self._signed(body | self._named())])
            except Declined as error:
                logs.alarm(error.code, home=self.consent.home, order=name, reason=error.reason)
                continue
            except UplinkError as error:
                logs.event("not-answered", home=self.consent.home, order=name, why=str(error))
                continue
            promise.sent = True
        if due:
            self._promises.keep()

    def inquiry(self) -> Document:
        """The home's question for its dispatches, signed now."""
        return self._signed(self._inquiry())

    def _inquiry(self) -> Document:
        return {"schema": "inquiry/1", "at": int(time.time()), **self._named()}

    def _named(self) -> Document:
        return {"site": self.consent.site, "device": self.consent.device}

    def _signed(self, document: Document) -> Document:
        contract = papers.contract_of(self._district)
        return papers.signed_by(self._key, document, (*self._domain, contract))


async def enrol(config: Config, home: str, code: str, since: int) -> Document:
    """Consent for a home, as configured; the paper that was sent."""
    follower = Follower(config, consent_of(config, home))
    async with Uplink(config.gateways[_district(config, home)]) as uplink:
        return await follower.enrol(uplink, code, since)


async def withdraw(config: Config, home: str, until: int) -> None:
    """End a home's consent."""
    follower = Follower(config, consent_of(config, home))
    async with Uplink(config.gateways[_district(config, home)]) as uplink:
        await follower.withdraw(uplink, until)


def _order(paper: object) -> object:
    document = paper.get("document") if isinstance(paper, dict) else None
    return document.get("order") if isinstance(document, dict) else None


def _district(config: Config, home: str) -> str:
    found: HomeConfig = next(one for one in config.homes if one.id == home)
    return found.district
