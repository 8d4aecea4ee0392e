# SPDX-License-Identifier: Apache-2.0
"""The server's TLS material, from the variables that Fabric's Go and Node chaincodes read."""

import base64
import binascii
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pedchain_fabric.shim.http2.listening import tls_context

_FALSE = frozenset({"0", "f", "false"})


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM of certificate and key; with `client_ca`, peers must show a certificate it signed."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """What the server needs. Raises `ValueError` for material that is none."""
        return tls_context(self.certificate, self.key, self.client_ca)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Tls | None":
        """The material the environment names, or None for plain text.

        `CHAINCODE_TLS_KEY`, `_CERT`, `CHAINCODE_CLIENT_CA_CERT` unless `CHAINCODE_TLS_DISABLED`
        is true (its default); else `CORE_CHAINCODE_TLS_{KEY,CERT,CLIENT_CACERT}_FILE` (PEM) or
        `_PATH` (base64 of PEM). Raises `ValueError` if only one of key and certificate is
        named, or a base64 file holds something else; `OSError` if a file cannot be read.
        """
        if environment.get("CHAINCODE_TLS_DISABLED", "true").lower() in _FALSE:
            return cls._of(
                _pem(environment, "CHAINCODE_TLS_CERT"),
                _pem(environment, "CHAINCODE_TLS_KEY"),
                _pem(environment, "CHAINCODE_CLIENT_CA_CERT"),
            )
        certificate = _core(environment, "CERT")
        key = _core(environment, "KEY")
        if certificate is None and key is None:
            return None
        return cls._of(certificate, key, _core(environment, "CLIENT_CACERT"))

    @classmethod
    def _of(cls, certificate: bytes | None, key: bytes | None, client_ca: bytes | None) -> "Tls":
        if certificate is None or key is None:
            raise ValueError("TLS needs both a certificate and a key")
        return cls(certificate, key, client_ca)


def _core(environment: Mapping[str, str], part: str) -> bytes | None:
    pem = _pem(environment, f"CORE_CHAINCODE_TLS_{part}_FILE")
    if pem is not None:
        return pem
    encoded = _pem(environment, f"CORE_CHAINCODE_TLS_{part}_PATH")
    if encoded is None:
        return None
    try:
        return base64.b64decode(b"".join(encoded.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"CORE_CHAINCODE_TLS_{part}_PATH does not name base64") from error


def _pem(environment: Mapping[str, str], name: str) -> bytes | None:
    path = environment.get(name)
    return Path(path).read_bytes() if path else None
