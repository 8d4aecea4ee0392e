# SPDX-License-Identifier: Apache-2.0
"""Devices beside their readings: bound to their connection, claimed, told what to do."""

import asyncio
import json
import os
import signal
import socket
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import canonical, der
from pedchain_gateway import limits
from pedchain_gateway.config import Config
from pedchain_gateway.devices.routes import commands
from pedchain_gateway.intake.verdict import Status, Verdict
from pedchain_gateway.ledger.port import Committed, Refused, Unavailable
from pedchain_gateway.people.rates import Rates
from pedchain_gateway.service import serve as service
from pedchain_gateway.service.agents import Agents
from pedchain_gateway.service.problems import ProblemError
from tests.unit.gateway.conftest import FakeLedger
from tests.unit.gateway.test_dispatches import BASE, DISPATCH, asked, inquiry

__all__ = ["asked"]
CA, DEVICE, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
CLAIM = "0" * 32


def certificate(folder: Path, name: str, key: Any, issuer: Any = CA) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 by the authority, and its key, as files."""
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ca")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=key is CA, path_length=None), critical=True)
        .sign(issuer, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def entry(key: Any, site: str, **changes: Any) -> bytes:
    found = {"alg": "ES256", "spki": der.spki_hex(key.public_key())}
    return canonical.encode({"site": site, "document": {"key": found, "to": None, **changes}})


@asynccontextmanager
async def served(
    folder: Path, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch, *, required: bool
) -> Any:
    """The service on a socket with TLS; makes clients with this or that certificate."""

    @asynccontextmanager
    async def link() -> Any:
        yield ledger

    async def open_ledger(*_: object) -> Any:
        return link()

    monkeypatch.setattr(service, "open_ledger", open_ledger)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    authority, _ = certificate(folder, "ca", CA)
    own, key = certificate(folder, "gateway", ec.generate_private_key(ec.SECP256R1()))
    tls = {"certificate": own, "key": key, "devices": authority, "devices_required": required}
    known = {"profile": folder, "state": folder / "state", "listen": f"127.0.0.1:{port}"}
    config = Config.model_validate({**known, "tls": tls, "districts": {"DistrictA": {}}})

    async def post(record: bytes, files: tuple[Path, Path] | None) -> Any:
        trust = ssl.create_default_context(cafile=str(authority))
        if files is not None:
            trust.load_cert_chain(*files)
        async with httpx2.AsyncClient(verify=trust) as client:
            return await client.post(
                f"https://127.0.0.1:{port}/v1/readings",
                json={"district": "DistrictA", "records": [record.decode()]},
            )

    held = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    serving = asyncio.create_task(service.serve(config))
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                except OSError:
                    await asyncio.sleep(0.01)
            yield post
            os.kill(os.getpid(), signal.SIGTERM)
            await serving
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


@pytest.mark.fault(46)
async def test_a_connection_brings_records_of_its_own_site_alone(
    tmp_path: Path, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch, record_of: Any
) -> None:
    ledger.answers = {
        ("GetDevice", "meter-1"): entry(DEVICE, "site-1"),
        ("GetDevice", "meter-2"): entry(OTHER, "site-1"),
        ("GetDevice", "meter-3"): entry(OTHER, "site-2"),
        ("GetDevice", "meter-4"): Refused("not-found"),
    }
    own = certificate(tmp_path, "meter-1", DEVICE)
    false = certificate(tmp_path, "meter-2", DEVICE)
    async with served(tmp_path, ledger, monkeypatch, required=False) as post:
        for device, files, expected in (
            ("meter-1", own, (200, None)),
            ("meter-2", own, (200, None)),
            ("meter-3", own, (403, "key-meter-mismatch")),
            ("meter-4", own, (403, "key-meter-mismatch")),
            ("meter-2", false, (403, "unknown-device")),
            ("meter-3", None, (200, None)),
        ):
            answer = await post(record_of(1, device=device), files)
            assert (answer.status_code, answer.json().get("reason")) == expected


async def test_a_gateway_may_ask_for_certificates_of_all_and_refuses_revoked_devices(
    tmp_path: Path, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch, record_of: Any
) -> None:
    ledger.answers = {("GetDevice", "meter-1"): entry(DEVICE, "site-1", to=1_700_000_000)}
    own = certificate(tmp_path, "meter-1", DEVICE)
    stranger = certificate(tmp_path, "meter-9", OTHER, OTHER)
    async with served(tmp_path, ledger, monkeypatch, required=True) as post:
        answer = await post(record_of(1), None)
        assert (answer.status_code, answer.json()["reason"]) == (403, "no-certificate")
        answer = await post(record_of(1), own)
        assert (answer.status_code, answer.json()["reason"]) == (403, "revoked-key")
        with pytest.raises((httpx2.TransportError, ssl.SSLError)):
            await post(record_of(1), stranger)


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    ("refused", "state", "expected"),
    [
        (None, "used", (200, None)),
        (None, "open", (403, "claim-refused")),
        (Refused("claim-refused"), "open", (403, "claim-refused")),
        (Refused("not-found"), "open", (409, "not-found")),
    ],
)
async def test_a_device_takes_up_its_claim_or_is_told_nothing(
    http: httpx2.AsyncClient,
    ledger: FakeLedger,
    monkeypatch: pytest.MonkeyPatch,
    refused: Any,
    state: str,
    expected: Any,
) -> None:
    calls: list[Any] = []

    async def submit(_: str, function: str, claim: str, transient: Any) -> Committed:
        calls.append((function, claim, transient.get("code")))
        if refused is not None:
            raise refused
        return Committed("a" * 64, b"")

    monkeypatch.setattr(ledger, "submit", submit)
    ledger.answers = {("membership:GetClaim", CLAIM): canonical.encode({"state": state})}
    url = f"/v1/districts/DistrictA/claims/{CLAIM}"
    answer = await http.post(url, json={"code": "SECRET", "possession": {"signature": "00"}})
    assert (answer.status_code, answer.json().get("reason")) == expected
    assert calls[0] == ("membership:PresentClaim", CLAIM, b"SECRET")
    assert "SECRET" not in answer.text
    other = "/v1/districts/DistrictB/claims/" + CLAIM
    assert (await http.post(other, json={"code": "x", "possession": {}})).status_code == 404


async def test_commands_are_told_as_they_come_and_each_once(
    asked: FakeLedger, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COMMANDS_EVERY_S", 0.01)
    monkeypatch.setattr(limits, "STREAM_S", 0.5)
    monkeypatch.setattr(limits, "STREAM_LOOK_S", 0.05)
    answer = await http.post(f"{BASE}/commands", json=inquiry())
    assert answer.headers["content-type"].startswith("text/event-stream")
    data = [json.loads(line[6:]) for line in answer.text.splitlines() if line[:6] == "data: "]
    assert data == [DISPATCH]
    stranger = await http.post(f"{BASE}/commands", json=inquiry(OTHER))
    assert stranger.status_code == 403


async def test_a_stream_of_commands_ends_where_the_ledger_is_away(asked: FakeLedger) -> None:
    stream = commands(Agents(asked, "ped"), "DistrictA", "site-1")
    assert (await anext(stream)).data == DISPATCH
    asked.unavailable = Unavailable("gone")
    with pytest.raises(Unavailable):
        await anext(stream)


@pytest.mark.fault(46)
async def test_a_device_that_brings_too_much_is_told_when_to_come_again(
    http: httpx2.AsyncClient, record_of: Any, services: Any
) -> None:
    services.rates._device, services.rates._clock = 3, lambda: 1_000_000_020.0
    lines = [b"\n".join(record_of(at) for at in range(*span)) for span in ((1, 4), (4, 5))]
    first, second = [
        await http.post("/v1/readings?district=DistrictA", content=one,
                        headers={"content-type": "text/plain"})
        for one in lines
    ]  # fmt: skip
    assert first.status_code == 200
    assert second.status_code == 429
    assert 0 < int(second.headers["retry-after"]) <= 60
    other = await http.post(
        "/v1/readings?district=DistrictA",
        content=record_of(1, device="meter-2"),
        headers={"content-type": "text/plain"},
    )
    assert other.status_code == 200


def test_forged_records_count_against_where_they_came_from(config: Config) -> None:
    rates = Rates(config.rates.model_copy(update={"forged_per_address": 2}))
    forged = [Verdict(Status.REJECTED, "bad-signature")] * 2
    rates.judged("10.0.0.1", ["meter-1"] * 2, forged)
    with pytest.raises(ProblemError):
        rates.devices("10.0.0.1", ["meter-2"])
    rates.devices("10.0.0.2", ["meter-1"] * config.rates.records_per_device)
