# SPDX-License-Identifier: Apache-2.0
"""The device's key: made here, never leaves here, never written over.

P-256, an unencrypted PKCS#8 file that only its owner may read (0600). Whoever owns the file is
the device, so a file that others may read is refused.
"""

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emsagent.errors import KeyFileError

KEY_BYTES_MAX = 4_096


def create(path: Path) -> ec.EllipticCurvePrivateKey:
    """Make a key and store it at `path`, durably; raises `KeyFileError` if a file is there."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # Written beside and linked into place: a crash leaves the whole key or none,
        # and a link never replaces a file that is there.
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError as error:
        raise KeyFileError(f"{path} exists; a device key is never written over") from error
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    _sync_folder(path.parent)
    return key


def load(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read the key. Raises `KeyFileError` when it is missing, readable by others, or no P-256."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            pem = file.read(KEY_BYTES_MAX)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"{path} may be read by others; chmod 600 it and make a new key")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{path} holds no private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise KeyFileError(f"{path} holds no P-256 key")
    return key


def load_or_create(path: Path) -> ec.EllipticCurvePrivateKey:
    """The device's key, made on its first start."""
    return load(path) if path.exists() else create(path)


def public_hex(key: ec.EllipticCurvePrivateKey) -> str:
    """The public key for the registry: DER SubjectPublicKeyInfo in lower-case hex."""
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        .hex()
    )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
