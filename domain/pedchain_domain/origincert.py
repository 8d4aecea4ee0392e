# SPDX-License-Identifier: Apache-2.0
"""A granular certificate and its one-way states (rules G4 to G6).

    gc/1 {schema, salt, id, issue, zone, hour, wh, source, owner, state, national, ...}

    active ──> sliced | transferred          ends; its successors are active
           ──> reserved (for)                then only: transferred to, or cancelled for, `for`
           ──> cancelled (for) ──> claimed   a claim needs a cancellation, and ends it
           ──> charged                       given up for what a storage charged in that hour
           ──> withdrawn                     by its owner; nothing was claimed by it
           ──> locked (registry) ──> exported   with the receipt of that foreign registry
           ──> followed                  all of it went with what was sold or shared (P2)

No state is ever left backwards and quantity is never made: what ends has successors of the same
sum or none. `issue` is a salted digest of the issue it comes from; which point that was stands in
the issue's own document, so that it can be erased and the certificate stays.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pedchain_domain import canonical, debit, limits
from pedchain_domain.readings import derive_salt
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.text import from_hex

Document = dict[str, Any]
SCHEMA = "gc/1"
GENERATION, STORAGE = "generation", "storage"
ACTIVE, RESERVED, CANCELLED, LOCKED = "active", "reserved", "cancelled", "locked"
ENDED = ("sliced", "transferred", "claimed", "charged", "withdrawn", "exported", "followed")


class Moved(NamedTuple):
    """What a debit makes of a certificate: its new state, and its successors."""

    certificate: Document
    successors: list[Document]


def new(salt: str, issue: str, owner: str, national: bool, **what: Any) -> Document:
    """A certificate just issued: `what` is zone, hour (UTC start), wh, source."""
    return {
        "schema": SCHEMA,
        "salt": salt,
        "id": derive_salt("certificate", [salt]),
        "issue": issue,
        "owner": owner,
        "state": ACTIVE,
        "national": national,
        **what,
    }


def first_id(issue: str) -> str:
    """The id of the certificate that an issue made."""
    return derive_salt("certificate", [first_salt(issue)])


def first_salt(issue: str) -> str:
    """The salt of that certificate as issued, hex."""
    return derive_salt("first", [issue])


def followed(certificate: Document, parts: Mapping[str, int]) -> Document:
    """A certificate once `parts` of it, pool to Wh, went with the energy; the rest is its own."""
    rest = certificate["wh"] - sum(parts.values())
    state = {} if rest else {"state": "followed"}
    return {**certificate, "wh": rest, "followed": dict(parts), **state}


def move(certificate: Document, action: str, by: str, body: Document, salt: str) -> Moved:
    """Apply a debit of account `by`; `salt` (hex) is fresh. DomainError tells why not.

    The caller checks what needs the ledger: that accounts exist, a claim's consumption, a charge's
    energy, a receipt's registry.
    """
    rule = _RULES.get(action)
    if rule is None:
        raise DomainError(Reason.UNKNOWN_ACTION)
    fields, allowed, apply = rule
    if sorted(body) != fields or body["certificate"] != certificate["id"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "body")
    if certificate["state"] not in allowed:
        raise DomainError(Reason.WRONG_STATE)
    holder = certificate["for"] if action == "claim" else certificate["owner"]
    if holder != by:
        raise DomainError(Reason.NOT_OWNER)
    return apply(certificate, body, salt)


def lock_of(certificate: Document) -> str:
    """What a foreign registry signs for: a commitment to a locked certificate, hex. Its salt keeps
    it from being guessed; whoever is shown the certificate can redo it."""
    shown = {name: certificate[name] for name in ("id", "hour", "wh", "zone", "registry")}
    salted = certificate["lock_salt"].encode() + canonical.encode(shown)
    return hashlib.sha256(salted).hexdigest()


def check_receipt(certificate: Document, receipt: object, spki: str) -> None:
    """Whether a foreign registry's receipt is for this locked certificate (rules G5).

    receipt/1 {schema, registry, lock, reference}; beside it the registry's signature, hex DER.
    """
    if not isinstance(receipt, dict) or sorted(receipt) != ["receipt", "signature"]:
        raise DomainError(Reason.RECEIPT_MISSING)
    inner = receipt["receipt"]
    signature = from_hex(receipt["signature"]) if isinstance(receipt["signature"], str) else None
    if not isinstance(inner, dict) or signature is None:
        raise DomainError(Reason.RECEIPT_MISSING)
    if sorted(inner) != ["lock", "reference", "registry", "schema"]:
        raise DomainError(Reason.RECEIPT_MISSING)
    meant = (inner["schema"], inner["registry"], inner["lock"])
    if meant != ("receipt/1", certificate["registry"], lock_of(certificate)):
        raise DomainError(Reason.RECEIPT_MISSING)
    canonical.check_id(inner["reference"])
    debit.verify(spki, canonical.encode(inner), signature)


def _ended(certificate: Document, state: str, successors: Sequence[Document]) -> Moved:
    named = [each["id"] for each in successors]
    return Moved({**certificate, "state": state, "successors": named}, list(successors))


def _successor(certificate: Document, salt: str, at: int, **changes: Any) -> Document:
    kept = {k: certificate[k] for k in ("issue", "national", "zone", "hour", "source")}
    changed = {"owner": certificate["owner"], "wh": certificate["wh"], **changes}
    salted = derive_salt("successor", [salt, certificate["id"], str(at)])
    return new(salted, parent=certificate["id"], **kept, **changed)


def _slice(certificate: Document, body: Document, salt: str) -> Moved:
    parts = body["parts"]
    sound = isinstance(parts, list) and 2 <= len(parts) <= limits.SLICES
    if not sound or any(type(part) is not int or part < 1 for part in parts):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "parts")
    if sum(parts) != certificate["wh"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "parts do not add up")
    made = [_successor(certificate, salt, at, wh=part) for at, part in enumerate(parts)]
    return _ended(certificate, "sliced", made)


def _transfer(certificate: Document, body: Document, salt: str) -> Moved:
    _meant_for(certificate, body["to"])
    return _ended(certificate, "transferred", [_successor(certificate, salt, 0, owner=body["to"])])


def _reserve(certificate: Document, body: Document, salt: str) -> Moved:
    return Moved({**certificate, "state": RESERVED, "for": body["for"]}, [])


def _cancel(certificate: Document, body: Document, salt: str) -> Moved:
    _meant_for(certificate, body["for"])
    return Moved({**certificate, "state": CANCELLED, "for": body["for"]}, [])


def _meant_for(certificate: Document, account: object) -> None:
    if certificate["state"] == RESERVED and certificate["for"] != account:
        raise DomainError(Reason.WRONG_STATE)


def _end(state: str) -> Callable[[Document, Document, str], Moved]:
    return lambda certificate, body, salt: _ended(certificate, state, [])


def _lock(certificate: Document, body: Document, salt: str) -> Moved:
    locked = {"state": LOCKED, "registry": body["registry"]}
    return Moved({**certificate, **locked, "lock_salt": derive_salt("lock", [salt])}, [])


def _export(certificate: Document, body: Document, salt: str) -> Moved:
    underlying = body["underlying_cancelled"]
    if underlying is not None:
        canonical.check_id(underlying)
    elif certificate["national"]:
        raise DomainError(Reason.UNDERLYING_NOT_CANCELLED)
    kept = {"receipt": body["receipt"], "underlying_cancelled": underlying}
    return _ended({**certificate, **kept}, "exported", [])


_Rule = tuple[list[str], tuple[str, ...], Callable[[Document, Document, str], Moved]]
_RULES: dict[str, _Rule] = {
    "slice": (["certificate", "parts"], (ACTIVE,), _slice),
    "transfer": (["certificate", "to"], (ACTIVE, RESERVED), _transfer),
    "reserve": (["certificate", "for"], (ACTIVE,), _reserve),
    "cancel": (["certificate", "for"], (ACTIVE, RESERVED), _cancel),
    "claim": (["certificate"], (CANCELLED,), _end("claimed")),
    "charge": (["certificate"], (ACTIVE,), _end("charged")),
    "withdraw": (["certificate"], (ACTIVE,), _end("withdrawn")),
    "lock": (["certificate", "registry"], (ACTIVE,), _lock),
    "export": (["certificate", "receipt", "underlying_cancelled"], (LOCKED,), _export),
}
ACTIONS = tuple(_RULES)
