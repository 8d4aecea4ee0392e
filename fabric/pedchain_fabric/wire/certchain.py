# SPDX-License-Identifier: Apache-2.0
"""From a certificate to a trusted root, by the rules of Go's `crypto/x509` as Fabric uses it.

Our own walk instead of `cryptography.x509.verification`, because a committer's verdict has to
be reproduced, and that library follows the web's rules: it wants names Fabric's certificates
lack and knows no Ed25519. Every trusted certificate is known here, so that the walk is short.
"""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.wire import der
from pedchain_fabric.wire.keys import low_s
from pedchain_fabric.wire.limits import CHAIN_LENGTH_MAX

E = TypeVar("E", bound=x509.ExtensionType)

_HASHES: Final = ("sha256", "sha384", "sha512")
_UNDERSTOOD: Final = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.NAME_CONSTRAINTS,
    ExtensionOID.CRL_DISTRIBUTION_POINTS,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.POLICY_CONSTRAINTS,
    ExtensionOID.POLICY_MAPPINGS,
    ExtensionOID.INHIBIT_ANY_POLICY,
}


@dataclass(frozen=True, slots=True)
class Trust:
    """The certificates a chain may lead through, and those it must end at."""

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()

    def chain(self, leaf: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """The only chain from `leaf` to a root, both included; `leaf` alone if it is a root.

        Checked at one second after the leaf's own NotBefore, as Fabric does
        (msp/mspimplvalidate.go, getValidityOptsForCert): expiry is not a committer's matter.
        Raises `IdentityError` if there is no chain, or more than one.
        """
        at = leaf.not_valid_before_utc + datetime.timedelta(seconds=1)
        _check_usable(leaf, at)
        found = [(leaf,)] if leaf in self.roots else list(self._extend((leaf,), at))
        if len(found) != 1:
            raise IdentityError(f"{len(found)} chains lead to a trusted root instead of one")
        return found[0]

    def _extend(
        self, path: tuple[x509.Certificate, ...], at: datetime.datetime
    ) -> Sequence[tuple[x509.Certificate, ...]]:
        if len(path) >= CHAIN_LENGTH_MAX:
            return []
        done = [(*path, root) for root in _distinct(self.roots) if _signs(root, path, at)]
        for each in _distinct(self.intermediates):
            if _signs(each, path, at):
                done += self._extend((*path, each), at)
        return done


def _distinct(certificates: Sequence[x509.Certificate]) -> Sequence[x509.Certificate]:
    return list(dict.fromkeys(certificates))


def _signs(
    issuer: x509.Certificate, path: tuple[x509.Certificate, ...], at: datetime.datetime
) -> bool:
    """Whether `issuer` may stand above `path` and did sign its last certificate."""
    if any(issuer.subject == each.subject and _key(issuer) == _key(each) for each in path):
        return False
    basic = extension(issuer, x509.BasicConstraints)
    usage = extension(issuer, x509.KeyUsage)
    if basic is None or not basic.ca or (usage is not None and not usage.key_cert_sign):
        return False
    if extension(issuer, x509.NameConstraints) is not None:
        return False  # a CA limited to certain names: not supported, so not trusted
    if basic.path_length is not None and len(path) - 1 > basic.path_length:
        return False
    try:
        algorithm = path[-1].signature_hash_algorithm
        if algorithm is not None and algorithm.name not in _HASHES:
            return False
        path[-1].verify_directly_issued_by(issuer)
        _check_usable(issuer, at)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm, IdentityError):
        return False
    return True


def _key(certificate: x509.Certificate) -> bytes:
    """The public key with its algorithm, raw: also where we cannot use it."""
    return certificate.public_key_algorithm_oid.dotted_string.encode() + key_identifier(certificate)


def key_identifier(certificate: x509.Certificate) -> bytes:
    """A digest of the certificate's public key bytes."""
    try:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return b""


def _check_usable(certificate: x509.Certificate, at: datetime.datetime) -> None:
    """Raise `IdentityError` unless valid at that time, and without surprises in it."""
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise IdentityError("a certificate of the chain was not valid when the leaf was made")
    for each in certificate.extensions:
        if each.critical and each.oid not in _UNDERSTOOD:
            raise IdentityError(f"critical extension {each.oid.dotted_string} is not understood")
    usages = extension(certificate, x509.ExtendedKeyUsage)
    allowed = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    # Go's default when no usage is asked for, as Fabric does not: server authentication.
    if usages is not None and not allowed & set(usages):
        raise IdentityError("the certificate's extended key usage excludes server authentication")


def extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """The certificate's extension of that kind, if it has one."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def is_ecdsa_signed(certificate: x509.Certificate) -> bool:
    """Whether the certificate's own signature is ECDSA, so that it has a low-S form."""
    try:
        return isinstance(certificate.signature_algorithm_parameters, ec.ECDSA)
    except (ValueError, UnsupportedAlgorithm):
        return False


def canonical_der(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """The certificate's DER, its ECDSA signature turned to low S.

    Two encodings of one certificate are one identity to Fabric (msp/cert.go,
    sanitizeECDSASignedCert). Raises `IdentityError` if the signature cannot be read.
    """
    raw = certificate.public_bytes(Encoding.DER)
    key = issuer.public_key()
    if not is_ecdsa_signed(certificate) or not isinstance(key, ec.EllipticCurvePublicKey):
        return raw
    try:
        normalised = low_s(certificate.signature, key.curve.name)
        if normalised == certificate.signature:
            return raw
        body, _ = der.read(raw, der.SEQUENCE)
        _, rest = der.read(body, der.SEQUENCE)
        algorithm, _ = der.read(rest, der.SEQUENCE)
    except WireError as error:
        raise IdentityError("the certificate's signature cannot be read") from error
    return der.sequence(
        certificate.tbs_certificate_bytes,
        der.sequence(algorithm),
        der.encode(der.BIT_STRING, b"\x00" + normalised),
    )


def digest(name: str, *parts: bytes) -> bytes:
    """Hash by Fabric's name for it. Raises `IdentityError` for one Fabric does not know."""
    known = {"SHA256": "sha256", "SHA384": "sha384", "SHA3_256": "sha3_256", "SHA3_384": "sha3_384"}
    if name not in known:
        raise IdentityError(f"unknown hash function {name!r}")
    return hashlib.new(known[name], b"".join(parts)).digest()
