# SPDX-License-Identifier: Apache-2.0
"""Signing with a key that never leaves its hardware (PKCS #11). Needs the extra `hsm`.

hsm = Hsm("/usr/lib/softhsm/libsofthsm2.so")
with hsm.signer("ForFabric", pin, identifier=public_key_id) as signer:
    identity = SigningIdentity("Org1MSP", certificate, signer)
"""

import hashlib
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, UserType
from pkcs11.exceptions import (
    MultipleTokensReturned,
    NoSuchToken,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from pedchain_fabric.errors import IdentityError
from pedchain_fabric.wire import der
from pedchain_fabric.wire.keys import low_s

_CURVE: Final = "secp256r1"
# The curve's object identifier 1.2.840.10045.3.1.7, in DER: what CKA_EC_PARAMS holds.
_P256: Final = bytes.fromhex("06082a8648ce3d030107")
_HALF: Final = 32


class HsmSigner:
    """ECDSA over P-256 and SHA-256 by one private key of a token; the digest is made here.

    A PKCS #11 session does one thing at a time, so threads take turns. Close it, or use it as a
    context manager.
    """

    def __init__(self, session: pkcs11.Session, key: pkcs11.SignMixin) -> None:
        self._session = session
        self._key = key
        self._turn = threading.Lock()

    def sign(self, message: bytes) -> bytes:
        """The DER signature over `message`. Raises `IdentityError` if the token will not sign."""
        digest = hashlib.sha256(message).digest()
        try:
            with self._turn:
                raw = self._key.sign(digest, mechanism=Mechanism.ECDSA)
        except PKCS11Error as error:
            raise IdentityError(f"the token does not sign: {_name(error)}") from error
        r, s = int.from_bytes(raw[:_HALF]), int.from_bytes(raw[_HALF:])
        return low_s(der.signature(r, s), _CURVE)

    def close(self) -> None:
        """End the session; the key can sign no more here."""
        with self._turn:
            self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Hsm:
    """The tokens behind one PKCS #11 library. `library` is the path of the vendor's .so file.

    Loaded once for the process, however many of these there are. Raises `IdentityError` if it
    cannot be loaded.
    """

    def __init__(self, library: str) -> None:
        try:
            self._library = pkcs11.lib(library)
        except (PKCS11Error, RuntimeError) as error:
            raise IdentityError(f"cannot load the PKCS #11 library {library}") from error

    def close(self) -> None:
        """Finalise the library: every session of the process with it ends, its signers sign no
        more. Another `Hsm` of the same path begins anew."""
        with suppress(PKCS11Error):  # it is finalised already
            self._library.finalize()

    def signer(
        self,
        token: str,
        pin: str,
        *,
        identifier: bytes | None = None,
        label: str | None = None,
        user_type: UserType = UserType.USER,
    ) -> HsmSigner:
        """A signer for the private key named by `identifier` (CKA_ID, which Fabric's tools set to
        the hash of the public key) or by `label` (CKA_LABEL) on the token of that name.

        Every signer has a session of its own; a token somebody is logged in to already is fine.
        Raises `IdentityError` if token or key are not there, not unique or not on P-256, or if the
        PIN is wrong. No message ever holds the PIN.
        """
        if identifier is None and label is None:
            raise IdentityError("name the key by identifier or by label")
        try:
            session = self._open(self._library.get_token(token_label=token), pin, user_type)
        except (NoSuchToken, MultipleTokensReturned) as error:
            raise IdentityError(f"the library shows not exactly one token {token!r}") from error
        except PKCS11Error as error:
            raise IdentityError(f"cannot open the token {token!r}: {_name(error)}") from error
        try:
            return HsmSigner(session, _find(session, identifier, label))
        except BaseException:
            session.close()
            raise

    def _open(self, token: pkcs11.Token, pin: str, user_type: UserType) -> pkcs11.Session:
        try:
            return token.open(user_pin=pin, user_type=user_type)
        except UserAlreadyLoggedIn:
            # The login belongs to the process, not to the session: this one has it too.
            return token.open()


def _find(session: pkcs11.Session, identifier: bytes | None, label: str | None) -> pkcs11.SignMixin:
    wanted: dict[Attribute, object] = {
        Attribute.CLASS: ObjectClass.PRIVATE_KEY,
        Attribute.KEY_TYPE: KeyType.EC,
    }
    named = {Attribute.ID: identifier, Attribute.LABEL: label}
    wanted |= {attribute: value for attribute, value in named.items() if value is not None}
    try:
        # To the end, because a search that is left half done stays open in the session.
        found = list(session.get_objects(wanted))
        if len(found) != 1:
            raise IdentityError(f"the token has {len(found)} such EC private keys")
        parameters = found[0][Attribute.EC_PARAMS]
    except PKCS11Error as error:
        raise IdentityError(f"cannot read the token's keys: {_name(error)}") from error
    if parameters != _P256 or not isinstance(found[0], pkcs11.SignMixin):
        raise IdentityError("the token's key is not on P-256")
    return found[0]


def _name(error: PKCS11Error) -> str:
    return type(error).__name__
