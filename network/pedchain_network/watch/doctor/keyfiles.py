# SPDX-License-Identifier: Apache-2.0
"""Who can read private keys, and whether nodes hold keys that no node may need.

A running node needs its own two keys. A CA's or an administrator's key in its directory would
give whoever breaks into the node the whole organisation.
"""

import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from pedchain_network.watch.doctor.finding import Finding, fail, ok

CHECK = "keys"

_AUTHORITIES = ("ca", "tlsca")
_USERS = "users"
_ADMIN = "admin"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One private key: where, with which mode, the digestible form of its public half (empty if
    it cannot be read), and whether it lies in a running node's directory."""

    place: str
    mode: int
    public: bytes
    in_node: bool


def judge(keys: Iterable[KeyFile], guarded: Mapping[bytes, str]) -> list[Finding]:
    """No key others may read; none in a node's directory that is `guarded` (public half: whose)."""
    all_keys = list(keys)
    findings = []
    for key in all_keys:
        if key.mode & _OTHERS:
            text = f"mode {key.mode:04o}: others on this host can read or change it"
            findings.append(fail(CHECK, key.place, text, f"chmod 600 {key.place}"))
        if key.in_node and key.public and key.public in guarded:
            text = f"a node's directory holds the key of {guarded[key.public]}"
            findings.append(fail(CHECK, key.place, text, "move it to a host that runs no node"))
    what = f"{len(all_keys)} private keys, none readable by others, no CA's or admin's with a node"
    return findings or [ok(CHECK, what)]


def look(root: Path) -> tuple[list[KeyFile], dict[bytes, str]]:
    """Every key below the directory of keys, and the public halves that nodes must not hold."""
    keys: list[KeyFile] = []
    guarded: dict[bytes, str] = {}
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if not path.is_file() or len(parts) < 2:
            continue
        data = path.read_bytes()
        authority = parts[1] in _AUTHORITIES
        if b"PRIVATE KEY-----" in data:
            in_node = not authority and parts[1] != _USERS
            mode = stat.S_IMODE(path.stat().st_mode)
            keys.append(KeyFile(str(path), mode, _public_of_key(data), in_node))
        elif authority or parts[1:3] == (_USERS, _ADMIN):
            guarded |= dict.fromkeys(_publics(data), "/".join(parts[:-1]))
    return keys, guarded


def _publics(data: bytes) -> list[bytes]:
    try:
        certificates = x509.load_pem_x509_certificates(data)
    except ValueError:
        return []
    return [
        each.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for each in certificates
    ]


def _public_of_key(data: bytes) -> bytes:
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # encrypted, or kept elsewhere
        return b""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
