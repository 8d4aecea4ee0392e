# SPDX-License-Identifier: Apache-2.0
"""The service as a whole on a real socket: TLS, background, logs, and a clean end."""

import asyncio
import io
import json
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_gateway import logs
from pedchain_gateway.config import Config
from pedchain_gateway.service import serve as service


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    now = datetime.now(UTC)
    addresses = [x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {"certificate": tmp_path / "cert.pem", "key": tmp_path / "key.pem"}


@pytest.fixture
def signals() -> Iterator[None]:
    """Puts back what a served process changes."""
    held = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in held.items():
        signal.signal(number, handler)


async def test_it_serves_over_tls_and_ends_well_on_sigterm(
    tmp_path: Path,
    tls: dict[str, Path],
    ledger: Any,
    record_of: Any,
    signals: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asynccontextmanager
    async def link() -> Any:
        yield ledger

    async def open_ledger(path: Path, user: str) -> Any:
        assert (path.name, user) == ("profile.json", "gateway")
        return link()

    monkeypatch.setattr(service, "open_ledger", open_ledger)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = Config.model_validate(
        {
            "profile": tmp_path / "profile.json",
            "state": tmp_path / "state",
            "listen": f"127.0.0.1:{port}",
            "tls": tls,
            "districts": {"DistrictA": {}},
        }
    )
    serving = asyncio.create_task(service.serve(config))
    trust = ssl.create_default_context(cafile=str(tls["certificate"]))
    async with (
        asyncio.timeout(30),
        httpx2.AsyncClient(base_url=f"https://127.0.0.1:{port}", verify=trust) as client,
    ):
        while True:
            try:
                assert (await client.get("/healthz")).json()["status"] == "ok"
                break
            except httpx2.ConnectError:
                await asyncio.sleep(0.01)
        body = {"district": "DistrictA", "records": [record_of(1).decode()]}
        answer = await client.post("/v1/readings", json=body)
        assert answer.json()["results"][0]["status"] == "recorded"
        assert "server" not in answer.headers
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(30):
        await serving


@pytest.mark.fault(48)
def test_logs_are_one_json_line_each_whatever_is_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.set_up()
    try:
        structlog.get_logger("test").info("named", value="a\nb\x1b[31m\u202e")
        try:
            raise ValueError("payload")
        except ValueError:
            logging.getLogger("library").exception("it failed")
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert (first["event"], first["value"]) == ("named", "a\nb\x1b[31m\u202e")
    assert (second["event"], second["error"]) == ("it failed", "ValueError")
    assert "payload" not in written.getvalue()
    assert "\u202e" not in written.getvalue()
