# SPDX-License-Identifier: Apache-2.0
"""What must hold of certificates that somebody else's CA signed, rule by rule. Pure.

Fabric would refuse most of these only when a node starts, or at the first message of another one.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from pedchain_fabric.admin.authority import BOTH_ENDS, alternative_names
from pedchain_network.limits import EXPIRY_WARN_DAYS
from pedchain_network.pki.leaves import Leaf

T = TypeVar("T", bound=x509.ExtensionType)

ROLES = ("peer", "orderer", "admin", "client")


@dataclass(frozen=True, slots=True)
class Chain:
    """A root CA and the intermediates below it."""

    root: x509.Certificate
    intermediates: tuple[x509.Certificate, ...] = ()

    @property
    def all(self) -> tuple[x509.Certificate, ...]:
        """The root first."""
        return (self.root, *self.intermediates)


def chain(name: str, found: Chain) -> Iterator[str]:
    """What is wrong with an authority (msp/mspimplsetup.go, sanitize and CA checks)."""
    if not _issued(found.root, (found.root,)):
        yield f"{name}: the first certificate is no root, it is not signed by itself"
    for each in found.all:
        title = f"{name} ({each.subject.rfc4514_string()})"
        if not _is_authority(each):
            yield f"{title}: may not sign certificates (basic constraints, key usage)"
        if _extension(each, x509.SubjectKeyIdentifier) is None:
            yield f"{title}: has no subject key identifier, Fabric asks for one"
    for each in found.intermediates:
        if not _issued(each, found.all):
            yield f"{name}: {each.subject.rfc4514_string()} was signed by nobody in this file"


def apart(members: Chain, tls: Chain) -> Iterator[str]:
    """A TLS certificate must never pass for a member's."""
    if _public(members.root) == _public(tls.root):
        yield "ca and tlsca are one authority: every TLS certificate would pass for a member"


def leaf(
    wanted: Leaf,
    found: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    signers: Chain,
    now: datetime.datetime,
) -> Iterator[str]:
    """What is wrong with a certificate, seen from what was asked for."""
    title = wanted.title
    if _public(found) != _spki(key.public_key()):
        yield f"{title}: is of another key than the request"
    if not _issued(found, signers.all):
        yield f"{title}: was not signed by an authority in {wanted.authority}.pem"
    if _is_authority(found):
        yield f"{title}: is an authority's certificate"
    yield from _lifetime(title, found, signers, now)
    yield from _role(wanted, found) if wanted.role else _tls(wanted, found)


def _lifetime(
    title: str, found: x509.Certificate, signers: Chain, now: datetime.datetime
) -> Iterator[str]:
    if found.not_valid_before_utc > now:
        yield f"{title}: begins only {found.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    left = found.not_valid_after_utc - now
    if left < datetime.timedelta(days=EXPIRY_WARN_DAYS):
        yield f"{title}: has {left.days} days left, nodes need {EXPIRY_WARN_DAYS} at least"
    if any(each.not_valid_after_utc < found.not_valid_after_utc for each in signers.all):
        yield f"{title}: outlives its authority"


def _role(wanted: Leaf, found: x509.Certificate) -> Iterator[str]:
    """Exactly one of Fabric's roles as organisational unit, and the one asked for."""
    units = [
        str(each.value)
        for each in found.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    ]
    held = [each for each in units if each in ROLES]
    if held != [wanted.role]:
        said = f"OU {', '.join(units)}" if units else "no OU"
        yield f"{wanted.title}: has {said}, and must have OU {wanted.role}"


def _tls(wanted: Leaf, found: x509.Certificate) -> Iterator[str]:
    names = _extension(found, x509.SubjectAlternativeName)
    lacking = set(alternative_names(wanted.hosts)) - set(names or ())
    if lacking:
        hosts = ", ".join(sorted(str(each.value) for each in lacking))
        yield f"{wanted.title}: its SAN lacks {hosts}"
    uses = _extension(found, x509.ExtendedKeyUsage)
    if uses is not None and not set(BOTH_ENDS) <= set(uses):
        yield f"{wanted.title}: its extended key usage must hold serverAuth and clientAuth"


def _is_authority(found: x509.Certificate) -> bool:
    basic = _extension(found, x509.BasicConstraints)
    usage = _extension(found, x509.KeyUsage)
    return basic is not None and basic.ca and (usage is None or usage.key_cert_sign)


def _issued(found: x509.Certificate, signers: Sequence[x509.Certificate]) -> bool:
    for each in signers:
        try:
            found.verify_directly_issued_by(each)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _extension(found: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return found.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _public(found: x509.Certificate) -> bytes:
    return found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
