# SPDX-License-Identifier: Apache-2.0
"""Device keys in a secure element, through PKCS#11: made there, used there, never read.

    [token]
    module = "/usr/lib/softhsm/libsofthsm2.so"
    label = "ems"
    pin_file = "token.pin"

A device with `key = "token"` signs with the key that is labelled with its id. Needs
`emsagent[hsm]`.
"""

from pathlib import Path
from typing import Any, NoReturn

import pkcs11
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from emsagent.errors import KeyFileError

_BYTES = 32


class Token:
    """An open session with a token. Raises `KeyFileError` for one that cannot be used."""

    def __init__(self, module: Path, label: str, pin_file: Path) -> None:
        try:
            pin = pin_file.read_text().strip()
            self._session = (
                pkcs11.lib(str(module)).get_token(token_label=label).open(rw=True, user_pin=pin)
            )
        except OSError as error:
            raise KeyFileError(f"{pin_file}: {error.strerror}") from error
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise KeyFileError(f"token {label}: {type(error).__name__}") from error

    def find(self, label: str) -> "TokenKey | None":
        """The key of this label, or None."""
        try:
            private: Any = self._session.get_key(
                object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label
            )
            public: Any = self._session.get_key(
                object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=label
            )
        except pkcs11.NoSuchKey:
            return None
        except pkcs11.PKCS11Error as error:
            raise KeyFileError(f"{label}: {type(error).__name__}") from error
        return TokenKey(private, load_der_public_key(encode_ec_public_key(public)))

    def create(self, label: str) -> "TokenKey":
        """A new key that never leaves the token."""
        try:
            curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            self._session.create_domain_parameters(
                pkcs11.KeyType.EC, curve, local=True
            ).generate_keypair(store=True, label=label)
        except pkcs11.PKCS11Error as error:
            raise KeyFileError(f"{label}: {type(error).__name__}") from error
        made = self.find(label)
        assert made is not None
        return made


class TokenKey(ec.EllipticCurvePrivateKey):
    """A key in a token, used as any other P-256 key; what would read it is refused."""

    def __init__(self, private: Any, public: Any) -> None:
        self._private = private
        self._public: ec.EllipticCurvePublicKey = public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """ECDSA over SHA-256, as DER. Raises `KeyFileError` when the token does not."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(bytes(data))
        try:
            raw: bytes = self._private.sign(digest.finalize(), mechanism=pkcs11.Mechanism.ECDSA)
        except pkcs11.PKCS11Error as error:
            raise KeyFileError(f"the token does not sign: {type(error).__name__}") from error
        return encode_dss_signature(int.from_bytes(raw[:_BYTES]), int.from_bytes(raw[_BYTES:]))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """Bits."""
        return self._public.key_size

    def _stays(self, *_: object, **__: object) -> NoReturn:
        raise KeyFileError("a key in a token never leaves it")

    private_numbers = private_bytes = exchange = __copy__ = __deepcopy__ = _stays
