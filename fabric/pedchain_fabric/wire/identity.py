# SPDX-License-Identifier: Apache-2.0
"""Who acts: an MSP id and a certificate, and optionally the key to sign with."""

import datetime
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.msp.identities_pb2 import SerializedIdentity

from pedchain_fabric.errors import IdentityError
from pedchain_fabric.wire.keys import Signer, verify
from pedchain_fabric.wire.limits import CACHED_IDENTITIES_MAX, CERTIFICATE_BYTES_MAX
from pedchain_fabric.wire.messages import parse, serialize

# Go takes a PEM block of any label for an identity (msp/mspimpl.go, deserializeIdentityInternal).
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]*)-----([A-Za-z0-9+/=\s]+)-----END \1-----")

# What `cryptography` raises for bytes that are no certificate it can read.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True)
class Identity:
    """A member of an organisation: the MSP id and the certificate in PEM, as received."""

    msp_id: str
    certificate: bytes

    @cached_property
    def creator(self) -> bytes:
        """The `msp.SerializedIdentity` that stands for it in headers and endorsements."""
        return serialize(SerializedIdentity(mspid=self.msp_id, id_bytes=self.certificate))

    @cached_property
    def x509(self) -> x509.Certificate:
        """The parsed certificate. Raises `IdentityError` if it is none."""
        return load_certificate(self.certificate)

    @cached_property
    def public_key(self) -> PublicKeyTypes:
        """The certificate's key. Raises `IdentityError` if it is of an unknown kind."""
        try:
            return self.x509.public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise IdentityError("the certificate's public key cannot be used") from error

    @property
    def not_after(self) -> datetime.datetime:
        """When the certificate expires (UTC). Endorsers and orderers look, committers do not."""
        return self.x509.not_valid_after_utc

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise `SignatureInvalid` unless this identity's key signed `message`."""
        verify(self.public_key, message, signature)

    @staticmethod
    @lru_cache(CACHED_IDENTITIES_MAX)
    def from_creator(creator: bytes) -> "Identity":
        """The identity inside `creator`; the same object for the same few signers of a channel.

        Raises `WireError` if the bytes are no `SerializedIdentity`; the certificate is only
        looked at when asked for.
        """
        message = parse(SerializedIdentity, creator)
        return Identity(message.mspid, message.id_bytes)


@dataclass(frozen=True)
class SigningIdentity:
    """An identity that can sign. The signer may keep its key elsewhere (an HSM)."""

    msp_id: str
    certificate: bytes
    signer: Signer = field(repr=False)

    @cached_property
    def identity(self) -> Identity:
        """Its public part."""
        return Identity(self.msp_id, self.certificate)

    @property
    def creator(self) -> bytes:
        """The `msp.SerializedIdentity` that stands for it."""
        return self.identity.creator

    def sign(self, message: bytes) -> bytes:
        """The signature over the whole `message`."""
        return self.signer.sign(message)


def load_certificate(pem: bytes) -> x509.Certificate:
    """The first certificate in `pem`. Raises `IdentityError` if there is none."""
    if len(pem) > CERTIFICATE_BYTES_MAX:
        raise IdentityError("the certificate is too large")
    block = _PEM.search(pem)
    if block is None:
        raise IdentityError("no PEM block where a certificate should be")
    body = b"-----BEGIN CERTIFICATE-----\n%b\n-----END CERTIFICATE-----\n" % block[2].strip()
    try:
        certificate = x509.load_pem_x509_certificate(body)
        _ = (certificate.subject, certificate.issuer, certificate.extensions)
    except _UNREADABLE as error:
        raise IdentityError("the PEM block holds no certificate we can read") from error
    return certificate


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """The certificate's PEM, as Fabric serialises it."""
    return certificate.public_bytes(Encoding.PEM)
