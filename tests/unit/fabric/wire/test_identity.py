# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire.identity import Identity, load_certificate
from tests.unit.fabric.wire import pki

CA = pki.root()
MEMBER = CA.member("OrgMSP")


def test_a_creator_holds_msp_id_and_certificate_as_they_are():
    message = SerializedIdentity.FromString(MEMBER.creator)
    assert (message.mspid, message.id_bytes) == ("OrgMSP", MEMBER.certificate)
    assert Identity.from_creator(MEMBER.creator) == MEMBER.identity


def test_what_an_identity_signs_its_public_part_verifies():
    MEMBER.identity.verify(b"m", MEMBER.sign(b"m"))
    with pytest.raises(SignatureInvalid):
        MEMBER.identity.verify(b"n", MEMBER.sign(b"m"))


def test_expiry_is_exposed_for_those_who_judge_it():
    assert MEMBER.identity.not_after == pki.END


def test_a_signing_identity_does_not_show_its_signer():
    assert "signer" not in repr(MEMBER)


@pytest.mark.parametrize("label", [b"CERTIFICATE", b"X", b""])
def test_any_label_of_the_pem_block_is_taken_as_go_takes_it(label):
    relabelled = MEMBER.certificate.replace(b"CERTIFICATE", label)
    assert load_certificate(b"text before\n" + relabelled) == MEMBER.identity.x509


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"no pem",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN A-----\nAAAA\n-----END B-----\n",
        MEMBER.certificate * 200,
    ],
)
def test_what_is_no_certificate_is_an_identity_error(bad):
    with pytest.raises(IdentityError):
        _ = Identity("OrgMSP", bad).x509


@given(st.binary(max_size=200))
def test_a_garbled_creator_is_a_wire_error_or_an_unusable_identity(data):
    try:
        identity = Identity.from_creator(data)
    except WireError:
        return
    with pytest.raises(IdentityError):
        _ = identity.x509


# The parser warns of oddities it will one day refuse; a warning is an error in our tests only.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.data())
def test_a_damaged_certificate_raises_identity_errors_only(data):
    body = bytearray(MEMBER.certificate)
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(body) - 1))
        body[index] = data.draw(st.integers(0, 255))
    identity = Identity("OrgMSP", bytes(body))
    with contextlib.suppress(IdentityError):
        _ = (identity.x509, identity.public_key, identity.not_after)
