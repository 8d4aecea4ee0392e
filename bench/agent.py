# SPDX-License-Identifier: Apache-2.0
"""What an agent with one meter weighs while it reads, signs, stores and sends every second.

Its rival is the bare interpreter with what any such agent needs: TLS, HTTP, SQLite and P-256.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from bench.processes import BIN, resident_mb

RUN_S = 20
METER = "home-1-grid"
BARE = "import asyncio, httpx2, sqlite3, ssl, cryptography.hazmat.primitives.asymmetric.ec; input()"


def measure() -> dict[str, float]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        config = street(Path(folder), server.server_port)
        with started(str(BIN / "emsagent"), "run", "--config", str(config)) as agent:
            time.sleep(RUN_S)
            figures = {"resident_mb": resident_mb(agent.pid), "cpu_percent": cpu_percent(agent.pid)}
    server.shutdown()
    with started(sys.executable, "-c", BARE) as bare:
        time.sleep(2)
        figures["bare_interpreter_mb"] = resident_mb(bare.pid)
    return {**figures, "records": Recorder.records}


class Recorder(BaseHTTPRequestHandler):
    """A gateway that records whatever comes."""

    protocol_version = "HTTP/1.1"
    records = 0

    def do_POST(self) -> None:
        packed = self.rfile.read(int(self.headers["content-length"]))
        count = zlib.decompress(packed, wbits=31).count(b"\n") + 1
        Recorder.records += count
        answer = {"status": "recorded", "transaction": "0" * 64}
        body = json.dumps({"results": [answer] * count}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def street(folder: Path, port: int) -> Path:
    """One home whose meter repeats an hour of registers, a line a second."""
    lines = [f"{second},{100 * second}" for second in range(3_601)]
    (folder / "meter.csv").write_text("\n".join(["instant,1-0:1.8.0*255/Wh", *lines, ""]))
    config = folder / "agent.toml"
    config.write_text(
        'schema = "emsagent/1"\nnetwork = "bench"\nchannel = "bench"\n'
        f'[gateway.bench]\nurl = "http://127.0.0.1:{port}"\n'
        '[[home]]\nid = "home-1"\ndistrict = "bench"\ninterval_s = 1\n'
        f'[[home.device]]\nid = "{METER}"\ndriver = {{ kind = "replay", file = "meter.csv" }}\n'
    )
    return config


@contextmanager
def started(*command: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that ends with the block."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def cpu_percent(pid: int) -> float:
    """Share of one core used since the process started."""
    process = psutil.Process(pid)
    used = process.cpu_times()
    return round(100 * (used.user + used.system) / (time.time() - process.create_time()), 1)
