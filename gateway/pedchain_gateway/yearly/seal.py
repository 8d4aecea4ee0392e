# SPDX-License-Identifier: Apache-2.0
"""Signing a yearly folder, and what its check finds.

    yearly/1   {schema, district, day, run, version, network, transaction, files: {name: sha256},
                made, until, check}
    revoked/1  {schema, district, codes: {code: reason}}

`manifest.json` is canonical bytes; `manifest.sig` is ECDSA P-256 with SHA-256 over them, DER in
hex. The code is cut from the manifest's own digest: whoever reads it off a poster can find the
folder, and nobody can make another one for it.
"""

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_domain import canonical
from pedchain_domain.ocmf import PrivateKey
from pedchain_domain.reasons import DomainError
from pedchain_domain.signed import verify

Document = dict[str, Any]
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
REVOKED, REVOKED_SIGNATURE = "revoked.json", "revoked.sig"
BYTES_MAX = 16 * 1024 * 1024
_CODE_BYTES = 10


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each file, hex."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def code_of(manifest: bytes) -> str:
    """The code of a folder: 80 bits of its manifest's digest, base32 in groups of four."""
    text = b32encode(hashlib.sha256(manifest).digest()[:_CODE_BYTES]).decode()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def signed(document: Document, key: PrivateKey) -> tuple[bytes, bytes]:
    """A document's canonical bytes, and the signature over them in hex."""
    content = canonical.encode(document)
    return content, key.sign(content, ec.ECDSA(SHA256())).hex().encode()


def write(folder: Path, files: Mapping[str, bytes], manifest: Document, key: PrivateKey) -> str:
    """Write the folder, whole or not at all; its code. One that is there already stays."""
    content, signature = signed(manifest, key)
    part = folder.with_name(f".{folder.name}.part")
    part.mkdir(parents=True, exist_ok=True)
    for name, data in {**files, MANIFEST: content, SIGNATURE: signature}.items():
        (part / name).write_bytes(data)
    part.rename(folder)
    return code_of(content)


def check(folder: Path, spki: str, now: float) -> tuple[Document, list[str]]:
    """The folder's manifest and what is wrong with it: nothing, if the list is empty.

    `spki` (hex) is the key that the district is known to sign with.
    """
    content = _read(folder / MANIFEST)
    manifest, wrong = _opened(content, _read(folder / SIGNATURE), spki)
    listed = manifest.get("files", {})
    for name, digest in sorted(listed.items()):
        if Path(name).name != name:
            wrong.append(f"{name} is no file of the folder")
        elif hashlib.sha256(_read(folder / name)).hexdigest() != digest:
            wrong.append(f"{name} is missing or was changed")
    own = {MANIFEST, SIGNATURE, *listed}
    wrong += [
        f"{one.name} is not listed" for one in sorted(folder.iterdir()) if one.name not in own
    ]
    if manifest.get("until", 0) < now:
        wrong.append("no longer valid: look for a newer one")
    reason = revoked(folder.parent, spki).get(code_of(content))
    if reason is not None:
        wrong.append(f"revoked: {reason}")
    return manifest, wrong


def revoked(folder: Path, spki: str) -> dict[str, str]:
    """Revoked codes with their reasons. ValueError for a list that is not the district's own:
    nobody can tell then what is revoked."""
    if not (folder / REVOKED).exists():
        return {}
    found, wrong = _opened(_read(folder / REVOKED), _read(folder / REVOKED_SIGNATURE), spki)
    if wrong:
        raise ValueError(f"{folder / REVOKED}: {wrong[0]}")
    codes: dict[str, str] = found["codes"]
    return codes


def revoke(folder: Path, district: str, code: str, reason: str, key: PrivateKey, spki: str) -> None:
    """Add a code to the district's signed list."""
    codes = {**revoked(folder, spki), code: reason}
    content, signature = signed({"schema": "revoked/1", "district": district, "codes": codes}, key)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in ((REVOKED, content), (REVOKED_SIGNATURE, signature)):
        part = folder / f".{name}.part"
        part.write_bytes(data)
        part.replace(folder / name)


def _opened(content: bytes, signature: bytes, spki: str) -> tuple[Document, list[str]]:
    """A signed document, and why it is not the district's."""
    try:
        found = canonical.decode(content)
    except DomainError as error:
        return {}, [f"cannot be read: {error}"]
    if not isinstance(found, dict):
        return {}, ["cannot be read"]
    try:
        verify(spki, content, signature.decode("ascii", "replace").strip())
    except DomainError:
        return found, ["not signed by this key"]
    return found, []


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX)
    except OSError:
        return b""
