# SPDX-License-Identifier: Apache-2.0
"""Signing with PKCS #11, on SoftHSM where it is installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_fabric.errors import IdentityError
from pedchain_fabric.wire import der
from pedchain_fabric.wire.keys import ORDERS, verify

pkcs11 = pytest.importorskip("pkcs11")

from pkcs11.util.ec import encode_named_curve_parameters  # noqa: E402 - after the check for it

from pedchain_fabric.client.hsm import Hsm  # noqa: E402 - likewise

_LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
LIBRARY = next((path for path in _LIBRARIES if os.path.exists(path)), "")
PIN = "8642"
_SO_PIN = ("--so-pin", "1357")
TOKEN = "ForFabric"
P256_ID, TWIN_ID, P384_ID = b"\x01", b"\x02", b"\x03"

pytestmark = pytest.mark.skipif(
    not (LIBRARY and shutil.which("softhsm2-util")), reason="SoftHSM is not installed"
)


@pytest.fixture(scope="module")
def hsm(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Hsm, ec.EllipticCurvePublicKey]]:
    """A token with a P-256 key, two keys of one id, a P-384 key; and the first one's public key."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("softhsm")
        (home / "tokens").mkdir()
        (home / "softhsm2.conf").write_text(f"directories.tokendir = {home / 'tokens'}\n")
        patch.setenv("SOFTHSM2_CONF", str(home / "softhsm2.conf"))
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--pin", PIN, *_SO_PIN],
            check=True,
            capture_output=True,
        )
        pkcs11.lib(LIBRARY).reinitialize()  # another module's tests may have loaded it
        library = Hsm(LIBRARY)
        yield library, _keys()


def _keys() -> ec.EllipticCurvePublicKey:
    token = pkcs11.lib(LIBRARY).get_token(token_label=TOKEN)
    with token.open(rw=True, user_pin=PIN) as session:
        points = {}
        for identifier, curve in (
            (P256_ID, "secp256r1"),
            (TWIN_ID, "secp256r1"),
            (TWIN_ID, "secp256r1"),
            (P384_ID, "secp384r1"),
        ):
            parameters = session.create_domain_parameters(
                pkcs11.KeyType.EC,
                {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)},
                local=True,
            )
            public, _ = parameters.generate_keypair(
                store=True, id=identifier, label=f"key {identifier.hex()}"
            )
            points[identifier] = public[pkcs11.Attribute.EC_POINT]
    # CKA_EC_POINT is the point inside a DER octet string (PKCS #11 2.40, 2.3.3).
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), points[P256_ID][2:])


Made = tuple[Hsm, ec.EllipticCurvePublicKey]


@pytest.mark.complete("client-hsm")
def test_what_the_token_signs_is_a_signature_fabric_accepts(hsm: Made) -> None:
    library, public_key = hsm
    with library.signer(TOKEN, PIN, identifier=P256_ID) as signer:
        for number in range(20):
            message = b"proposal %d" % number
            signature = signer.sign(message)
            verify(public_key, message, signature)
            assert der.read_signature(signature)[1] <= ORDERS["secp256r1"] // 2


@pytest.mark.complete("client-hsm")
def test_a_key_is_found_by_its_label_too(hsm: Made) -> None:
    library, public_key = hsm
    with library.signer(TOKEN, PIN, label="key 01") as signer:
        verify(public_key, b"message", signer.sign(b"message"))


@pytest.mark.complete("client-hsm-threads")
def test_two_signers_may_be_logged_in_to_one_token(hsm: Made) -> None:
    library, public_key = hsm
    with library.signer(TOKEN, PIN, identifier=P256_ID) as one:
        with library.signer(TOKEN, PIN, identifier=P256_ID) as other:
            verify(public_key, b"message", other.sign(b"message"))
        verify(public_key, b"message", one.sign(b"message"))


@pytest.mark.complete("client-hsm-threads")
def test_threads_take_turns_at_one_session(hsm: Made) -> None:
    library, public_key = hsm
    messages = [b"message %d" % number for number in range(50)]
    with (
        library.signer(TOKEN, PIN, identifier=P256_ID) as signer,
        ThreadPoolExecutor(8) as pool,
    ):
        for message, signature in zip(messages, pool.map(signer.sign, messages), strict=True):
            verify(public_key, message, signature)


@pytest.mark.parametrize(
    ("token", "pin", "identifier", "says"),
    [
        ("NoSuchToken", PIN, P256_ID, "not exactly one token"),
        (TOKEN, "0000", P256_ID, "cannot open the token"),
        (TOKEN, PIN, b"\x09", "has 0 such EC private keys"),
        (TOKEN, PIN, TWIN_ID, "has 2 such EC private keys"),
        (TOKEN, PIN, P384_ID, "not on P-256"),
        (TOKEN, PIN, None, "by identifier or by label"),
    ],
)
@pytest.mark.complete("client-hsm")
def test_a_key_that_cannot_be_used_is_said_without_the_pin(
    hsm: Made, token: str, pin: str, identifier: bytes | None, says: str
) -> None:
    with pytest.raises(IdentityError, match=says) as refused:
        hsm[0].signer(token, pin, identifier=identifier)
    assert pin not in str(refused.value)


@pytest.mark.complete("client-hsm-user-type")
def test_the_pin_is_that_of_the_kind_of_user_named(hsm: Made) -> None:
    with pytest.raises(IdentityError, match="cannot open the token"):
        hsm[0].signer(TOKEN, PIN, identifier=P256_ID, user_type=pkcs11.UserType.SO)
    with hsm[0].signer(TOKEN, PIN, identifier=P256_ID, user_type=pkcs11.UserType.USER) as signer:
        verify(hsm[1], b"message", signer.sign(b"message"))


@pytest.mark.complete("client-hsm-close")
def test_a_closed_signer_signs_no_more(hsm: Made) -> None:
    signer = hsm[0].signer(TOKEN, PIN, identifier=P256_ID)
    signer.close()
    with pytest.raises(IdentityError, match="does not sign"):
        signer.sign(b"message")


def test_a_library_that_is_none_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "library.so"
    wrong.write_bytes(b"no library")
    with pytest.raises(IdentityError, match="cannot load"):
        Hsm(str(wrong))


@pytest.mark.complete("client-hsm-dispose")
def test_after_the_librarys_end_nothing_signs_until_it_is_opened_anew(hsm: Made) -> None:
    library, public_key = hsm
    signer = library.signer(TOKEN, PIN, identifier=P256_ID)
    library.close()
    library.close()
    with pytest.raises(IdentityError):
        signer.sign(b"m")
    with Hsm(LIBRARY).signer(TOKEN, PIN, identifier=P256_ID) as anew:
        verify(public_key, b"m", anew.sign(b"m"))
