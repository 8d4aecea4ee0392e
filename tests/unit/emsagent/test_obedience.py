# SPDX-License-Identifier: Apache-2.0
"""What a home obeys: one test per guard."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from emsagent.errors import NotObeyed
from emsagent.keys import public_hex
from emsagent.obedience import judge
from pedchain_domain.flexibility import papers
from tests.unit.emsagent.flexhome import DOMAIN, HOUR, ISSUER, START, dispatch, offering


def refused(paper: Any, reason: str, now: int = START - HOUR, held: Any = (), **offer: Any) -> None:
    with pytest.raises(NotObeyed, match=f"^{reason}$"):
        judge(paper, offering(**offer), DOMAIN, now, held)


def test_a_dispatch_within_the_offer_is_obeyed() -> None:
    found = judge(dispatch(), offering(), DOMAIN, START - 1, ())
    assert found["power_w"] == 400
    two = (public_hex(ec.generate_private_key(ec.SECP256R1())), public_hex(ISSUER))
    assert judge(dispatch(), offering(issuers=two), DOMAIN, START - 1, ()) == found


@pytest.mark.fault(41)
def test_nobody_else_signs_for_the_issuer() -> None:
    refused(dispatch(ec.generate_private_key(ec.SECP256R1())), "bad-signature")
    paper = dispatch()
    paper["document"]["power_w"] = 300
    refused(paper, "bad-signature")
    refused({**dispatch(), "signature": "00"}, "bad-signature")


def test_a_signature_for_another_network_channel_or_contract_is_worth_nothing() -> None:
    for domain in (
        ("other", "ped", papers.ORDERS),
        ("test", "other", papers.ORDERS),
        ("test", "ped", papers.contract_of("DistrictA")),
    ):
        refused(dispatch(domain=domain), "bad-signature")


@pytest.mark.parametrize("change", [{"site": "site-2"}, {"device": "device-2"}])
def test_another_home_s_dispatch_is_not_obeyed(change: Any) -> None:
    refused(dispatch(**change), "not-owner")


@pytest.mark.parametrize("change", [{"power_w": 401}, {"direction": "up", "power_w": 301}])
def test_no_more_is_done_than_was_offered(change: Any) -> None:
    refused(dispatch(**change), "beyond-capacity")


def test_hours_that_were_not_offered_are_not_asked() -> None:
    refused(dispatch(), "not-available", from_hour=13, to_hour=20)


@pytest.mark.parametrize("now", [START, START + HOUR, START + 30 * HOUR])
def test_an_event_that_has_begun_is_not_joined(now: int) -> None:
    """Neither is an old dispatch that is sent again."""
    refused(dispatch(), "too-late", now=now)


def test_a_home_follows_one_order_at_a_time() -> None:
    held = [dispatch()["document"]]
    refused(dispatch(order="o-2", start=START + HOUR), "overlaps", held=held)
    later = dispatch(order="o-2", start=START + 2 * HOUR)
    assert judge(later, offering(), DOMAIN, START - 1, held)["order"] == "o-2"


def test_a_protected_home_obeys_nobody() -> None:
    refused(dispatch(), "protected", protected=True)


@pytest.mark.parametrize(
    "paper", [None, [], {}, {"document": {}, "signature": ""}, {**dispatch(), "more": 1}]
)
def test_what_is_no_dispatch_is_refused(paper: Any) -> None:
    refused(paper, "malformed-document")
