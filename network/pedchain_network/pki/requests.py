# SPDX-License-Identifier: Apache-2.0
"""Certificate signing requests, for an organisation whose certificates its own CA signs.

Keys are made here and stay here; only requests leave. One file per certificate, named as the
answer must be: `peer0.msp.csr` is answered by `peer0.msp.pem`.
"""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from pedchain_fabric.admin import authority
from pedchain_network import files
from pedchain_network.errors import CertificateRefusedError
from pedchain_network.pki import crypto, leaves
from pedchain_network.pki.leaves import Leaf
from pedchain_network.topology.model import Organization, Topology


def write(
    root: Path, topology: Topology, organization: Organization, target: Path, *, all_: bool = False
) -> tuple[Leaf, ...]:
    """Write a request for every certificate that is missing, or with `all_` for all, to renew
    them. Keys are made where there are none and otherwise kept. Returns what was asked for.

    Raises `CertificateRefusedError` for an organisation whose certificates we sign.
    """
    if not organization.own_ca:
        raise CertificateRefusedError(
            f"{organization.name}'s certificates are signed here",
            f"write `own_ca: true` at {organization.name} in the topology before the first up",
        )
    if all_:
        wanted = leaves.of(topology, organization)
    else:
        wanted = crypto.missing(root, topology, organization)
    own = crypto.of(root, organization).root
    for leaf in wanted:
        request = made(leaf, _key(leaf.key(own)))
        files.write(target / f"{leaf.title}.csr", request.public_bytes(Encoding.PEM))
    return wanted


def made(leaf: Leaf, key: ec.EllipticCurvePrivateKey) -> x509.CertificateSigningRequest:
    """The request for one certificate: who it is for, and for TLS its hosts and both uses."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        authority.subject(leaf.name, leaf.organization, leaf.role)
    )
    if not leaf.role:
        builder = builder.add_extension(
            authority.alternative_names(leaf.hosts), critical=False
        ).add_extension(x509.ExtendedKeyUsage(authority.BOTH_ENDS), critical=False)
    return builder.sign(key, hashes.SHA256())


def describe(leaf: Leaf) -> str:
    """What the CA has to put into the certificate, in a line for whoever runs it."""
    if leaf.role:
        told = "".join(f", attribute {name}={value}" for name, value in leaf.attributes)
        return f"{leaf.title}: identity, OU {leaf.role}, CN {leaf.name}{told}"
    return f"{leaf.title}: TLS server and client, CN {leaf.name}, SAN {', '.join(leaf.hosts)}"


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.exists():
        return authority.load_key(path.read_bytes())
    key = authority.new_key()
    files.directory(path.parent)
    files.write(path, authority.key_pem(key), secret=True)
    return key
