# SPDX-License-Identifier: Apache-2.0
"""A device's answer to a claim: its own new key, and the proof that it holds it.

The document says nothing that could be misused: without the installer's code it binds no key, and
it is for this claim on this ledger alone (domain.onboarding).
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from emsagent.config import Config
from emsagent.errors import ConfigError
from emsagent.keyring import device_of, load_or_create
from emsagent.keys import public_hex
from pedchain_domain import documents, onboarding
from pedchain_domain.reasons import DomainError

Document = dict[str, Any]


def possession(config: Config, device: str, claim: str) -> Document:
    """The possession/1 of a configured device; its key is made if it has none yet.

    Raises `ConfigError` for a device that is not configured or a claim that can be none.
    """
    key = load_or_create(config, device_of(config, device))
    public = {"alg": "ES256", "spki": public_hex(key)}
    body = {"schema": "possession/1", "claim": claim, "key": public}
    message = onboarding.possession_bytes(body, config.network, config.channel)
    signature = key.sign(message, ec.ECDSA(SHA256())).hex()
    try:
        return documents.check({**body, "signature": signature})
    except DomainError as error:
        raise ConfigError("", "that is no claim's id: 32 hex digits") from error
