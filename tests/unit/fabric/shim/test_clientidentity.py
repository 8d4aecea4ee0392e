# SPDX-License-Identifier: Apache-2.0
"""The client as Go's `cid` package would name it."""

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.shim.clientidentity import (
    ATTRIBUTES_OID,
    ClientIdentity,
    distinguished_name,
)
from pedchain_fabric.shim.testing import creator
from pedchain_fabric.wire.identity import Identity, certificate_pem

O = NameOID  # noqa: E741 - short, for the tables below


def _name(*parts: tuple[ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _client(extension: bytes) -> ClientIdentity:
    key = Ed25519PrivateKey.generate()
    name = _name((O.COMMON_NAME, "user"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC))
        .add_extension(x509.UnrecognizedExtension(ATTRIBUTES_OID, extension), critical=False)
        .sign(key, None)
    )
    return ClientIdentity(Identity("AMSP", certificate_pem(certificate)).creator)


# Names and what Go's cid.go (getDN) writes for them, worked out by hand from its rules.
NAMES = [
    (_name((O.COMMON_NAME, "user")), "CN=user"),
    (
        # Go writes its own order, whatever the certificate's
        _name((O.COMMON_NAME, "u"), (O.COUNTRY_NAME, "CH"), (O.ORGANIZATION_NAME, "Org")),
        "CN=u,O=Org,C=CH",
    ),
    (
        # values of one kind stand together
        _name(
            (O.ORGANIZATIONAL_UNIT_NAME, "client"),
            (O.COMMON_NAME, "u"),
            (O.ORGANIZATIONAL_UNIT_NAME, "dept"),
        ),
        "CN=u,OU=client+OU=dept",
    ),
    (
        _name(
            (O.SERIAL_NUMBER, "7"),
            (O.POSTAL_CODE, "3000"),
            (O.STREET_ADDRESS, "Street 1"),
            (O.STATE_OR_PROVINCE_NAME, "BE"),
            (O.LOCALITY_NAME, "Bern"),
        ),
        "SERIALNUMBER=7,POSTALCODE=3000,STREET=Street 1,ST=BE,L=Bern",
    ),
    # of several common names Go keeps the last, and it drops kinds it does not know
    (
        _name((O.COMMON_NAME, "a"), (O.COMMON_NAME, "b"), (O.EMAIL_ADDRESS, "m@example.org")),
        "CN=b",
    ),
    (_name((O.COMMON_NAME, ' #a,b+"c\\<d>;é ')), 'CN=\\ #a\\,b\\+\\"c\\\\\\<d\\>\\;é\\ '),
    (_name((O.COMMON_NAME, "#a b")), "CN=\\#a b"),
    (_name(), ""),
]


@pytest.mark.parametrize(("name", "text"), NAMES)
@pytest.mark.complete("cid-GetID")
def test_names_are_written_as_go_writes_them(name: x509.Name, text: str) -> None:
    assert distinguished_name(name) == text


@pytest.mark.complete("cid-GetID", "cid-GetMSPID", "cid-HasOUValue")
def test_the_id_is_base64_of_subject_and_issuer() -> None:
    client = ClientIdentity(creator("AMSP", "ann", ous=("client", "dept1")))
    expected = b"x509::CN=ann,OU=client+OU=dept1::CN=ca.AMSP"
    assert base64.b64decode(client.id) == expected
    assert (client.msp_id, client.ous) == ("AMSP", ("client", "dept1"))


@pytest.mark.complete("cid-GetAttributeValue")
def test_attributes_are_those_the_authority_attested() -> None:
    client = ClientIdentity(creator("AMSP", attributes={"role": "operator", "hf.Type": "client"}))
    assert client.attributes == {"role": "operator", "hf.Type": "client"}
    assert ClientIdentity(creator("AMSP")).attributes == {}
    assert _client(b"{}").attributes == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"attrs":[]}',
        b'{"attrs":{"a":1}}',
        b"\xff",
        b"[" * 60_000,
        b" " * 70_000,
    ],
)
@pytest.mark.complete("cid-GetAttributeValue")
def test_attributes_that_cannot_be_read_are_an_error(content: bytes) -> None:
    with pytest.raises(IdentityError):
        _ = _client(content).attributes


@pytest.mark.complete("cid-New", "cid-GetX509Certificate")
def test_a_creator_that_is_none_is_an_error() -> None:
    with pytest.raises(WireError):
        ClientIdentity(b"\xff\xff")
    with pytest.raises(IdentityError):
        _ = ClientIdentity(b"\x0a\x04AMSP\x12\x04junk").id


def test_test_clients_are_the_same_bytes_every_time() -> None:
    assert creator("AMSP", "ann") == creator("AMSP", "ann")
    assert creator("AMSP", "ann") != creator("AMSP", "bob")
