# SPDX-License-Identifier: Apache-2.0
"""A home with one meter, and a small HTTP gateway that remembers what it was sent."""

import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emsagent import config as configuration
from emsagent.config import Config
from pedchain_domain import ocmf

T0 = 1_774_742_400  # 2026-03-29T00:00:00Z, a whole hour
HOUR = 3_600


@dataclass
class FakeGateway:
    """Keeps the first payload of each natural key; its moods are what a test sets."""

    url: str = ""
    payloads: dict[tuple[str, int], bytes] = field(default_factory=dict)
    received: list[tuple[str, int]] = field(default_factory=list)
    posts: int = 0
    refuse: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    swallow_answers: int = 0
    keys: dict[str, ocmf.PublicKey] = field(default_factory=dict)
    override: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)

    def take(self, record: bytes) -> dict[str, str]:
        """One record's answer."""
        parsed = ocmf.parse(record)
        key = (parsed.device, parsed.counter)
        self.received.append(key)
        if key in self.override:
            return self.override[key]
        if parsed.device in self.keys:
            try:
                ocmf.verify(parsed, self.keys[parsed.device])
            except ocmf.OcmfError as error:
                return {"status": "rejected", "reason": str(error.reason)}
        known = self.payloads.setdefault(key, parsed.payload)
        if known != parsed.payload:
            return {"status": "conflict", "reason": "conflict"}
        again = self.received.count(key) > 1
        return {"status": "duplicate" if again else "recorded", "transaction": "tx"}


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    """A gateway on a free port of this machine."""
    fake = FakeGateway()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            fake.posts += 1
            if fake.refuse:
                status, headers = fake.refuse.pop(0)
                self._answer(status, {"title": "refused"}, headers)
                return
            results = [fake.take(record) for record in gzip.decompress(body).split(b"\n")]
            if fake.swallow_answers:
                fake.swallow_answers -= 1
                self.close_connection = True
                return
            self._answer(200, {"results": results}, {})

        def _answer(self, status: int, body: object, headers: dict[str, str]) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        fake.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield fake
        server.shutdown()
        thread.join()


def write_registers(path: Path, hours: int, start: int = T0) -> None:
    """A register file with a reading each hour, both ends included."""
    lines = ["instant,1-0:1.8.0*255/Wh,1-0:2.8.0*255/Wh"]
    lines += [f"{start + hour * HOUR},{1_000 + 250 * hour},{hour}" for hour in range(hours + 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def config_text(url: str, homes: int = 1, *, samples_per_record: int = 96) -> str:
    """A configuration with homes of one grid meter each."""
    text = (
        'schema = "emsagent/1"\nnetwork = "test"\nchannel = "ped"\n'
        f'[gateway.DistrictA]\nurl = "{url}"\n'
    )
    for number in range(1, homes + 1):
        text += (
            f'[[home]]\nid = "home-{number}"\ndistrict = "DistrictA"\ninterval_s = 3600\n'
            f"samples_per_record = {samples_per_record}\n"
            f'[[home.device]]\nid = "home-{number}-grid"\n'
            f'driver = {{ kind = "csv", file = "registers/home-{number}-grid.csv" }}\n'
        )
    return text


@pytest.fixture
def street(tmp_path: Path, gateway: FakeGateway) -> Config:
    """Two homes with three days of registers, wired to the fake gateway."""
    for number in (1, 2):
        write_registers(tmp_path / f"registers/home-{number}-grid.csv", hours=72)
    file = tmp_path / "agent.toml"
    file.write_text(config_text(gateway.url, homes=2))
    return configuration.load(file)
