# SPDX-License-Identifier: Apache-2.0
"""Which dispatches a home obeys: what an issuer it knows signed for it, within what it offered.

The gateway that brings a dispatch is trusted with nothing but time: it may be late or silent. One
function per rule; each refuses with its own reason.
"""

from collections.abc import Iterable
from typing import Any

from emsagent.consent import Consent
from emsagent.errors import NotObeyed
from pedchain_domain import fields, signed
from pedchain_domain.flexibility import enrolment, papers
from pedchain_domain.flexibility.order import end, overlaps
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.reasons import DomainError

Document = dict[str, Any]


def judge(
    paper: object, consent: Consent, domain: tuple[str, str], now: int, held: Iterable[Document]
) -> Document:
    """The dispatch to obey. `domain` is network and channel, `held` the dispatches obeyed already.
    Raises `NotObeyed`."""
    document = _read(paper)
    unprotected(consent)
    authentic(paper, document, consent, domain)
    addressed(document, consent)
    within(document, consent)
    timely(document, now)
    alone(document, held)
    return document


def _read(paper: object) -> Document:
    try:
        document = papers.opened(paper)
        fields.check(document, papers.DISPATCH)
    except DomainError as error:
        raise NotObeyed(str(error.reason)) from error
    return document


def unprotected(consent: Consent) -> None:
    """A protected site is never dispatched, whoever asks (rules D3)."""
    if consent.protected:
        raise NotObeyed("protected")


def authentic(paper: object, document: Document, consent: Consent, domain: tuple[str, str]) -> None:
    """An issuer the home knows signed it, for this network and channel."""
    assert isinstance(paper, dict)
    message = papers.message(document, *domain, papers.ORDERS)
    for issuer in consent.issuers:
        try:
            signed.verify(issuer, message, paper["signature"])
        except DomainError:
            continue
        return
    raise NotObeyed("bad-signature")


def addressed(document: Document, consent: Consent) -> None:
    """It is for this site and its device."""
    if (document["site"], document["device"]) != (consent.site, consent.device):
        raise NotObeyed("not-owner")


def within(document: Document, consent: Consent) -> None:
    """It asks no more than was offered, in the hours that were."""
    is_down = document["direction"] == Direction.DOWN
    if document["power_w"] > (consent.down_w if is_down else consent.up_w):
        raise NotObeyed("beyond-capacity")
    offered = consent.enrolment(0)
    if not enrolment.is_available(offered, document["start"], end(document)):
        raise NotObeyed("not-available")


def timely(document: Document, now: int) -> None:
    """The event has not begun: whoever hears of it later was not asked in time."""
    if document["start"] <= now:
        raise NotObeyed("too-late")


def alone(document: Document, held: Iterable[Document]) -> None:
    """A home follows one order at a time."""
    if any(overlaps(other, document) for other in held):
        raise NotObeyed("overlaps")
