# SPDX-License-Identifier: Apache-2.0
"""An MSP's configuration as rules, and what they make of one certificate (msp/mspimplsetup.go)."""

import datetime
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed25519 as ed
from cryptography.x509.oid import NameOID
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, FabricOUIdentifier
from fabric_protos.msp.msp_principal_pb2 import MSPRole

from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.wire import certchain
from pedchain_fabric.wire.certchain import Trust
from pedchain_fabric.wire.identity import load_certificate

_ROLES: Final = {
    MSPRole.CLIENT: "client",
    MSPRole.PEER: "peer",
    MSPRole.ADMIN: "admin",
    MSPRole.ORDERER: "orderer",
}


@dataclass(frozen=True, slots=True)
class NodeOu:
    """The unit that marks a role, and the digest of the chain that must certify it (or none)."""

    unit: str
    certifiers: bytes = b""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A certificate with a chain to the MSP's CAs. `problem` says why it is not valid, if so.

    `certifiers` is the digest of the chain above it, `id` of the certificate itself.
    """

    id: str
    units: tuple[str, ...]
    certifiers: bytes
    not_after: datetime.datetime
    problem: str
    is_listed_admin: bool
    tells_roles_apart: bool
    node_roles: frozenset[str]

    def has_role(self, role: MSPRole.MSPRoleType.ValueType) -> bool:
        """Whether it may act as `role` of its MSP.

        A listed administrator is one even if revoked, as in Fabric: such lists are kept by hand.
        """
        if role == MSPRole.ADMIN and self.is_listed_admin:
            return True
        if self.problem:
            return False
        if role == MSPRole.MEMBER:
            return True
        return self.tells_roles_apart and _ROLES.get(role, "") in self.node_roles


@dataclass(frozen=True, slots=True)
class MspRules:
    """What an MSP's configuration says."""

    msp_id: str
    trust: Trust
    tls_roots: tuple[bytes, ...]
    hash_name: str
    ed25519: bool
    inner_cas: frozenset[x509.Certificate] = frozenset()
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    units: tuple[tuple[str, bytes], ...] = ()
    enforce_roles: bool = False
    node_ous: dict[str, NodeOu] = field(default_factory=dict)
    admin_ids: frozenset[str] = frozenset()

    def resolve(self, pem: bytes) -> Resolved:
        """What the rules make of the certificate in `pem`.

        Raises `IdentityError` if it cannot be read, its key is of no use to Fabric, or it is
        signed with ECDSA and has no chain (Fabric finds out when it turns it to low S).
        """
        certificate = load_certificate(pem)
        key = _usable_key(certificate)
        problem = "" if self.ed25519 or not _is_ed25519(key) else "Ed25519 is not supported"
        try:
            chain = self.trust.chain(certificate)
        except IdentityError as error:
            if certchain.is_ecdsa_signed(certificate):
                raise
            chain, problem = (certificate,), problem or str(error)
        raw = certchain.canonical_der(certificate, chain[min(1, len(chain) - 1)])
        certifiers = self.chain_digest(chain[1:])
        has_chain = len(chain) > 1 and not _is_ca(certificate)
        units = _units(certificate) if has_chain else ()
        identifier = certchain.digest(self.hash_name, raw).hex()
        return Resolved(
            id=identifier,
            units=units,
            certifiers=certifiers,
            not_after=certificate.not_valid_after_utc,
            problem=problem or self._problem(chain, units, certifiers),
            is_listed_admin=identifier in self.admin_ids,
            tells_roles_apart=self.enforce_roles,
            node_roles=self.roles(units) if self.enforce_roles else frozenset(),
        )

    def chain_digest(self, chain: tuple[x509.Certificate, ...]) -> bytes:
        """Fabric's "certifiers identifier": a digest of the CAs' certificates in order."""
        above = (*chain[1:], chain[-1]) if chain else ()
        pairs = zip(chain, above, strict=True)
        return certchain.digest(
            self.hash_name, *(certchain.canonical_der(c, up) for c, up in pairs)
        )

    def roles(self, units: tuple[str, ...]) -> frozenset[str]:
        """The roles these units mark."""
        return frozenset(role for role, ou in self.node_ous.items() if ou.unit in units)

    def _problem(
        self, chain: tuple[x509.Certificate, ...], units: tuple[str, ...], certifiers: bytes
    ) -> str:
        """Why the certificate is no valid identity, empty if it is (validateIdentity)."""
        if _is_ca(chain[0]):
            return "a CA's certificate cannot be used as an identity"
        if len(chain) < 2 or chain[1] in self.inner_cas:
            return "the certificate must be issued by the last CA of a chain"
        return (
            self._revocation(chain[0], chain[1])
            or self._units_problem(units, certifiers)
            or self._roles_problem(units, certifiers)
        )

    def _revocation(self, certificate: x509.Certificate, issuer: x509.Certificate) -> str:
        issuer_ski = certchain.extension(issuer, x509.SubjectKeyIdentifier)
        for crl in self.crls:
            authority = _authority(crl)
            if authority is None:
                return "a revocation list does not name its authority"
            if issuer_ski is None or authority != issuer_ski.digest:
                continue
            revoked = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if revoked is not None and _crl_is_signed_by(crl, issuer):
                return "the certificate has been revoked"
        return ""

    def _units_problem(self, units: tuple[str, ...], certifiers: bytes) -> str:
        if not self.units or any((unit, certifiers) in self.units for unit in units):
            return ""
        return "none of the certificate's organisational units belong to the MSP"

    def _roles_problem(self, units: tuple[str, ...], certifiers: bytes) -> str:
        """NodeOUs: exactly one unit that marks a role (validateIdentityOUsV142)."""
        if not self.enforce_roles:
            return ""
        marks = {ou.unit: ou for ou in self.node_ous.values()}
        found = [marks[unit] for unit in units if unit in marks]
        if any(ou.certifiers not in (b"", certifiers) for ou in found[:2]):
            return "the unit that marks the role is certified by another CA"
        if len(found) != 1:
            return "the certificate must have exactly one unit that marks a role"
        return ""


def read_rules(config: FabricMSPConfig, *, ed25519: bool) -> MspRules:
    """The rules a configuration holds. Raises `WireError` if Fabric would refuse it."""
    try:
        return _read_rules(config, ed25519)
    except IdentityError as error:
        raise WireError(f"MSP {config.name!r}: {error}") from error


def _read_rules(config: FabricMSPConfig, ed25519: bool) -> MspRules:
    if not config.root_certs:
        raise IdentityError("expected at least one CA certificate")
    if config.crypto_config.signature_hash_family not in ("", "SHA2"):
        raise IdentityError("only the SHA2 family of hashes is supported")
    trust = Trust(
        tuple(map(load_certificate, config.root_certs)),
        tuple(map(load_certificate, config.intermediate_certs)),
    )
    cas = MspRules(
        msp_id=config.name,
        trust=trust,
        tls_roots=tuple(config.tls_root_certs),
        hash_name=config.crypto_config.identity_identifier_hash_function or "SHA256",
        ed25519=ed25519,
        inner_cas=_inner_cas(trust),
        crls=tuple(map(_load_crl, config.revocation_list)),
    )
    _check_cas(cas)
    _check_tls_cas(config)
    return _with_members(cas, config)


def _with_members(cas: MspRules, config: FabricMSPConfig) -> MspRules:
    """The rules about units, roles and administrators, on top of those about CAs."""
    ous = config.fabric_node_ous
    node_ous = {
        role: _node_ou(cas, getattr(ous, f"{role}_ou_identifier"))
        for role in _ROLES.values()
        if ous.HasField(f"{role}_ou_identifier")  # type: ignore[arg-type]  # one of the four names
    }
    units = tuple(
        (each.organizational_unit_identifier, _certifiers(cas, each.certificate))
        for each in config.organizational_unit_identifiers
    )
    enforce = ous.enable and bool(node_ous)
    rules = replace(cas, units=units, enforce_roles=enforce, node_ous=node_ous)
    return _with_admins(rules, config)


def _with_admins(rules: MspRules, config: FabricMSPConfig) -> MspRules:
    admins = [rules.resolve(pem) for pem in config.admins]
    if not admins and not (rules.enforce_roles and "admin" in rules.node_ous):
        raise IdentityError("administrators must be declared when no unit marks them")
    for admin in admins:
        if rules.enforce_roles and not admin.node_roles & {"client", "admin"}:
            raise IdentityError("a declared administrator is neither a client nor an admin")
        if not rules.enforce_roles and admin.problem:
            raise IdentityError(f"a declared administrator is invalid: {admin.problem}")
    return replace(rules, admin_ids=frozenset(admin.id for admin in admins))


def _node_ou(rules: MspRules, identifier: FabricOUIdentifier) -> NodeOu:
    certificate = identifier.certificate
    certifiers = _certifiers(rules, certificate) if certificate else b""
    return NodeOu(identifier.organizational_unit_identifier, certifiers)


def _certifiers(rules: MspRules, pem: bytes) -> bytes:
    """The digest that stands for "certified by this CA of the MSP"."""
    certificate = load_certificate(pem)
    if certificate not in (*rules.trust.roots, *rules.trust.intermediates):
        raise IdentityError("a unit's certificate is none of the MSP's CAs")
    return rules.chain_digest(rules.trust.chain(certificate))


def _inner_cas(trust: Trust) -> frozenset[x509.Certificate]:
    """CAs that certify other CAs: Fabric wants identities from the last CA only."""
    return frozenset(up for each in trust.intermediates for up in trust.chain(each)[1:])


def _check_cas(rules: MspRules) -> None:
    for ca in (*rules.trust.roots, *rules.trust.intermediates):
        _check_ca(ca, rules.trust)
        chain = rules.trust.chain(ca)
        if len(chain) > 1 and (problem := rules._revocation(ca, chain[1])):
            raise IdentityError(problem)


def _check_tls_cas(config: FabricMSPConfig) -> None:
    trust = Trust(
        tuple(map(load_certificate, config.tls_root_certs)),
        tuple(map(load_certificate, config.tls_intermediate_certs)),
    )
    for ca in (*trust.roots, *trust.intermediates):
        _check_ca(ca, trust)


def _check_ca(ca: x509.Certificate, trust: Trust) -> None:
    if not _is_ca(ca):
        raise IdentityError("a CA certificate without the CA attribute")
    if certchain.extension(ca, x509.SubjectKeyIdentifier) is None:
        raise IdentityError("a CA certificate without a subject key identifier")
    trust.chain(ca)


def _load_crl(data: bytes) -> x509.CertificateRevocationList:
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_crl(data)
        return x509.load_der_x509_crl(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IdentityError("a revocation list cannot be read") from error


def _authority(crl: x509.CertificateRevocationList) -> bytes | None:
    try:
        value = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None
    return value.key_identifier


def _crl_is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # other kinds raise
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _is_ca(certificate: x509.Certificate) -> bool:
    basic = certchain.extension(certificate, x509.BasicConstraints)
    return basic is not None and basic.ca


def _is_ed25519(key: object) -> bool:
    return isinstance(key, ed.Ed25519PublicKey)


def _usable_key(certificate: x509.Certificate) -> object:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IdentityError("the certificate's public key cannot be used") from error
    if not isinstance(key, (ec.EllipticCurvePublicKey, ed.Ed25519PublicKey)):
        raise IdentityError("the certificate's key is neither ECDSA nor Ed25519")
    return key


def _units(certificate: x509.Certificate) -> tuple[str, ...]:
    attributes = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return tuple(str(each.value) for each in attributes)
