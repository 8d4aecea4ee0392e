# SPDX-License-Identifier: Apache-2.0
"""What is signed around an order (rules D2, D3): consent and its end, dispatch, answers.

    consent     {document: enrolment/1, signature}    by the site's device
    withdrawal  {document: {schema, site, device, provider, to}, signature}    by the device
    dispatch    {document: {schema, order, site, device, direction, start, count, grain, power_w},
                 signature}    by the issuer's account; agents obey nothing else
    answer      {document: {schema, order, site, device, answer: acknowledge | opt-out}, signature}

Devices sign for their district's definition, issuers for settlement's.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_domain import fields, signed
from pedchain_domain.debit import PrivateKey
from pedchain_domain.flexibility import ownday
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]
Domain = tuple[str, str, str]
"""Network, channel and contract."""
ACKNOWLEDGE, OPT_OUT = "acknowledge", "opt-out"
CONTRACT = "flexibility"
ORDERS = f"settlement:{CONTRACT}"

_SITE: fields.Shape = {"site": fields.identifier, "device": fields.identifier}
WITHDRAWAL: fields.Shape = {
    "schema": fields.one_of("withdrawal/1"),
    **_SITE,
    "provider": fields.identifier,
    "to": fields.count,
}
DISPATCH: fields.Shape = {
    "schema": fields.one_of("dispatch/1"),
    **_SITE,
    "order": fields.identifier,
    "direction": fields.one_of(*Direction),
    "start": fields.count,
    "count": fields.positive,
    "grain": fields.positive,
    "power_w": fields.positive,
}
SCHEDULE: fields.Shape = {
    "schema": fields.one_of("schedule/1"),
    **_SITE,
    "day": fields.identifier,
    "values": lambda value: _energies(value),
}
ABSENCE: fields.Shape = {
    "schema": fields.one_of("absence/1"),
    **_SITE,
    "first": fields.identifier,
    "last": fields.identifier,
}
DECLARATIONS = {"schedule/1": SCHEDULE, "absence/1": ABSENCE}
ANSWER: fields.Shape = {
    "schema": fields.one_of("answer/1"),
    **_SITE,
    "order": fields.identifier,
    "answer": fields.one_of(ACKNOWLEDGE, OPT_OUT),
}


def _energies(value: object) -> bool:
    """A day's Wh by interval."""
    return isinstance(value, list) and all(
        type(wh) is int and abs(wh) <= ownday.MOST_WH for wh in value
    )


def declaration(document: Document) -> None:
    """Refuse what is neither a schedule nor an absence; DomainError `malformed-document`."""
    shape = DECLARATIONS.get(str(document.get("schema")))
    if shape is None:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "schema")
    fields.check(document, shape)


def contract_of(district: str) -> str:
    """What devices of a district sign for."""
    return f"metering-{district}:{CONTRACT}"


def opened(paper: object) -> Document:
    """The document of a signed paper; DomainError `malformed-document` for anything else."""
    if not isinstance(paper, dict) or sorted(paper) != ["document", "signature"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "paper")
    if not isinstance(paper["document"], dict):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "document")
    return paper["document"]


def message(document: Document, network: str, channel: str, contract: str) -> bytes:
    """The bytes that are signed."""
    return signed.message(document, network=network, channel=channel, contract=contract)


def signed_by(key: PrivateKey, document: Document, domain: Domain) -> Document:
    """The paper of a document: what devices and issuers do with their keys."""
    made = key.sign(message(document, *domain), ec.ECDSA(SHA256()))
    return {"document": document, "signature": made.hex()}


def dispatch(order: Document, site: str, device: str, power_w: int) -> Document:
    """The dispatch/1 of one site."""
    terms = {name: order[name] for name in ("direction", "start", "count", "grain")}
    named = {"schema": "dispatch/1", "order": order["id"], "site": site, "device": device}
    return {**named, **terms, "power_w": power_w}
