# SPDX-License-Identifier: Apache-2.0
"""The consortium's keys and certificates on disk.

<Org>/ca, tlsca               cert.pem, key.pem; chain.pem if intermediates sign (own authorities)
<Org>/peer0, peer1, orderer0  msp/ (as Fabric lays it out) and tls/; peers also chaincode/, which
                              they show their chaincode server
<Org>/chaincode0, gateway0    tls/
<Org>/users/<user>            cert.pem, key.pem; the admin also tls/, for the orderer's admin port

Directories are 0700, keys 0600. No running node needs an authority's key or an admin's: those of
`<Org>/ca`, `<Org>/tlsca` and `<Org>/users/admin` can be kept elsewhere between changes of the
network; `node_files` is all that a node needs.
"""

import datetime
import shutil
from dataclasses import dataclass
from pathlib import Path

from pedchain_fabric.admin.authority import Authority, Credential
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import load_signer
from pedchain_network import files
from pedchain_network.errors import CertificateMissingError
from pedchain_network.pki import leaves
from pedchain_network.pki.leaves import USERS, Leaf
from pedchain_network.pki.ownership import is_foreign
from pedchain_network.topology.model import Topology
from pedchain_network.topology.node import CHAINCODE, PEER, Node
from pedchain_network.topology.organization import Organization

__all__ = ("USERS", "Crypto", "create", "node_files", "of", "trusted_tls")

_ROLES = b"NodeOUs:\n  Enable: true\n" + b"".join(
    f"  {role}OUIdentifier:\n    OrganizationalUnitIdentifier: {role.lower()}\n".encode()
    for role in ("Client", "Peer", "Admin", "Orderer")
)
_KINDS = ("ca", "tlsca")


@dataclass(frozen=True, slots=True)
class Crypto:
    """One organisation's directory."""

    root: Path
    msp_id: str

    def authority(self, kind: str) -> Path:
        """The root CA's certificate; `kind` is `ca` or `tlsca`."""
        return self.root / kind / "cert.pem"

    def authority_key(self, kind: str) -> Path:
        """The CA's key, if we have it."""
        return self.root / kind / "key.pem"

    def chain(self, kind: str) -> Path:
        """Intermediate authorities' certificates, if there are any."""
        return self.root / kind / "chain.pem"

    def intermediates(self, kind: str) -> tuple[bytes, ...]:
        """Intermediate authorities' certificates, one PEM each."""
        path = self.chain(kind)
        return tuple(files.pem_parts(path.read_bytes())) if path.exists() else ()

    def tls_roots(self) -> bytes:
        """The organisation's TLS authorities in one PEM text."""
        return b"".join((self.authority("tlsca").read_bytes(), *self.intermediates("tlsca")))

    def msp(self, node: Node) -> Path:
        """A node's MSP directory."""
        return self.root / node.folder / "msp"

    def tls(self, node: Node) -> Path:
        """A node's TLS directory."""
        return self.root / node.folder / "tls"

    def chaincode_client(self, peer: Node) -> Path:
        """What a peer shows its chaincode server."""
        return self.root / peer.folder / "chaincode"

    def gateway_tls(self) -> Path:
        """The TLS directory of the organisation's service for its members."""
        return self.root / f"{leaves.GATEWAY}0" / "tls"

    def user(self, name: str) -> Path:
        """A user's directory."""
        return self.root / "users" / name

    def identity(self, user: str) -> SigningIdentity:
        """A user's identity, key in hand. Raises `IdentityError` if the files are damaged."""
        directory = self.user(user)
        signer = load_signer((directory / "key.pem").read_bytes())
        return SigningIdentity(self.msp_id, (directory / "cert.pem").read_bytes(), signer)

    def open_authority(self, kind: str, now: datetime.datetime) -> Authority:
        """The CA with its key. Raises `CertificateMissingError` if the key is not here."""
        try:
            key = self.authority_key(kind).read_bytes()
            return Authority(Credential(self.authority(kind).read_bytes(), key), now)
        except FileNotFoundError as error:
            raise CertificateMissingError(
                f"{error.filename} is not here, and without it nothing new can be signed",
                "bring the authority's files back for this command",
            ) from error


def of(root: Path, organization: Organization) -> Crypto:
    """The organisation's directory below `root`."""
    return Crypto(root / organization.name, organization.msp_id)


def create(root: Path, topology: Topology) -> int:
    """Make what is missing; returns for how many organisations something was made. Nothing is
    made for those that are run elsewhere.

    Each directory appears complete or not at all, so that a broken `up` can go on. Raises
    `CertificateMissingError` for an organisation that signs its certificates itself and has not
    yet, or if an authority's key would be needed and is elsewhere.
    """
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    ours = [each for each in topology.organizations if not is_foreign(root, each.name)]
    return sum(_organization(root, topology, each, now) for each in ours)


def missing(root: Path, topology: Topology, organization: Organization) -> tuple[Leaf, ...]:
    """The certificates an organisation still lacks."""
    own = of(root, organization).root
    return tuple(
        leaf for leaf in leaves.of(topology, organization) if not leaf.certificate(own).exists()
    )


def put(owned: Crypto, leaf: Leaf, credential: Credential) -> None:
    """Write a certificate and its key where they belong, as a whole directory if it is new."""
    target = owned.root / leaf.folder
    if target.exists():
        _write(target, owned, leaf, credential)
        return
    part = target.with_name(f".{target.name}")
    shutil.rmtree(part, ignore_errors=True)
    _write(part, owned, leaf, credential)
    part.rename(target)


def node_files(root: Path, topology: Topology, node: Node) -> list[Path]:
    """The files and directories a node needs, and nothing else: no authority's key, no admin's."""
    owned = of(root, node.member)
    if node.kind == CHAINCODE:
        return [owned.tls(node), owned.authority("tlsca")]
    own = [owned.msp(node), owned.tls(node)]
    if node.kind == PEER:
        own.append(owned.chaincode_client(node))
    return [*own, *(of(root, each).authority("tlsca") for each in topology.organizations)]


def trusted_tls(root: Path, topology: Topology) -> bytes:
    """Every organisation's TLS authorities in one PEM text."""
    return b"".join(of(root, each).tls_roots() for each in topology.organizations)


def _organization(
    root: Path, topology: Topology, organization: Organization, now: datetime.datetime
) -> bool:
    lacking = missing(root, topology, organization)
    if not lacking:
        return False
    if organization.own_ca:
        raise CertificateMissingError(
            f"{organization.name} signs its own certificates, and {len(lacking)} are not here "
            f"yet: {', '.join(leaf.title for leaf in lacking)}",
            f"ped-network org csr --organization {organization.name}, have the requests signed, "
            "then the same with --answers DIRECTORY",
        )
    files.directory(root)
    owned = of(root, organization)
    for kind in _KINDS:
        _authority(owned, topology, organization, kind, now)
    authorities = {kind: owned.open_authority(kind, now) for kind in _KINDS}
    for leaf in lacking:
        put(owned, leaf, issue(authorities[leaf.authority], leaf))
    return True


def issue(authority: Authority, leaf: Leaf) -> Credential:
    """A new key and its certificate."""
    if leaf.role:
        return authority.member(
            leaf.name,
            leaf.organization,
            leaf.role,
            days=leaf.days,
            attributes=dict(leaf.attributes),
        )
    return authority.tls(leaf.name, leaf.organization, leaf.hosts, days=leaf.days)


def _authority(
    owned: Crypto,
    topology: Topology,
    organization: Organization,
    kind: str,
    now: datetime.datetime,
) -> None:
    if owned.authority(kind).exists():
        return
    name = f"{kind}.{organization.name.lower()}.{topology.domain}"
    days = topology.lifetimes.authorities_days
    made = Authority.create(name, organization.name, now, days=days)
    part = owned.root / f".{kind}"
    _pair(part, made.credential)
    part.rename(owned.root / kind)


def _write(directory: Path, owned: Crypto, leaf: Leaf, credential: Credential) -> None:
    if not leaf.is_msp:
        _pair(directory, credential)
        return
    _put(directory / "keystore" / "key.pem", credential.key, secret=True)
    _put(directory / "cacerts" / "cert.pem", owned.authority("ca").read_bytes())
    _put(directory / "tlscacerts" / "cert.pem", owned.authority("tlsca").read_bytes())
    for folder, kind in (("intermediatecerts", "ca"), ("tlsintermediatecerts", "tlsca")):
        for number, pem in enumerate(owned.intermediates(kind)):
            _put(directory / folder / f"{number}.pem", pem)
    _put(directory / "config.yaml", _ROLES)
    _put(directory / "signcerts" / "cert.pem", credential.certificate)


def _pair(directory: Path, credential: Credential) -> None:
    _put(directory / "key.pem", credential.key, secret=True)
    _put(directory / "cert.pem", credential.certificate)


def _put(path: Path, data: bytes, *, secret: bool = False) -> None:
    files.directory(path.parent)
    files.write(path, data, secret=secret)
