# SPDX-License-Identifier: Apache-2.0
"""Revocation lists an organisation survives.

Fabric takes a list that names no CA by its key identifier, and from then on holds every certificate
of the organisation for invalid, its administrators' too, so nobody can take it back
(msp/mspimplvalidate.go, validateCertAgainstChain). A list by another CA is taken and does nothing.
"""

from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig

from pedchain_fabric.admin.refusal import EditRefused, Reason, refuse_if
from pedchain_fabric.wire.identity import load_certificate


def check(msp: FabricMSPConfig, known: Iterable[bytes]) -> None:
    """Raise `EditRefused` unless every list not `known` before is of one of the MSP's CAs."""
    authorities = [load_certificate(each) for each in (*msp.root_certs, *msp.intermediate_certs)]
    before = set(known)
    for content in msp.revocation_list:
        if content not in before:
            _check_list(msp.name, content, authorities)


def _check_list(name: str, content: bytes, authorities: list[x509.Certificate]) -> None:
    try:
        revoked = x509.load_pem_x509_crl(content)
        extension = revoked.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        named = extension.value.key_identifier
    except (ValueError, UnsupportedAlgorithm) as error:
        text = f"{name}: a revocation list is no PEM that can be read"
        raise EditRefused(Reason.BAD_VALUE, text) from error
    except x509.ExtensionNotFound as error:
        text = (
            f"{name}: a revocation list without AuthorityKeyIdentifier would make every "
            "certificate of the organisation invalid for ever"
        )
        raise EditRefused(Reason.BAD_VALUE, text) from error
    issuers = [each for each in authorities if _key_identifier(each) == named]
    signed = any(_is_by(revoked, each) for each in issuers)
    text = f"{name}: a revocation list is not by one of its CAs, and would revoke nothing"
    refuse_if(not signed, Reason.BAD_VALUE, text)


def _key_identifier(authority: x509.Certificate) -> bytes | None:
    try:
        extension = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    return extension.value.digest


def _is_by(revoked: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        key = authority.public_key()
        return revoked.is_signature_valid(key)  # type: ignore[arg-type]  # other kinds raise
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False
