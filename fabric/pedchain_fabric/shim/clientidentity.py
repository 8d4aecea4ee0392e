# SPDX-License-Identifier: Apache-2.0
"""Who sent the transaction, as Fabric's Go `cid` package reads a client's certificate."""

import base64
import json
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pedchain_fabric.errors import IdentityError
from pedchain_fabric.shim.limits import ATTRIBUTE_BYTES
from pedchain_fabric.wire.identity import Identity

ATTRIBUTES_OID: Final = ObjectIdentifier("1.2.3.4.5.6.7.8.1")  # Fabric CA's attribute extension

# The parts of a name Go keeps, in the order it writes them again (crypto/x509/pkix).
_NAME_PARTS: Final = (
    (NameOID.COUNTRY_NAME, "C"),
    (NameOID.ORGANIZATION_NAME, "O"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "OU"),
    (NameOID.LOCALITY_NAME, "L"),
    (NameOID.STATE_OR_PROVINCE_NAME, "ST"),
    (NameOID.STREET_ADDRESS, "STREET"),
    (NameOID.POSTAL_CODE, "POSTALCODE"),
    (NameOID.COMMON_NAME, "CN"),
    (NameOID.SERIAL_NUMBER, "SERIALNUMBER"),
)
_SINGLE: Final = frozenset({NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER})
_SPECIAL: Final = frozenset(',+"\\<>;')


class ClientIdentity:
    """The transaction's creator. Its signature and its certificate were checked by the peer."""

    def __init__(self, creator: bytes) -> None:
        self._identity = Identity.from_creator(creator)

    @property
    def msp_id(self) -> str:
        """The organisation that vouches for it."""
        return self._identity.msp_id

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate. Raises `IdentityError` if the creator holds none."""
        return self._identity.x509

    @cached_property
    def id(self) -> str:
        """Base64 of `x509::<subject>::<issuer>`, equal to Go's `GetID`; survives a renewal."""
        names = f"x509::{distinguished_name(self.certificate.subject)}::"
        names += distinguished_name(self.certificate.issuer)
        return base64.b64encode(names.encode()).decode()

    @cached_property
    def ous(self) -> tuple[str, ...]:
        """The organisational units of the subject; roles such as `client` are among them."""
        return _values(self.certificate.subject, NameOID.ORGANIZATIONAL_UNIT_NAME)

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """What the certificate authority attested (extension 1.2.3.4.5.6.7.8.1), or nothing.

        Raises `IdentityError` if the extension is not `{"attrs": {name: text}}`.
        """
        try:
            extension = self.certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID)
        except x509.ExtensionNotFound:
            return MappingProxyType({})
        assert isinstance(extension.value, x509.UnrecognizedExtension)
        return MappingProxyType(_attributes(extension.value.value))


def distinguished_name(name: x509.Name) -> str:
    """A name as Go's `cid` writes it: RFC 2253 with Go's own order and grouping of its parts.

    Go keeps nine kinds of attributes, puts those of one kind together, and drops the rest.
    """
    groups = []
    for oid, label in _NAME_PARTS:
        values = _values(name, oid)
        values = values[-1:] if oid in _SINGLE else values
        if values:
            groups.append("+".join(f"{label}={_escape(value)}" for value in values))
    return ",".join(reversed(groups))


def _values(name: x509.Name, oid: ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(part.value) for part in name.get_attributes_for_oid(oid))


def _escape(value: str) -> str:
    last = len(value) - 1
    return "".join(
        "\\" + character if _must_escape(character, position, last) else character
        for position, character in enumerate(value)
    )


def _must_escape(character: str, position: int, last: int) -> bool:
    at_edge = (position == 0 and character in " #") or (position == last and character == " ")
    return at_edge or character in _SPECIAL


def _attributes(data: bytes) -> dict[str, str]:
    problem = IdentityError("the certificate's attribute extension cannot be read")
    if len(data) > ATTRIBUTE_BYTES:
        raise problem
    try:
        document = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise problem from error
    attributes = document.get("attrs", {}) if isinstance(document, dict) else None
    if not isinstance(attributes, dict):
        raise problem
    if not all(isinstance(value, str) for value in attributes.values()):
        raise problem
    return attributes
