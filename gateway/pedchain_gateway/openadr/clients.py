# SPDX-License-Identifier: Apache-2.0
"""Who may read events and send reports: OAuth 2.0 client credentials, as OpenADR 3 asks.

A client is configured with the digest of its secret and the sites it speaks for. Tokens are kept in
memory: whoever had one when the gateway was started anew asks again.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pedchain_gateway import limits
from pedchain_gateway.config import Ven


@dataclass(slots=True)
class Clients:
    """The configured clients, and the tokens they hold."""

    known: Mapping[str, Ven]
    clock: Callable[[], float] = time.monotonic
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    def token(self, client: str, secret: str) -> str | None:
        """A new token for a client that knows its secret, else None."""
        ven = self.known.get(client)
        expected = ven.secret if ven is not None else "0" * 64
        given = hashlib.sha256(secret.encode()).hexdigest()
        if not hmac.compare_digest(given, expected) or ven is None:
            return None
        now = self.clock()
        live = {token: held for token, held in self._tokens.items() if held[1] > now}
        self._tokens = dict(list(live.items())[-limits.TOKENS_MAX + 1 :])
        made = secrets.token_urlsafe(32)
        self._tokens[made] = (client, now + limits.TOKEN_S)
        return made

    def of(self, token: str) -> Ven | None:
        """The client that holds a token now."""
        client, until = self._tokens.get(token, ("", 0.0))
        return self.known.get(client) if until > self.clock() else None
