# SPDX-License-Identifier: Apache-2.0
"""Certificates of nodes and users on disk, and their successors put in place.

A successor with a new key lies beside its forerunner (`next/`) from before anybody is told of it
until both its files are in place, so that a renewal which was broken off can be finished.
"""

import datetime
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pedchain_network import files
from pedchain_network.errors import RenewalError
from pedchain_network.pki import renewal
from pedchain_network.pki.renewal import Pair

_CERTIFICATE, _KEY = "cert.pem", "key.pem"
_AUTHORITIES = ("ca", "tlsca")
_USERS = "users"
_NEXT = "next"


@dataclass(frozen=True, slots=True)
class Held:
    """One certificate with its key. `folder` is whose it is (`peer0`, `users/admin`), `use` what
    for (`msp`, `tls`, `chaincode`; empty for a user's own)."""

    organization: str
    folder: str
    use: str
    certificate: Path
    key: Path

    @property
    def name(self) -> str:
        """`DSO/peer0 tls`."""
        return f"{self.organization}/{self.folder} {self.use}".rstrip()

    @property
    def is_user(self) -> bool:
        """It belongs to no node: nothing is restarted for it."""
        return self.folder.startswith(f"{_USERS}/")

    def pair(self) -> Pair:
        """What is in place."""
        return Pair(self.certificate.read_bytes(), self.key.read_bytes())

    def waiting(self) -> Pair | None:
        """A successor that is not in place yet, if it is whole."""
        found = Pair(*(_read(self._next / each) for each in (_CERTIFICATE, _KEY)))
        return found if found.certificate and found.key and renewal.matching(found) else None

    def keep(self, pair: Pair) -> None:
        """Lay a successor beside it."""
        files.write(self._next / _KEY, pair.key, secret=True)
        files.write(self._next / _CERTIFICATE, pair.certificate)

    def place(self, pair: Pair) -> None:
        """Put a successor in place; the same again does no harm."""
        files.write(self.key, pair.key, secret=True)
        files.write(self.certificate, pair.certificate)
        shutil.rmtree(self._next, ignore_errors=True)

    @property
    def _next(self) -> Path:
        folder = self.certificate.parent
        return (folder.parent if folder.name == "signcerts" else folder) / _NEXT


def held(root: Path, organization: str) -> Iterator[Held]:
    """Everything with a key below the organisation's directory, but for its CAs."""
    for certificate in sorted(root.rglob(_CERTIFICATE)):
        parts = certificate.relative_to(root).parts[:-1]
        if parts[0] in _AUTHORITIES or _NEXT in parts:
            continue
        length = 2 if parts[0] == _USERS else 1
        folder, rest = "/".join(parts[:length]), parts[length:]
        key = certificate.with_name(_KEY)
        if rest[-1:] == ("signcerts",):
            key = certificate.parent.parent / "keystore" / _KEY
            rest = rest[:-1]
        if key.exists():
            yield Held(organization, folder, "/".join(rest), certificate, key)


def authority_of(root: Path, one: Held) -> Pair:
    """The CA that issued it, with its key. Raises `RenewalError` if its key is not here."""
    certificate = one.certificate.read_bytes()
    for kind in _AUTHORITIES:
        authority = _read(root / kind / _CERTIFICATE)
        if authority and renewal.issued_by(certificate, authority):
            key = _read(root / kind / _KEY)
            if key:
                return Pair(authority, key)
            raise RenewalError(
                f"the key of the CA that issued {one.name} is not here",
                "have that CA issue it anew and put it in place, then restart its node",
            )
    raise RenewalError(
        f"{one.name} was issued by a CA that is not in {root}", "have that CA issue it anew"
    )


def successor(root: Path, one: Held, now: datetime.datetime, days: int, *, new_key: bool) -> Pair:
    """A renewed certificate, not yet in place. Raises `RenewalError`."""
    return renewal.renewed(authority_of(root, one), one.pair(), now, days, new_key=new_key)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
