# SPDX-License-Identifier: Apache-2.0
"""What administrators do to a district's registry after its first registration.

Whatever could name a person, a connection or a meter goes into the transient map. Each function
does one thing and raises any `LedgerError`; `Refused.reason` says what does not hold.
"""

import hashlib
import secrets
from base64 import b32encode
from typing import Any, Final

from pedchain_domain import canonical, members, onboarding
from pedchain_gateway.ledger import queries
from pedchain_gateway.ledger.port import Ledger, Refused, definition_of
from pedchain_gateway.ledger.steps import private, submit_step
from pedchain_gateway.registering.register import REGISTRY

Document = dict[str, Any]
CODE_BYTES: Final = 20
"""160 bits of chance in a claim code: its digest may be seen by whoever is in the collection."""
PERIODS: Final = 7
"""Filing periods, in operation days, that a claim code is good for."""


class ClaimRefused(Exception):  # noqa: N818 - says what is so
    """The claim is not open to this code and device. Nobody is told what did not hold."""


async def call(
    ledger: Ledger, district: str, function: str, *, argument: bool = False, **documents: object
) -> None:
    """Submit a call of the district's contracts with its documents in the transient map.

    `argument` tells that the method also takes the document as an argument, which then is empty;
    those of `metering` all do.
    """
    sent = private(**documents)
    arguments = ("",) if argument or ":" not in function else ()
    await submit_step(ledger, definition_of(district), function, *arguments, transient=sent)


async def ask(ledger: Ledger, definition: str, function: str, *arguments: str) -> Document:
    """A query's document; a list as its `items`."""
    found = await queries.ask(ledger, definition, function, *arguments)
    return found if isinstance(found, dict) else {"items": found}


async def offer_claim(
    ledger: Ledger, district: str, device: Document, periods: int = PERIODS
) -> Document:
    """Expect a device that makes its own key; the code for its installer is shown this once.

    `device` is a device/1 without `key`. Answers {"claim", "code", "through"}.
    """
    fence = await ask(ledger, definition_of(district), "GetFence")
    claim = secrets.token_hex(16)
    code = b32encode(secrets.token_bytes(CODE_BYTES)).decode()
    through = int(fence["period"]) + periods
    document = {
        "schema": "claim/1",
        "id": claim,
        "device": device,
        "code": onboarding.code_digest(claim, code),
        "through": through,
    }
    await call(ledger, district, "membership:OfferClaim", document=document)
    return {"claim": claim, "code": code, "through": through}


async def take_claim(
    ledger: Ledger, district: str, claim: str, code: str, possession: Document
) -> None:
    """Present a device's answer with the code, have it judged, and see whether it was taken.

    Raises `ClaimRefused` for whatever does not hold.
    """
    definition = definition_of(district)
    sent = private(code=code.encode(), possession=possession)
    try:
        await submit_step(ledger, definition, "membership:PresentClaim", claim, transient=sent)
        salted = private()
        await submit_step(ledger, definition, "membership:SettleClaim", claim, transient=salted)
    except Refused as error:
        if error.reason != "claim-refused":
            raise
        raise ClaimRefused from error
    if (await ask(ledger, definition, "membership:GetClaim", claim))["state"] != "used":
        raise ClaimRefused


async def enrol(ledger: Ledger, district: str, membership: Document, identity: Document) -> str:
    """Admit a member who signed `membership`; the pseudonym it goes by."""
    if membership.get("identity") != members.identity_digest(identity):
        raise Refused("identity-mismatch")
    await call(ledger, district, "membership:Enrol", membership=membership, identity=identity)
    spki = str(membership["key"]["spki"])
    found = await ask(ledger, definition_of(district), "membership:GetMemberOfKey", spki)
    return str(found["member"])


async def approve(ledger: Ledger, district: str, digest: str) -> Document:
    """Agree, as a district's operator, to the proposed change with this hash.

    What is agreed to is read first: raises `Refused` where the document is not the one it names.
    """
    proposal = await ask(ledger, REGISTRY, "GetProposal", district)
    document = canonical.encode(proposal["document"])
    if digest != hashlib.sha256(document).hexdigest():
        raise Refused("hash-mismatch", "the proposal is another one")
    await submit_step(ledger, REGISTRY, "Approve", district, digest)
    found: Document = proposal["document"]
    return found
