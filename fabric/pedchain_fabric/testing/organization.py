# SPDX-License-Identifier: Apache-2.0
"""One organisation of a test network: its authorities, its peer, its people."""

import datetime
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pedchain_fabric.admin.authority import Authority, Credential
from pedchain_fabric.admin.channel import Organization
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import load_signer

_HOST = "127.0.0.1"
_DAYS = 30
_ROLES = b"NodeOUs:\n  Enable: true\n" + b"".join(
    f"  {role}OUIdentifier:\n    OrganizationalUnitIdentifier: {role.lower()}\n".encode()
    for role in ("Client", "Peer", "Admin", "Orderer")
)


class Member:
    """The organisation `name`; its MSP id is the name and `MSP`. Its files lie below `root`."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.msp_id = f"{name}MSP"
        self._root = root
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        self._members = Authority.create(f"ca.{name.lower()}", name, now, days=_DAYS)
        self._tls = Authority.create(f"tlsca.{name.lower()}", name, now, days=_DAYS)

    @property
    def tls_ca(self) -> bytes:
        """The PEM certificate that its nodes' TLS certificates come from."""
        return self._tls.credential.certificate

    @cached_property
    def admin(self) -> SigningIdentity:
        """Its administrator."""
        return self.identity("admin", "admin")

    def identity(
        self, user: str, role: str = "client", attributes: Mapping[str, str] | None = None
    ) -> SigningIdentity:
        """A new certificate for `user`, with attributes that contracts can ask for."""
        made = self._members.member(user, self.name, role, days=_DAYS, attributes=attributes)
        return SigningIdentity(self.msp_id, made.certificate, load_signer(made.key))

    def node(self, kind: str) -> dict[str, object]:
        """The part of a node's configuration that every node has; writes its files."""
        name = f"{kind}0.{self.name.lower()}"
        folder = self._root / name
        enrolment = self._members.member(name, self.name, kind, days=_DAYS)
        tls = self._tls.tls(name, self.name, (name, "localhost", _HOST), days=_DAYS)
        _write(folder / "msp/signcerts/cert.pem", enrolment.certificate)
        _write(folder / "msp/keystore/key.pem", enrolment.key)
        _write(folder / "msp/cacerts/cert.pem", self._members.credential.certificate)
        _write(folder / "msp/tlscacerts/cert.pem", self.tls_ca)
        _write(folder / "msp/config.yaml", _ROLES)
        _credential(folder / "tls", tls)
        return {
            "name": name,
            "msp_id": self.msp_id,
            "msp_dir": str(folder / "msp"),
            "tls": {
                "certificate": str(folder / "tls/cert.pem"),
                "key": str(folder / "tls/key.pem"),
                "client_ca": None,
            },
        }

    def in_channel(self, peer: int, orderer: int | None) -> Organization:
        """As the channel's configuration names it; both are ports, without `orderer` it only has
        a peer."""
        return Organization(
            name=self.name,
            msp_id=self.msp_id,
            root_certificates=(self._members.credential.certificate,),
            tls_root_certificates=(self.tls_ca,),
            orderer_endpoints=() if orderer is None else (f"{_HOST}:{orderer}",),
            anchor_peers=((_HOST, peer),),
            orders=orderer is not None,
        )


def _credential(folder: Path, credential: Credential) -> None:
    _write(folder / "cert.pem", credential.certificate)
    _write(folder / "key.pem", credential.key)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(content)
