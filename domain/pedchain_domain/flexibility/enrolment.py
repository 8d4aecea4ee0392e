# SPDX-License-Identifier: Apache-2.0
"""Consent to flexibility: what a site offers, to whom and when (rules D3).

    enrolment/1  {schema, site, device, provider, account, from, to, up_w, down_w, available,
                  from_hour, to_hour, share_ppm, history}

Signed by the device, and confirmed by the occupant with the code it had from the DSO. `provider`
and `account` are accounts of settlement: who may ask the site, and who is paid for it. `available`
is ppm of the hours between `from_hour` and `to_hour` (UTC; equal means all day), `share_ppm` the
least share of an order's net pay that goes to users, `history` consent to the days before.
"""

import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from pedchain_domain import fields, onboarding, terms
from pedchain_domain.flexibility.figure import SIGNS
from pedchain_domain.numbers import PPM
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]
MOST_W = 10**9
MEASURES = frozenset(kind for kind, _ in SIGNS)
"""Kinds of points F is made of: grid, generation, hybrid plant."""
_DAY = 86_400

SHAPE: fields.Shape = {
    "schema": fields.one_of("enrolment/1"),
    "site": fields.identifier,
    "device": fields.identifier,
    "provider": fields.identifier,
    "account": fields.identifier,
    "from": fields.count,
    "to": fields.count_or_none,
    "up_w": fields.up_to(MOST_W),
    "down_w": fields.up_to(MOST_W),
    "available": fields.up_to(PPM),
    "from_hour": fields.up_to(23),
    "to_hour": fields.up_to(23),
    "share_ppm": fields.up_to(PPM),
    "history": fields.flag,
}


def check(enrolment: Document, site: Mapping[str, Any]) -> None:
    """Refuse what cannot be dispatched; `site` is the site as registered. DomainError
    `malformed-document`, `bad-quantity`, `protected`, `not-measured`."""
    fields.check(enrolment, SHAPE)
    terms.check(enrolment)
    if enrolment["up_w"] == 0 and enrolment["down_w"] == 0:
        raise DomainError(Reason.BAD_QUANTITY, "neither up nor down")
    check_site(site)


def check_site(site: Mapping[str, Any]) -> None:
    """Protected sites are never dispatched, and where generation is not metered nothing can be
    said of F; DomainError `protected`, `not-measured`."""
    if site.get("protected", False):
        raise DomainError(Reason.PROTECTED)
    if site["plan"] == "P5":
        raise DomainError(Reason.NOT_MEASURED)


def check_meter(kind: str) -> None:
    """The device that consents, and answers for the site, is one of the meters the site is measured
    on: what a sub-meter (charger, heat pump, heat) reads alone is no measure here, so that it
    offers nothing alone either; DomainError `not-measured`."""
    if kind not in MEASURES:
        raise DomainError(Reason.NOT_MEASURED, "sub-meter")


def check_single(enrolment: Document, others: Iterable[Document]) -> None:
    """One provider per site and period: the first by block keeps it; DomainError `overlaps`."""
    if any(terms.overlap(enrolment, other) for other in others):
        raise DomainError(Reason.OVERLAPS)


def confirms(site: str, code: str, digest: str) -> bool:
    """Whether the occupant holds the code the DSO gave for this site."""
    return hmac.compare_digest(onboarding.code_digest(f"flex:{site}", code), digest)


def is_available(enrolment: Mapping[str, Any], start: int, end: int) -> bool:
    """Whether [start, end) lies in the hours the site offered, of days it is enrolled for."""
    if not (terms.holds(dict(enrolment), start) and terms.holds(dict(enrolment), end - 1)):
        return False
    opens, closes = enrolment["from_hour"] * 3_600, enrolment["to_hour"] * 3_600
    if opens == closes:
        return True
    length = (closes - opens) % _DAY
    return bool((start - opens) % _DAY + (end - start) <= length)
