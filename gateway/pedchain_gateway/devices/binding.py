# SPDX-License-Identifier: Apache-2.0
"""A device's TLS connection bound to the registry: it brings records of its own site alone.

The client certificate's common name is a registered device, and its key that device's key on the
ledger; the certificate's own authority and dates alone say nothing, for nobody revokes there. A
connection without a certificate stands on the records' signatures, unless the configuration asks
for one.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pedchain_domain import lifecycle
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, LedgerError, Refused
from pedchain_gateway.ledger.queries import Document, ask_document
from pedchain_gateway.service.problems import Problem, ProblemError

PEER = "pedchain.peer"
"""Where a request's scope holds the client's certificate, DER."""


@dataclass(slots=True)
class Bindings:
    """What the registry says of devices, for a minute."""

    ledger: Ledger
    required: bool = False
    _known: dict[tuple[str, str], tuple[float, Document | None]] = field(default_factory=dict)

    async def check(self, definition: str, peer: bytes | None, devices: Iterable[str]) -> None:
        """Raises `ProblemError` `not-bound` for a record this connection may not bring."""
        if peer is None:
            if self.required:
                raise ProblemError(Problem.NOT_BOUND, reason="no-certificate")
            return
        name, spki = _named(peer)
        own = await self._device(definition, name)
        if own is None or own["document"]["key"]["spki"] != spki:
            raise ProblemError(Problem.NOT_BOUND, reason="unknown-device")
        if lifecycle.state_of(own["document"]) != lifecycle.ACTIVE:
            raise ProblemError(Problem.NOT_BOUND, reason="revoked-key")
        for device in sorted({*devices} - {name}):
            found = await self._device(definition, device)
            if found is None or found["site"] != own["site"]:
                raise ProblemError(Problem.NOT_BOUND, reason="key-meter-mismatch")

    async def _device(self, definition: str, name: str) -> Document | None:
        at, found = self._known.get((definition, name), (float("-inf"), None))
        if time.monotonic() - at > limits.BINDING_FRESH_S:
            try:
                found = await ask_document(self.ledger, definition, "GetDevice", name)
            except Refused:
                found = None
            except LedgerError as error:
                raise ProblemError(Problem.LEDGER_UNAVAILABLE) from error
            if len(self._known) >= limits.BINDINGS_MAX:
                self._known.clear()
            self._known[definition, name] = time.monotonic(), found
        return found


def _named(der: bytes) -> tuple[str, str]:
    """The certificate's common name, and its key as the registry writes keys (DER, hex)."""
    certificate = x509.load_der_x509_certificate(der)
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return str(names[0].value) if names else "", spki.hex()
