# SPDX-License-Identifier: Apache-2.0
"""Goal: doctor sees what ends and what lies open on disk. Method: authorities of our own."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from pedchain_network.watch.doctor import expiry, keyfiles
from pedchain_network.watch.doctor.finding import Finding, Severity

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])


def certificate(days: float, *, begins: float = -1, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    made = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW + datetime.timedelta(days=begins))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def revocations(days: float) -> bytes:
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(NAME)
        .last_update(NOW - datetime.timedelta(days=1))
        .next_update(NOW + datetime.timedelta(days=days))
        .sign(KEY, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def judged(data: bytes) -> Finding:
    [found] = expiry.judge(expiry.read(data, "DSO/peer0"), NOW)
    assert found.severity is Severity.OK or found.remedy
    return found


@pytest.mark.parametrize(
    ("days", "expected"), [(31, "ok"), (29, "warn"), (7.1, "warn"), (6.9, "fail"), (0.01, "fail")]
)
def test_certificates_warn_30_and_fail_7_days_before_their_end(days: float, expected: str) -> None:
    assert judged(certificate(days)).severity.value == expected


def test_an_expired_certificate_is_named_with_its_end() -> None:
    found = judged(certificate(-0.5))
    assert (found.severity, found.subject) == (Severity.FAIL, "DSO/peer0")
    assert "ended 2026-11-21 12:00 UTC" in found.what
    assert "cert renew" in found.remedy


def test_a_certificate_from_the_future_is_told() -> None:
    assert "not valid before" in judged(certificate(90, begins=1)).what


@pytest.mark.parametrize(("days", "expected"), [(31, "ok"), (20, "warn"), (-1, "fail")])
def test_revocation_lists_end_as_well(days: float, expected: str) -> None:
    found = judged(revocations(days))
    assert found.severity.value == expected
    assert found.severity is Severity.OK or "revocation list" in found.remedy


def test_one_certificate_in_many_places_is_one_finding() -> None:
    data = certificate(3)
    places = ("DSO/ca/cert.pem", "DSO/peer0/msp/cacerts/cert.pem", "channel")
    [found] = expiry.judge([each for place in places for each in expiry.read(data, place)], NOW)
    assert found.subject == "DSO/ca/cert.pem (and 2 more places)"


def test_the_first_to_end_is_told_when_all_is_well() -> None:
    found = expiry.read(certificate(300), "late") + expiry.read(certificate(100), "early")
    [summary] = expiry.judge(found, NOW)
    assert "2 certificates" in summary.what
    assert "early, in 100 days" in summary.what


def test_no_certificate_at_all_is_no_good_news() -> None:
    [found] = expiry.judge([], NOW)
    assert found.severity is Severity.WARN


def test_other_files_are_passed_over() -> None:
    assert expiry.read(b"NodeOUs:\n  Enable: true\n", "config.yaml") == []


def private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def crypto(tmp_path: Path) -> Path:
    """One organisation's keys as they should be."""
    for place in ("ca", "tlsca", "users/admin", "users/gateway", "peer0/tls"):
        folder = tmp_path / "DSO" / place
        folder.mkdir(parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / "cert.pem").write_bytes(certificate(90, key=key))
        (folder / "key.pem").write_bytes(private(key))
        (folder / "key.pem").chmod(0o600)
    return tmp_path


def keys(root: Path) -> list[Finding]:
    return keyfiles.judge(*keyfiles.look(root))


def test_keys_in_order_are_counted(crypto: Path) -> None:
    [found] = keys(crypto)
    assert found.severity is Severity.OK
    assert "5 private keys" in found.what


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_that_others_can_reach_is_named(crypto: Path, mode: int) -> None:
    key = crypto / "DSO/users/gateway/key.pem"
    key.chmod(mode)
    [found] = keys(crypto)
    assert (found.severity, found.subject) == (Severity.FAIL, str(key))
    assert f"{mode:04o}" in found.what
    assert found.remedy == f"chmod 600 {key}"


@pytest.mark.parametrize("whose", ["ca", "tlsca", "users/admin"])
def test_a_node_that_holds_a_key_of_the_organisation_is_named(crypto: Path, whose: str) -> None:
    stray = crypto / "DSO/peer0/copy.pem"
    stray.write_bytes((crypto / "DSO" / whose / "key.pem").read_bytes())
    stray.chmod(0o600)
    [found] = keys(crypto)
    assert (found.severity, found.subject) == (Severity.FAIL, str(stray))
    assert f"DSO/{whose}" in found.what


def test_an_unreadable_key_is_still_looked_at_for_its_mode(crypto: Path) -> None:
    key = crypto / "DSO/peer0/tls/key.pem"
    kind = b"PRIVATE KEY"  # in two steps: the lint takes the whole for a key
    key.write_bytes(b"-----BEGIN " + kind + b"-----\nAAAA\n-----END " + kind + b"-----\n")
    key.chmod(0o644)
    [found] = keys(crypto)
    assert found.subject == str(key)
