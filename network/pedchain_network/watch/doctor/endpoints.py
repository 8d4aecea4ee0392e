# SPDX-License-Identifier: Apache-2.0
"""Does each endpoint show the right certificate, and refuse who must not come in.

TLS everywhere between nodes and to chaincode; administration and chaincode are mutual, so they
must turn a client without a certificate away.
"""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pedchain_network.limits import CHECKS_AT_ONCE, ENDPOINT_TIMEOUT_S
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn

CHECK = "endpoints"

_HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_HTTP = b"GET / HTTP/1.0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to knock, and with what: PEM files. `host` is the name its certificate must hold,
    `own` the certificate it should show, `client` a directory with cert.pem and key.pem if it
    demands one."""

    label: str
    address: str
    host: str
    authorities: bytes
    own: Path
    client: Path | None = None
    is_http: bool = False


@dataclass(frozen=True, slots=True)
class Greeting:
    """What came of it. `problem` is empty if the connection stood; `shown` and `on_disk` are
    certificates (DER), empty if unknown; `open_to_all` if it took a client without a certificate
    although it demands one."""

    label: str
    problem: str = ""
    shown: bytes = b""
    on_disk: bytes = b""
    open_to_all: bool = False


def judge(greetings: Iterable[Greeting]) -> list[Finding]:
    """Every endpoint shows a valid certificate of its own name, the newest it has."""
    all_greetings = list(greetings)
    findings = []
    for each in all_greetings:
        if each.problem:
            fix = "if it runs, its certificate is wrong: ped-network cert renew, then restart it"
            findings.append(fail(CHECK, each.label, each.problem, fix))
        elif each.shown and each.on_disk and each.shown != each.on_disk:
            text = "shows an older certificate than the one on disk"
            findings.append(warn(CHECK, each.label, text, "restart it: ped-network cert renew"))
        if each.open_to_all:
            text = "lets clients without a certificate in"
            findings.append(fail(CHECK, each.label, text, "start it with ped-network up"))
    mutual = f"{len(all_greetings)} endpoints show their own valid certificate"
    return findings or [ok(CHECK, mutual)]


async def greet_all(wanted: Iterable[Endpoint]) -> list[Greeting]:
    """Knock at all, at a few at a time."""
    turn = asyncio.Semaphore(CHECKS_AT_ONCE)

    async def in_turn(endpoint: Endpoint) -> Greeting:
        async with turn:
            return await greet(endpoint)

    return await asyncio.gather(*map(in_turn, wanted))


async def greet(endpoint: Endpoint) -> Greeting:
    """Knock, with a certificate if one is demanded, and then also without."""
    try:
        context = _context(endpoint, endpoint.client)
        async with asyncio.timeout(ENDPOINT_TIMEOUT_S):
            shown = await _handshake(endpoint, context)
    except (OSError, TimeoutError, ValueError) as error:
        return Greeting(endpoint.label, _words(error))
    on_disk = _der(endpoint.own)
    return Greeting(endpoint.label, "", shown, on_disk, await _is_open(endpoint))


async def _handshake(endpoint: Endpoint, context: ssl.SSLContext) -> bytes:
    reader, writer = await _connect(endpoint, context)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if endpoint.client is not None:
            await _talk(endpoint, reader, writer)  # TLS 1.3 refuses a client only now
    finally:
        writer.transport.abort()  # not every server answers a farewell
    return bytes(shown or b"")


async def _is_open(endpoint: Endpoint) -> bool:
    """Does an endpoint that demands a certificate talk to a client without one."""
    if endpoint.client is None:
        return False
    try:
        async with asyncio.timeout(ENDPOINT_TIMEOUT_S):
            reader, writer = await _connect(endpoint, _context(endpoint, None))
            try:
                await _talk(endpoint, reader, writer)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        return False
    return True


async def _connect(
    endpoint: Endpoint, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = endpoint.address.rpartition(":")
    return await asyncio.open_connection(
        host, int(port), ssl=context, server_hostname=endpoint.host
    )


async def _talk(
    endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Say hello and hear something. Raises `OSError` if the other end hangs up."""
    writer.write(_HTTP if endpoint.is_http else _HTTP2)
    if not await reader.read(1):
        raise ConnectionResetError("it hangs up")


def _context(endpoint: Endpoint, client: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=endpoint.authorities.decode())
    if not endpoint.is_http:
        context.set_alpn_protocols(["h2"])
    if client is not None:
        context.load_cert_chain(client / "cert.pem", client / "key.pem")
    return context


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    return str(error) or "no answer in time"


def _der(path: Path) -> bytes:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    except (OSError, ValueError):
        return b""
