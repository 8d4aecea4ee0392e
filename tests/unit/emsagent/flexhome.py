# SPDX-License-Identifier: Apache-2.0
"""A home that offers flexibility, the issuer it knows, and what an issuer may send it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from emsagent.consent import Consent
from emsagent.keys import public_hex
from pedchain_domain.flexibility import papers

ISSUER = ec.generate_private_key(ec.SECP256R1())
DOMAIN = ("test", "ped")
HOUR = 3_600
START = 1_774_742_400 + 12 * HOUR


def offering(**changes: Any) -> Consent:
    """400 W either way, all day."""
    found = Consent(
        home="home-1",
        meter="home-1-grid",
        site="site-1",
        device="device-1",
        provider="aggregator",
        account="acc-1",
        down_w=400,
        up_w=300,
        from_hour=0,
        to_hour=0,
        available_ppm=1_000_000,
        share_ppm=0,
        history=False,
        issuers=(public_hex(ISSUER),),
        setpoints=Path("setpoints.csv"),
        protected=False,
    )
    return replace(found, **changes)


def dispatch(key: Any = ISSUER, domain: Any = (*DOMAIN, papers.ORDERS), **changes: Any) -> Any:
    """Two hours of 400 W less at noon, signed."""
    body = {
        "schema": "dispatch/1",
        "order": "o-1",
        "site": "site-1",
        "device": "device-1",
        "direction": "down",
        "start": START,
        "count": 2,
        "grain": HOUR,
        "power_w": 400,
    }
    return papers.signed_by(key, {**body, **changes}, domain)
