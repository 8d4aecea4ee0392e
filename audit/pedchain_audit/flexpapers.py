# SPDX-License-Identifier: Apache-2.0
"""Step 10, papers: each dispatch is the issuer's, each answer the site's device's, and what counts
of answers is what was said before the event (rules D2, D3)."""

from dataclasses import dataclass, field
from typing import Any

from pedchain_audit.flexchoice import FlexibilityError, same
from pedchain_audit.flexstore import Store, Written
from pedchain_audit.registry import Registry
from pedchain_domain import canonical, signed

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """A site that an order asks, by which device, and what its dispatch must say."""

    dispatch: Document
    network: str
    key: str
    """The issuer's."""


@dataclass(slots=True)
class Papers:
    """Whom orders ask, by the tags of their documents, and what counts of the answers."""

    channel: str
    dispatches: dict[tuple[str, str], Expected] = field(default_factory=dict)
    answers: dict[tuple[str, str], Expected] = field(default_factory=dict)
    states: dict[tuple[str, str], str | None] = field(default_factory=dict)
    due: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def expect(
        self,
        store: Store,
        district: str,
        order: Document,
        plan: Document,
        network: str,
        account: Document,
    ) -> None:
        """An order's plan stands: these sites will be asked."""
        terms = {name: order[name] for name in ("direction", "start", "count", "grain")}
        for site, watts in plan["watts"].items():
            named = {"order": order["id"], "site": site, "device": plan["devices"][site]}
            dispatch = {"schema": "dispatch/1", **named, **terms, "power_w": watts}
            one = Expected(dispatch, network, account["key"]["spki"])
            self.dispatches[district, store.tag("dispatch", order["id"], site)] = one
            self.answers[district, store.tag("answer", order["id"], site)] = one
        self.due[district, order["id"]] = {*plan["watts"]}

    def check(self, district: str, written: Written, registry: Registry, now: int) -> None:
        """Dispatches and answers that a transaction writes. Raises `FlexibilityError`, and
        DomainError for a signature that is none."""
        for tag, kept in written.items():
            if kept is None:
                continue
            if (district, tag) in self.dispatches:
                self._dispatch(district, self.dispatches[district, tag], kept.document)
            elif (district, tag) in self.answers:
                self._answer(district, self.answers[district, tag], kept.document, registry, now)

    def _dispatch(self, district: str, wanted: Expected, paper: Document) -> None:
        same(wanted.dispatch, paper["document"], "a dispatch")
        self._signed(wanted, paper, "settlement:flexibility", wanted.key)
        self.due[district, wanted.dispatch["order"]].discard(wanted.dispatch["site"])

    def _answer(
        self,
        district: str,
        wanted: Expected,
        answer: Document,
        registry: Registry,
        now: int,
    ) -> None:
        paper, asked = answer["paper"], wanted.dispatch
        body = paper["document"]
        told = {name: body[name] for name in ("order", "site", "device")}
        same({name: asked[name] for name in told}, told, "an answer")
        device = registry.get("device", asked["device"])
        if device is None:
            raise FlexibilityError("an answer of no device")
        contract = f"metering-{district}:flexibility"
        self._signed(wanted, paper, contract, device["document"]["key"]["spki"])
        name = asked["order"], asked["site"]
        said = {"acknowledge": "acknowledged", "opt-out": "opted-out"}[body["answer"]]
        if now < asked["start"]:
            self.states[name] = said
        same(self.states.get(name), answer["state"], "what counts of an answer")

    def _signed(self, wanted: Expected, paper: Document, contract: str, key: str) -> None:
        domain = {"channel": self.channel, "contract": contract, "network": wanted.network}
        message = canonical.encode({"domain": domain, "body": paper["document"]})
        signed.verify(key, message, paper["signature"])

    def all_sent(self, order: str, district: str) -> None:
        """Raises `FlexibilityError` for an order that went on before everybody was asked."""
        if self.due.get((district, order)):
            raise FlexibilityError("an order went on before everybody was asked")

    def is_acknowledged(self, order: str, site: str) -> bool:
        """Whether a site is of the order's portfolio."""
        return self.states.get((order, site)) == "acknowledged"
