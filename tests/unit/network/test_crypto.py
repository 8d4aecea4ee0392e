# SPDX-License-Identifier: Apache-2.0
"""Goal: certificates Fabric accepts and keys nobody else reads.
Method: our own reading of the MSP, and the files' modes."""

import datetime
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pedchain_fabric.wire.block import parse_block
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.keys import verify
from pedchain_fabric.wire.policy import principal
from pedchain_network.channel import genesis
from pedchain_network.pki import crypto
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology


@pytest.fixture(scope="module")
def topology() -> Topology:
    return reader.load(reader.reference())


@pytest.fixture(scope="module")
def root(topology: Topology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("crypto") / "crypto"
    assert crypto.create(root, topology) == 4
    return root


@pytest.fixture(scope="module")
def config(topology: Topology, root: Path) -> ChannelConfig:
    first = genesis.ensure_genesis(root.parent / "ped.block", topology, root)
    return ChannelConfig.from_block(parse_block(first))


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("peer0/msp/signcerts", "peer"),
        ("orderer0/msp/signcerts", "orderer"),
        ("users/admin", "admin"),
        ("users/gateway", "client"),
        ("users/auditor", "client"),
    ],
)
def test_every_identity_has_its_role_and_no_other(
    root: Path, config: ChannelConfig, path: str, role: str
) -> None:
    pem = (root / "DistrictA" / path / "cert.pem").read_bytes()
    member = Identity("DistrictAMSP", pem)
    roles = ("peer", "orderer", "admin", "client")
    held = [
        each for each in roles if config.msps.satisfies(member, principal("DistrictAMSP", each))
    ]
    assert held == [role]


def test_an_identity_of_another_organisation_is_no_member(
    root: Path, config: ChannelConfig
) -> None:
    pem = (root / "DistrictB" / "users" / "admin" / "cert.pem").read_bytes()
    stranger = Identity("DistrictAMSP", pem)
    assert not config.msps.satisfies(stranger, principal("DistrictAMSP", "member"))


def test_a_tls_certificate_is_no_identity(root: Path, config: ChannelConfig) -> None:
    pem = (root / "DistrictA" / "peer0" / "tls" / "cert.pem").read_bytes()
    assert not config.msps.satisfies(
        Identity("DistrictAMSP", pem), principal("DistrictAMSP", "member")
    )


def test_keys_are_readable_by_their_owner_only(root: Path) -> None:
    keys = list(root.rglob("key.pem"))
    assert len(keys) == 4 * 15
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_keys_belong_to_their_certificates(root: Path) -> None:
    identity = crypto.Crypto(root / "DSO", "DSOMSP").identity("gateway")
    verify(identity.identity.public_key, b"message", identity.sign(b"message"))


@pytest.mark.parametrize(
    ("path", "days"),
    [
        ("ca/cert.pem", 5_475),
        ("tlsca/cert.pem", 5_475),
        ("orderer0/msp/signcerts/cert.pem", 730),
        ("peer0/tls/cert.pem", 730),
        ("users/gateway/cert.pem", 365),
    ],
)
def test_certificates_live_as_long_as_the_topology_says(root: Path, path: str, days: int) -> None:
    end = certificate(root / "DSO" / path).not_valid_after_utc
    left = end - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=days - 1) < left < datetime.timedelta(days=days + 1)


def test_tls_certificates_name_node_and_loopback_and_serve_both_ends(root: Path) -> None:
    found = certificate(root / "DSO" / "orderer0" / "tls" / "cert.pem")
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["orderer0.dso.ped", "localhost"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    uses = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(uses) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}


def test_identities_and_tls_have_different_authorities(root: Path) -> None:
    for organization in ("DSO", "Aggregator"):
        members = certificate(root / organization / "ca" / "cert.pem")
        tls = certificate(root / organization / "tlsca" / "cert.pem")
        assert members.subject != tls.subject
        leaf = certificate(root / organization / "peer0" / "tls" / "cert.pem")
        leaf.verify_directly_issued_by(tls)
        with pytest.raises(ValueError, match="Issuer"):
            leaf.verify_directly_issued_by(members)


def test_what_is_there_stays_and_what_is_half_done_is_made_anew(
    topology: Topology, tmp_path: Path
) -> None:
    root = tmp_path / "crypto"
    crypto.create(root, topology)
    kept = (root / "DSO" / "ca" / "cert.pem").read_bytes()
    orderer = root / "Aggregator" / "orderer0"
    (orderer / "msp").rename(orderer / ".msp")
    assert crypto.create(root, topology) == 1
    assert crypto.create(root, topology) == 0
    assert (root / "DSO" / "ca" / "cert.pem").read_bytes() == kept
    assert {path.name for path in orderer.iterdir()} == {"msp", "tls"}


def test_the_genesis_block_is_made_once(topology: Topology, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "channel" / "ped.block"
    made = genesis.ensure_genesis(path, topology, root)
    assert genesis.ensure_genesis(path, topology, root) == made
    path.unlink()
    assert genesis.ensure_genesis(path, topology, root) != made
