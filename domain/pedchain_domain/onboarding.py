# SPDX-License-Identifier: Apache-2.0
"""Onboarding by a one-time claim code with proof of possession.

The DSO gives the installer a code and the ledger its digest. The device makes its own key and signs
a possession/1 with it; who presents that document with the code binds the key to the device the
claim names. The digest covers the claim's id, so that one code seen tells nothing of another claim.
"""

import hashlib
import hmac
from typing import Any, Final

from pedchain_domain import signed, text
from pedchain_domain.reasons import DomainError

Document = dict[str, Any]
CONTRACT: Final = "membership"


def code_digest(claim: str, code: str) -> str:
    """What stands for a code on the ledger: SHA-256 over claim id and code, hex.

    A code needs 128 bits of chance, for nothing slows down who guesses at a digest.
    """
    return hashlib.sha256(f"claim\x00{claim}\x00{code}".encode()).hexdigest()


def possession_bytes(body: Document, network: str, channel: str) -> bytes:
    """What the device's new key signs: the claim it takes up and itself."""
    return signed.message(body, network=network, channel=channel, contract=CONTRACT)


def accepts(
    claim: Document, digest: str, possession: Document, network: str, channel: str
) -> Document | None:
    """The device document the claim makes of a possession, or None if something does not hold.

    `claim` is a claim/1, `digest` that of the code that came with the possession. Every check is
    made before the answer, so that the time taken tells nothing of which one failed.
    """
    held = [hmac.compare_digest(digest, claim["code"])]
    body = signed.unsigned(possession)
    held.append(body["claim"] == claim["id"])
    spki = possession["key"]["spki"]
    expected = claim.get("fingerprint")
    held.append(expected in (None, hashlib.sha256(text.hex_bytes(spki)).hexdigest()))
    held.append(_possesses(possession, body, network, channel))
    if not all(held):
        return None
    return {**claim["device"], "key": possession["key"]}


def _possesses(possession: Document, body: Document, network: str, channel: str) -> bool:
    try:
        message = possession_bytes(body, network, channel)
        signed.verify(possession["key"]["spki"], message, possession["signature"])
    except DomainError:
        return False
    return True
