# SPDX-License-Identifier: Apache-2.0
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA3_256, SHA3_384, SHA256, SHA384
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire import der
from pedchain_fabric.wire.keys import (
    ORDERS,
    EcdsaSigner,
    Ed25519Signer,
    P256Signer,
    load_signer,
    low_s,
    private_key_pem,
    verify,
)

KEY = ec.generate_private_key(ec.SECP256R1())
SIGNER = P256Signer(KEY)
ORDER = ORDERS["secp256r1"]
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def pem(key, encryption=None, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())


@given(st.binary(max_size=200))
def test_what_is_signed_verifies_and_s_is_in_the_lower_half(message):
    signature = SIGNER.sign(message)
    verify(KEY.public_key(), message, signature)
    assert der.read_signature(signature)[1] <= ORDER // 2


def test_the_mirrored_signature_is_refused_though_it_is_mathematically_right():
    r, s = der.read_signature(SIGNER.sign(b"m"))
    mirrored = der.signature(r, ORDER - s)
    KEY.public_key().verify(mirrored, b"m", ec.ECDSA(SHA256()))
    with pytest.raises(SignatureInvalid, match="upper half"):
        verify(KEY.public_key(), b"m", mirrored)
    verify(KEY.public_key(), b"m", low_s(mirrored, "secp256r1"))


def test_bytes_after_the_signature_are_tolerated_as_fabric_tolerates_them():
    r, s = der.read_signature(SIGNER.sign(b"m"))
    verify(KEY.public_key(), b"m", der.signature(r, s) + b"\0\0")
    inner = der.sequence(der.integer(r), der.integer(s), der.integer(5))
    verify(KEY.public_key(), b"m", inner)


def test_integers_must_be_in_their_shortest_form():
    r, s = der.read_signature(SIGNER.sign(b"m"))
    padded = der.encode(der.INTEGER, b"\0\0" + r.to_bytes(32, "big"))
    with pytest.raises(SignatureInvalid, match="DER"):
        verify(KEY.public_key(), b"m", der.sequence(padded, der.integer(s)))


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (0, 0)])
def test_zero_is_no_signature(r, s):
    with pytest.raises(SignatureInvalid):
        verify(KEY.public_key(), b"m", der.signature(r, s))


def test_another_message_or_key_is_refused():
    signature = SIGNER.sign(b"m")
    with pytest.raises(SignatureInvalid):
        verify(KEY.public_key(), b"n", signature)
    with pytest.raises(SignatureInvalid):
        verify(ec.generate_private_key(ec.SECP256R1()).public_key(), b"m", signature)


@given(st.binary(max_size=300))
def test_garbage_is_an_invalid_signature_and_nothing_else(garbage):
    for key in (KEY.public_key(), ED_KEY.public_key()):
        with pytest.raises(SignatureInvalid):
            verify(key, b"m", garbage)


def test_an_overlong_signature_is_not_even_read():
    with pytest.raises(SignatureInvalid, match="too long"):
        verify(KEY.public_key(), b"m", SIGNER.sign(b"m") + bytes(5000))


def test_ed25519_signs_the_whole_message():
    signer = Ed25519Signer(ED_KEY)
    verify(signer.public_key, b"m", signer.sign(b"m"))
    with pytest.raises(SignatureInvalid):
        verify(signer.public_key, b"n", signer.sign(b"m"))


@pytest.mark.parametrize("curve", [ec.SECP224R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_signatures_on_fabrics_other_curves_verify(curve):
    key = ec.generate_private_key(curve)
    signature = key.sign(b"m", ec.ECDSA(SHA256()))
    verify(key.public_key(), b"m", low_s(signature, curve.name))


def test_a_curve_fabric_does_not_know_is_refused():
    key = ec.generate_private_key(ec.SECP256K1())
    with pytest.raises(SignatureInvalid, match="secp256k1"):
        verify(key.public_key(), b"m", key.sign(b"m", ec.ECDSA(SHA256())))
    with pytest.raises(WireError):
        low_s(SIGNER.sign(b"m"), "secp256k1")


def test_an_rsa_key_verifies_nothing():
    key = rsa.generate_private_key(65537, 2048)
    with pytest.raises(SignatureInvalid, match="neither"):
        verify(key.public_key(), b"m", b"s")


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("curve", [ec.SECP224R1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_a_key_on_any_of_fabrics_curves_loads_from_both_of_its_forms(form, curve):
    signer = load_signer(pem(ec.generate_private_key(curve), form=form))
    assert isinstance(signer, EcdsaSigner)
    for _ in range(8):  # half of all signatures have an upper S at first
        verify(signer.public_key, b"m", signer.sign(b"m"))


def test_where_p256_is_asked_for_no_other_curve_is_taken():
    with pytest.raises(IdentityError, match="not on P-256"):
        P256Signer(ec.generate_private_key(ec.SECP384R1()))


def test_an_ed25519_key_loads():
    assert isinstance(load_signer(pem(ED_KEY)), Ed25519Signer)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"garbage",
        pem(KEY, BestAvailableEncryption(b"secret")),
        pem(rsa.generate_private_key(65537, 2048)),
        pem(ec.generate_private_key(ec.SECP256K1())),
        # An X448 key that is too short, which OpenSSL refuses in a way of its own.
        pem(ED_KEY).replace(b"MC4CAQAwBQYDK2Vw", b"MC4CAQAwBQYDK2Vv"),
        bytes(100_000),
    ],
)
def test_a_key_of_no_use_is_refused_without_showing_it(bad):
    with pytest.raises(IdentityError) as caught:
        load_signer(bad)
    assert caught.value.__cause__ is None
    assert "PRIVATE" not in str(caught.value)


@pytest.mark.complete("client-hash-others")
@pytest.mark.parametrize("algorithm", [SHA384(), SHA3_256(), SHA3_384()])
def test_another_hash_may_be_signed_with_where_others_verify_it(algorithm):
    signature = load_signer(pem(KEY), algorithm).sign(b"m")
    KEY.public_key().verify(signature, b"m", ec.ECDSA(algorithm))
    assert der.read_signature(signature)[1] <= ORDER // 2
    with pytest.raises(SignatureInvalid):  # Fabric's nodes verify none of them
        verify(KEY.public_key(), b"m", signature)


@pytest.mark.complete("client-key-to-pem")
@pytest.mark.parametrize("key", [KEY, ED_KEY], ids=["ECDSA", "Ed25519"])
def test_a_key_is_written_in_the_form_it_is_read_in(key):
    text = private_key_pem(key)
    assert text.startswith(b"-----BEGIN PRIVATE")
    signature = load_signer(text).sign(b"m")
    verify(key.public_key(), b"m", signature)
