# SPDX-License-Identifier: Apache-2.0
"""Taking in what an organisation's own CA answered: all of it when all is right, else nothing.

The directory holds `ca.pem` and `tlsca.pem` (the root first, then intermediates), and one
`<title>.pem` per request; what follows the certificate in it is ignored, chains come from the two.
"""

import datetime
from pathlib import Path

from cryptography import x509

from pedchain_fabric.admin.authority import Credential, load_key
from pedchain_network import files
from pedchain_network.errors import CertificateRefusedError
from pedchain_network.pki import checking, crypto, leaves
from pedchain_network.pki.checking import Chain
from pedchain_network.pki.crypto import Crypto
from pedchain_network.pki.leaves import Leaf
from pedchain_network.topology.model import Organization, Topology

_KINDS = ("ca", "tlsca")


def accept(
    root: Path,
    topology: Topology,
    organization: Organization,
    source: Path,
    now: datetime.datetime,
) -> tuple[Leaf, ...]:
    """Check every answer and put it beside its key; returns what was taken in.

    Answers to requests that were met before are taken too: that is how certificates are renewed.
    Raises `CertificateRefusedError` with everything that is wrong.
    """
    owned = crypto.of(root, organization)
    chains = {kind: _chain(source / f"{kind}.pem") for kind in _KINDS}
    wanted = [
        each
        for each in leaves.of(topology, organization)
        if _answer(source, each).exists() or not each.certificate(owned.root).exists()
    ]
    wrong = [text for kind in _KINDS for text in checking.chain(kind, chains[kind])]
    wrong += checking.apart(chains["ca"], chains["tlsca"])
    for each in wanted:
        wrong += _wrong(owned, each, source, chains[each.authority], now)
    if wrong:
        raise CertificateRefusedError(
            f"{len(wrong)} things are wrong with {source}, nothing was taken:\n  "
            + "\n  ".join(wrong),
            "have the requests signed again with these in order",
        )
    _keep(owned, source, wanted, chains)
    return tuple(wanted)


def _wrong(
    owned: Crypto, wanted: Leaf, source: Path, signers: Chain, now: datetime.datetime
) -> list[str]:
    path = _answer(source, wanted)
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        key = load_key(wanted.key(owned.root).read_bytes())
    except FileNotFoundError as error:
        return [f"{wanted.title}: {error.filename} is not there"]
    except ValueError as error:
        return [f"{wanted.title}: cannot be read: {error}"]
    return list(checking.leaf(wanted, found, key, signers, now))


def _keep(owned: Crypto, source: Path, wanted: list[Leaf], chains: dict[str, Chain]) -> None:
    for kind in _KINDS:
        parts = list(files.pem_parts((source / f"{kind}.pem").read_bytes()))
        files.directory(owned.authority(kind).parent)
        if parts[1:]:
            files.write(owned.chain(kind), b"".join(parts[1:]))
        files.write(owned.authority(kind), parts[0])
    for each in wanted:
        certificate = next(files.pem_parts(_answer(source, each).read_bytes()))
        if not each.role:  # a server shows the way to its root, for only that is trusted
            certificate += b"".join(owned.intermediates("tlsca"))
        key = each.key(owned.root).read_bytes()
        crypto.put(owned, each, Credential(certificate, key))


def _chain(path: Path) -> Chain:
    try:
        parts = list(files.pem_parts(path.read_bytes()))
        first, *others = [x509.load_pem_x509_certificate(each) for each in parts]
    except FileNotFoundError as error:
        raise CertificateRefusedError(
            f"{path} is not there", "put the authority's certificate there, the root first"
        ) from error
    except ValueError as error:
        raise CertificateRefusedError(f"{path} holds no certificate: {error}") from error
    return Chain(first, tuple(others))


def _answer(source: Path, wanted: Leaf) -> Path:
    return source / f"{wanted.title}.pem"
