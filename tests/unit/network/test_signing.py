# SPDX-License-Identifier: Apache-2.0
"""Goal: an organisation signs its own certificates, and what nodes could not work with is refused
before it is taken. Method: a CA of our own with an intermediate, one answer wrong at a time."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from pedchain_fabric.wire.block import parse_block
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.policy import principal
from pedchain_network.channel import genesis
from pedchain_network.errors import CertificateMissingError, CertificateRefusedError
from pedchain_network.pki import answers, crypto, leaves, requests
from pedchain_network.topology import reader
from pedchain_network.topology.model import Organization, Topology
from tests.ownca import OwnCa, answer, named, now, pem


@pytest.fixture
def topology() -> Topology:
    text = reader.reference().read_text()
    return reader.parse(text.replace("ports: 7250}", "ports: 7250, own_ca: true}"), "test")


@pytest.fixture
def member(topology: Topology) -> Organization:
    return topology.by_name("DistrictB")


@pytest.fixture
def tls() -> OwnCa:
    return OwnCa("tls")


@pytest.fixture
def answered(topology: Topology, member: Organization, tls: OwnCa, tmp_path: Path) -> Path:
    """All requests made and rightly signed."""
    requests.write(tmp_path / "crypto", topology, member, tmp_path / "csr")
    answer(tmp_path / "csr", tmp_path / "answers", OwnCa("members"), tls)
    return tmp_path / "answers"


def request(directory: Path, title: str) -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr((directory.parent / "csr" / f"{title}.csr").read_bytes())


def take(topology: Topology, member: Organization, answered: Path) -> int:
    root = answered.parent / "crypto"
    return len(answers.accept(root, topology, member, answered, now()))


def refused(topology: Topology, member: Organization, answered: Path) -> str:
    with pytest.raises(CertificateRefusedError) as raised:
        take(topology, member, answered)
    assert not (answered.parent / "crypto" / "DistrictB" / "ca").exists(), "nothing was taken"
    return raised.value.message


def test_a_network_does_not_come_up_before_the_answers_are_there(
    topology: Topology, tmp_path: Path
) -> None:
    with pytest.raises(CertificateMissingError, match="signs its own certificates") as raised:
        crypto.create(tmp_path, topology)
    assert "org csr --organization DistrictB" in raised.value.fix


def test_every_certificate_is_asked_for_with_its_role_or_its_hosts(
    topology: Topology, member: Organization, tmp_path: Path
) -> None:
    wanted = requests.write(tmp_path / "crypto", topology, member, tmp_path / "csr")
    assert {path.stem for path in (tmp_path / "csr").iterdir()} == {each.title for each in wanted}
    peer = x509.load_pem_x509_csr((tmp_path / "csr" / "peer0.msp.csr").read_bytes())
    assert "OU=peer" in peer.subject.rfc4514_string()
    server = x509.load_pem_x509_csr((tmp_path / "csr" / "peer0.tls.csr").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["peer0.districtb.ped", "localhost"]


def test_keys_stay_here_and_are_asked_for_again_not_made_again(
    topology: Topology, member: Organization, tmp_path: Path
) -> None:
    requests.write(tmp_path / "crypto", topology, member, tmp_path / "csr")
    key = tmp_path / "crypto/DistrictB/peer0/msp/keystore/key.pem"
    before = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    requests.write(tmp_path / "crypto", topology, member, tmp_path / "csr")
    assert key.read_bytes() == before
    assert not any(b"PRIVATE" in path.read_bytes() for path in (tmp_path / "csr").iterdir())


def test_nothing_is_asked_for_where_certificates_are_signed_here(
    topology: Topology, tmp_path: Path
) -> None:
    with pytest.raises(CertificateRefusedError, match="are signed here"):
        requests.write(tmp_path, topology, topology.by_name("DSO"), tmp_path / "csr")


def test_what_was_answered_rightly_makes_members_of_the_channel(
    topology: Topology, member: Organization, answered: Path
) -> None:
    root = answered.parent / "crypto"
    assert take(topology, member, answered) == len(leaves.of(topology, member))
    assert crypto.create(root, topology) == 3
    first = genesis.ensure_genesis(answered.parent / "ped.block", topology, root)
    config = ChannelConfig.from_block(parse_block(first))
    admin = crypto.of(root, member).identity("admin").identity
    who = Identity(member.msp_id, admin.certificate)
    assert config.msps.satisfies(who, principal(member.msp_id, "admin"))
    assert len(list((root / "DistrictB/peer0/msp/intermediatecerts").iterdir())) == 1
    assert (root / "DistrictB/peer0/tls/cert.pem").read_bytes().count(b"BEGIN CERTIFICATE") == 2


def test_a_later_answer_renews_and_keeps_the_key(
    topology: Topology, member: Organization, answered: Path, tls: OwnCa
) -> None:
    take(topology, member, answered)
    own = answered.parent / "crypto/DistrictB/peer0/tls"
    key, before = (own / "key.pem").read_bytes(), (own / "cert.pem").read_bytes()
    root, anew = answered.parent / "crypto", answered.parent / "renewed"
    assert requests.write(root, topology, member, anew) == ()
    assert len(requests.write(root, topology, member, anew, all_=True)) == 13
    again = x509.load_pem_x509_csr((anew / "peer0.tls.csr").read_bytes())
    (answered / "peer0.tls.pem").write_bytes(pem(tls.sign(again)))
    take(topology, member, answered)
    assert (own / "key.pem").read_bytes() == key
    assert (own / "cert.pem").read_bytes() != before


def test_a_missing_answer_is_named(
    topology: Topology, member: Organization, answered: Path
) -> None:
    (answered / "orderer0.tls.pem").unlink()
    assert "orderer0.tls:" in refused(topology, member, answered)


def test_missing_authorities_are_named(
    topology: Topology, member: Organization, answered: Path
) -> None:
    (answered / "tlsca.pem").unlink()
    with pytest.raises(CertificateRefusedError, match=r"tlsca.pem is not there"):
        take(topology, member, answered)


@pytest.mark.parametrize(
    ("title", "other", "said"),
    [
        ("peer0.msp", {"subject": named("peer0", "client")}, "OU client, and must have OU peer"),
        ("peer0.msp", {"subject": named("peer0")}, "no OU, and must have OU peer"),
        ("admin", {"ca": True}, "is an authority's certificate"),
        (
            "peer0.tls",
            {"hosts": x509.SubjectAlternativeName([x509.DNSName("peer0.districtb.ped")])},
            "its SAN lacks 127.0.0.1, localhost",
        ),
        (
            "peer0.tls",
            {"uses": x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])},
            "must hold serverAuth and clientAuth",
        ),
        (
            "gateway0.tls",
            {"public": ec.generate_private_key(ec.SECP256R1()).public_key()},
            "is of another key than the request",
        ),
    ],
)
def test_a_wrong_answer_is_refused_with_what_is_wrong(
    topology: Topology,
    member: Organization,
    answered: Path,
    tls: OwnCa,
    title: str,
    other: dict[str, object],
    said: str,
) -> None:
    made = tls.sign(request(answered, title), **other)
    (answered / f"{title}.pem").write_bytes(pem(made))
    assert said in refused(topology, member, answered)


def test_an_answer_of_another_authority_is_refused(
    topology: Topology, member: Organization, answered: Path
) -> None:
    stranger = OwnCa("stranger")
    made = stranger.sign(request(answered, "peer0.tls"))
    (answered / "peer0.tls.pem").write_bytes(pem(made))
    assert "peer0.tls: was not signed by an authority in tlsca.pem" in refused(
        topology, member, answered
    )


@pytest.mark.parametrize(
    ("days", "said"), [(10, "days left, nodes need 30"), (1_001, "outlives its authority")]
)
def test_an_answer_that_ends_too_soon_or_too_late_is_refused(
    topology: Topology, member: Organization, answered: Path, tls: OwnCa, days: int, said: str
) -> None:
    tls.days = days
    (answered / "peer0.tls.pem").write_bytes(pem(tls.sign(request(answered, "peer0.tls"))))
    assert said in refused(topology, member, answered)


def test_an_answer_that_is_no_certificate_is_refused(
    topology: Topology, member: Organization, answered: Path
) -> None:
    (answered / "admin.pem").write_text("sorry, out of office")
    assert "admin: cannot be read" in refused(topology, member, answered)


def test_one_authority_for_both_is_refused(
    topology: Topology, member: Organization, answered: Path
) -> None:
    (answered / "ca.pem").write_bytes((answered / "tlsca.pem").read_bytes())
    assert "would pass for a member" in refused(topology, member, answered)


def test_an_intermediate_first_is_refused(
    topology: Topology, member: Organization, answered: Path, tls: OwnCa
) -> None:
    (answered / "tlsca.pem").write_bytes(pem(tls.intermediate))
    assert "is no root" in refused(topology, member, answered)


def test_an_intermediate_of_another_root_is_refused(
    topology: Topology, member: Organization, answered: Path, tls: OwnCa
) -> None:
    other = OwnCa("other")
    (answered / "tlsca.pem").write_bytes(pem(tls.root) + pem(other.intermediate))
    assert "was signed by nobody in this file" in refused(topology, member, answered)


def test_a_leaf_in_place_of_an_authority_is_refused(
    topology: Topology, member: Organization, answered: Path
) -> None:
    (answered / "ca.pem").write_bytes((answered / "admin.pem").read_bytes())
    assert "may not sign certificates" in refused(topology, member, answered)


def test_requests_of_a_second_peer_are_written_alone(
    topology: Topology, member: Organization, answered: Path
) -> None:
    take(topology, member, answered)
    others = tuple(each for each in topology.organizations if each != member)
    larger = replace(topology, organizations=(*others, replace(member, peers=2)))
    again = answered.parent / "again"
    wanted = requests.write(answered.parent / "crypto", larger, larger.by_name("DistrictB"), again)
    assert {each.title for each in wanted} == {
        "peer1.msp",
        "peer1.tls",
        "peer1.chaincode",
        "chaincode1.tls",
    }
