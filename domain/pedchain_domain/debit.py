# SPDX-License-Identifier: Apache-2.0
"""Debits: what an account gives away, signed by the account's own key (blueprint 1).

    debit/1         {schema, network, channel, contract, account, counter, action, body}
    signed debit    {debit: debit/1, signature: hex DER}, canonical bytes

The signature is over the canonical bytes of the debit, so it holds on one ledger, in one contract,
once: the counter goes up by exactly one. Whoever carries a debit proves nothing by it.
"""

from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pedchain_domain import canonical, der, limits
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.text import from_hex

Document = dict[str, Any]
PrivateKey = ec.EllipticCurvePrivateKey
SCHEMA = "debit/1"
_IDS = ("network", "channel", "contract", "account", "action")
_FIELDS = sorted(("schema", "counter", "body", *_IDS))


@dataclass(frozen=True, slots=True)
class Domain:
    """What a debit is for: ledger, channel and contract (of the one definition that holds it)."""

    network: str
    channel: str
    contract: str


@dataclass(frozen=True, slots=True)
class Debit:
    """One debit as its account signed it."""

    domain: Domain
    account: str
    counter: int
    action: str
    body: Document

    def document(self) -> Document:
        """The debit/1 that is signed."""
        return {
            "schema": SCHEMA,
            "network": self.domain.network,
            "channel": self.domain.channel,
            "contract": self.domain.contract,
            "account": self.account,
            "counter": self.counter,
            "action": self.action,
            "body": self.body,
        }

    def message(self) -> bytes:
        """The bytes that are signed."""
        return canonical.encode(self.document())


@dataclass(frozen=True, slots=True)
class Signed:
    """A debit with its signature, DER."""

    debit: Debit
    signature: bytes

    def encode(self) -> bytes:
        """Its bytes on the wire and in the collection."""
        return canonical.encode({"debit": self.debit.document(), "signature": self.signature.hex()})


def decode(data: bytes) -> Signed:
    """Read a signed debit; DomainError `malformed-document`, or the strict reader's reasons."""
    found = canonical.decode_canonical(data, canonical.Limits(size=limits.DEBIT_BYTES))
    if not isinstance(found, dict) or sorted(found) != ["debit", "signature"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT)
    debit, signature = found["debit"], found["signature"]
    if not isinstance(debit, dict) or sorted(debit) != _FIELDS or debit["schema"] != SCHEMA:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "debit")
    names = [canonical.check_id(debit[name]) for name in _IDS]
    counter, body = debit["counter"], debit["body"]
    if type(counter) is not int or counter < 1 or not isinstance(body, dict):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "debit")
    raw = from_hex(signature) if isinstance(signature, str) else None
    if raw is None or raw.hex() != signature:  # one spelling, as of all canonical bytes
        raise DomainError(Reason.MALFORMED_SIGNATURE)
    return Signed(Debit(Domain(*names[:3]), names[3], counter, names[4], body), raw)


def check(signed: Signed, domain: Domain, spki: str, counter: int) -> Debit:
    """The debit, if it is meant for here, is the account's next, and its key signed it.

    `spki` is the account's registered key, `counter` that of its last debit. DomainError
    `wrong-domain`, `wrong-counter`, `malformed-signature`, `bad-signature`.
    """
    debit = signed.debit
    if debit.domain != domain:
        raise DomainError(Reason.WRONG_DOMAIN)
    if debit.counter != counter + 1:
        raise DomainError(Reason.WRONG_COUNTER)
    verify(spki, debit.message(), signed.signature)
    return debit


def verify(spki: str, message: bytes, signature: bytes) -> None:
    """Whether a P-256 key (hex SPKI) signed the bytes; DomainError."""
    der.signature_values(signature)
    try:
        der.public_key(spki).verify(signature, message, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise DomainError(Reason.BAD_SIGNATURE) from error


def private_key(pem: bytes) -> PrivateKey:
    """An account's key from PEM that is not encrypted. ValueError for anything else."""
    try:
        found = load_pem_private_key(pem, None)
    except TypeError as error:
        raise ValueError("the key is encrypted") from error
    if not isinstance(found, PrivateKey) or not isinstance(found.curve, ec.SECP256R1):
        raise ValueError("not a P-256 key")
    return found


def sign(debit: Debit, key: PrivateKey) -> Signed:
    """The debit signed by the account's key: what a wallet does."""
    return Signed(debit, key.sign(debit.message(), ec.ECDSA(SHA256())))
