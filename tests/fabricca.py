# SPDX-License-Identifier: Apache-2.0
"""A real Fabric CA for tests: two servers, one for identities and one for TLS, as the admin's guide
says (docs/admin/certificates.md). Looked for in `FABRIC_HOME/bin` and on PATH."""

import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

_START_S = 60.0
_ADMIN = "registrar:registrarpw"


def binary(name: str) -> str | None:
    """`fabric-ca-server` or `fabric-ca-client`, if it is installed."""
    home = os.environ.get("FABRIC_HOME", "/opt/hyperledger/fabric")
    return shutil.which(name, path=os.pathsep.join((f"{home}/bin", os.environ.get("PATH", ""))))


@dataclass(frozen=True)
class FabricCa:
    """One server with its registrar enrolled."""

    port: int
    home: Path

    def client(self, *arguments: str) -> str:
        """What `fabric-ca-client` prints, as the registrar."""
        program = binary("fabric-ca-client")
        assert program is not None
        url = f"http://{_ADMIN}@127.0.0.1:{self.port}"
        done = subprocess.run(
            [program, *arguments, "--url", url, "--home", str(self.home / "client")],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sign(self, request: bytes, kind: str, profile: str = "", attributes: str = "") -> bytes:
        """Register the common name of a request under a type, and have it signed."""
        (name,) = x509.load_pem_x509_csr(request).subject.get_attributes_for_oid(
            NameOID.COMMON_NAME
        )
        extra = ("--id.attrs", attributes) if attributes else ()
        self.client(
            *("register", "--id.name", str(name.value), "--id.type", kind),
            *("--id.secret", "secret", *extra),
        )
        document = {"certificate_request": request.decode(), "profile": profile}
        call = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/enroll", json.dumps(document).encode()
        )
        login = base64.b64encode(f"{name.value}:secret".encode()).decode()
        call.add_header("Authorization", f"Basic {login}")
        with urllib.request.urlopen(call, timeout=20) as answer:
            return base64.b64decode(json.load(answer)["result"]["Cert"])

    def roots(self) -> bytes:
        """The authority's certificate as `getcainfo` stores it."""
        place = self.home / "info"
        self.client("getcainfo", "--mspdir", str(place))
        (found,) = (place / "cacerts").glob("*.pem")
        return found.read_bytes()


@contextmanager
def fabric_ca(home: Path, name: str, ports: tuple[int, int]) -> Iterator[FabricCa]:
    """One server on 127.0.0.1, `ports` its own and its operations'."""
    program = binary("fabric-ca-server")
    assert program is not None
    home.mkdir(parents=True)
    with open(home / "log", "wb") as log:
        server = subprocess.Popen(
            [
                *(program, "start", "-b", _ADMIN, "--home", str(home / "server")),
                *("--address", "127.0.0.1", "--port", str(ports[0]), "--ca.name", name),
                *("--csr.cn", f"{name}.districtb.example", "--csr.hosts", "127.0.0.1"),
                *("--operations.listenaddress", f"127.0.0.1:{ports[1]}"),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + _START_S
        while not _answers(ports[0]):
            assert server.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.1)
        made = FabricCa(ports[0], home)
        made.client("enroll")
        yield made
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def both(home: Path, base: int) -> Iterator[tuple[FabricCa, FabricCa]]:
    """One for identities, one for TLS."""
    with ExitStack() as stack:
        members = stack.enter_context(fabric_ca(home / "ca", "ca", (base, base + 1)))
        tls = stack.enter_context(fabric_ca(home / "tlsca", "tlsca", (base + 2, base + 3)))
        yield members, tls
