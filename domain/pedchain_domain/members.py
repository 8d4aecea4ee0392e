# SPDX-License-Identifier: Apache-2.0
"""Documents about members, where they live, what they share, and devices not yet claimed.

    membership/1     a member's key joins a district; the member signs it, the operator submits it
    identity/1       who the member is: private, salted, only its digest is public
    occupancy/1      a member lives at a site from an instant on; the member signs it
    vacate/1, leave/1  the ends of both, by the operator
    participation/1  the share of a site in a district (domain.participation)
    claim/1          a device that waits for its key; possession/1 the device's answer to it

Signatures are hex beside the body, see domain.signed; who must have signed is the contract's rule.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from pedchain_domain import canonical, terms
from pedchain_domain.fields import (
    Shape,
    count,
    count_or_none,
    digest,
    identifier,
    key,
    line,
    positive,
    salt,
    up_to,
)
from pedchain_domain.numbers import PPM

Document = dict[str, Any]
_SIGNATURE = line(160)


def identity_digest(identity: Document) -> str:
    """What the member signs of its identity and the public ledger holds: salted SHA-256, hex.

    With the identity and its salt erased the digest tells nothing (rules C5's idea).
    """
    return hashlib.sha256(canonical.encode(identity)).hexdigest()


SHAPES: Mapping[str, Shape] = {
    "membership/1": {
        "district": identifier,
        "key": key,
        "identity": digest,
        "from": count,
        "signature": _SIGNATURE,
    },
    "identity/1": {
        "salt": salt,
        "name": line(200),
        "address?": line(400),
        "contact?": line(200),
        "reference?": line(100),
    },
    "occupancy/1": {
        "district": identifier,
        "member": identifier,
        "site": identifier,
        "from": count,
        "to": count_or_none,
        "signature": _SIGNATURE,
    },
    "vacate/1": {"member": identifier, "site": identifier, "from": count, "to": count},
    "leave/1": {"member": identifier, "to": count},
    "participation/1": {
        "site": identifier,
        "district": identifier,
        "ppm": up_to(PPM),
        "from": count,
        "to": count_or_none,
    },
    "claim/1": {
        "id": salt,
        "device": lambda value: isinstance(value, dict),
        "code": digest,
        "through": positive,
        "fingerprint?": digest,
    },
    "possession/1": {"claim": salt, "key": key, "signature": _SIGNATURE},
}
FURTHER: Mapping[str, Callable[[Document], None]] = {
    "occupancy/1": terms.check,
    "participation/1": terms.check,
}
