# SPDX-License-Identifier: Apache-2.0
"""When the certificate of a creator expires. Source: common/crypto/expiration.go."""

from functools import lru_cache

from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.wire.identity import Identity


@lru_cache(maxsize=1024)
def expires_at(creator: bytes) -> float:
    """Seconds since 1970; infinity for who cannot be read and is refused for that elsewhere."""
    try:
        return Identity.from_creator(creator).not_after.timestamp()
    except (IdentityError, WireError):
        return float("inf")
