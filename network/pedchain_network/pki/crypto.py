# SPDX-License-Identifier: Apache-2.0
"""The consortium's keys and certificates on disk.

<Org>/ca, tlsca             cert.pem, key.pem
<Org>/peer0, orderer0       msp/ (as Fabric lays it out) and tls/
<Org>/users/<user>          cert.pem, key.pem; the admin has tls/ too, for the orderer's admin port
"""

import datetime
import shutil
from dataclasses import dataclass
from pathlib import Path

from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import load_signer
from pedchain_network import files
from pedchain_network.pki.authority import Authority, Credential
from pedchain_network.topology.model import Organization, Topology

USERS = {"admin": "admin", "gateway": "client", "auditor": "client"}
"""Users of every organisation and the role (organisational unit) each has in its MSP."""

NODES = ("peer", "orderer")

_ROLES = b"NodeOUs:\n  Enable: true\n" + b"".join(
    f"  {role}OUIdentifier:\n    OrganizationalUnitIdentifier: {role.lower()}\n".encode()
    for role in ("Client", "Peer", "Admin", "Orderer")
)


@dataclass(frozen=True, slots=True)
class Crypto:
    """One organisation's directory."""

    root: Path
    msp_id: str

    def authority(self, kind: str) -> Path:
        """The CA's certificate; `kind` is `ca` or `tlsca`."""
        return self.root / kind / "cert.pem"

    def node_msp(self, kind: str) -> Path:
        """A node's MSP directory."""
        return self.root / f"{kind}0" / "msp"

    def node_tls(self, kind: str) -> Path:
        """A node's TLS directory."""
        return self.root / f"{kind}0" / "tls"

    def user(self, name: str) -> Path:
        """A user's directory."""
        return self.root / "users" / name

    def identity(self, user: str) -> SigningIdentity:
        """A user's identity, key in hand. Raises `IdentityError` if the files are damaged."""
        directory = self.user(user)
        signer = load_signer((directory / "key.pem").read_bytes())
        return SigningIdentity(self.msp_id, (directory / "cert.pem").read_bytes(), signer)


def of(root: Path, organization: Organization) -> Crypto:
    """The organisation's directory below `root`."""
    return Crypto(root / organization.name, organization.msp_id)


def create(root: Path, topology: Topology) -> int:
    """Make what is missing, one organisation at a time; returns how many were made.

    An organisation's directory appears complete or not at all, so that a broken `up` can go on.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    made = 0
    for organization in topology.organizations:
        target = root / organization.name
        if target.exists():
            continue
        part = root / f".{organization.name}"
        shutil.rmtree(part, ignore_errors=True)
        _organization(part, topology, organization, now)
        part.rename(target)
        made += 1
    return made


def _organization(
    root: Path, topology: Topology, organization: Organization, now: datetime.datetime
) -> None:
    suffix = f"{organization.name.lower()}.{topology.domain}"
    members = Authority.create(f"ca.{suffix}", organization.name, now)
    tls = Authority.create(f"tlsca.{suffix}", organization.name, now)
    _credential(root / "ca", members.credential)
    _credential(root / "tlsca", tls.credential)
    for kind in NODES:
        name = topology.node(kind, organization)
        node = members.member(name, organization.name, kind)
        _msp(root / f"{kind}0" / "msp", node, members, tls)
        hosts = (name, "localhost", "127.0.0.1")
        _credential(root / f"{kind}0" / "tls", tls.tls(name, organization.name, hosts))
    for user, role in USERS.items():
        name = f"{user}.{suffix}"
        _credential(root / "users" / user, members.member(name, organization.name, role))
    admin = f"admin.{suffix}"
    _credential(root / "users" / "admin" / "tls", tls.tls(admin, organization.name, (admin,)))


def _msp(directory: Path, node: Credential, members: Authority, tls: Authority) -> None:
    files.write(directory / "signcerts" / "cert.pem", node.certificate)
    files.write(directory / "keystore" / "key.pem", node.key, secret=True)
    files.write(directory / "cacerts" / "cert.pem", members.credential.certificate)
    files.write(directory / "tlscacerts" / "cert.pem", tls.credential.certificate)
    files.write(directory / "config.yaml", _ROLES)


def _credential(directory: Path, credential: Credential) -> None:
    files.write(directory / "cert.pem", credential.certificate)
    files.write(directory / "key.pem", credential.key, secret=True)
