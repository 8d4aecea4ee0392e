# SPDX-License-Identifier: Apache-2.0
"""What an agent weighs: one meter by the second; ten devices by the minute; a thousand homes.

One meter: read, signed, stored and sent every second; its rival is the bare interpreter with what
any such agent needs: TLS, HTTP, SQLite and P-256. Ten devices, once a minute: a P1 meter that
speaks every second, a SunSpec inverter, eight register files; CPU over two minutes. A thousand
homes in one process, each with its key and outbox: a day of quarter-hours, signed, stored, sent.
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

from bench.processes import BIN, cpu_us, resident_mb

RUN_S = 20
SETTLE_S, TEN_S = 15, 120
THOUSAND, DAY_START = 1_000, 1_774_742_400
HEAD = (
    'schema = "emsagent/1"\nnetwork = "bench"\nchannel = "bench"\n'
    '[gateway.bench]\nurl = "http://127.0.0.1:{port}"\n'
)
HOME = '[[home]]\nid = "home-{number}"\ndistrict = "bench"\ninterval_s = {interval_s}\n'
DEVICE = '[[home.device]]\nid = "{id}"\ndriver = {driver}\n'
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
        figures |= ten_devices(Path(folder), server.server_port)
        figures |= thousand_homes(Path(folder), server.server_port)
    server.shutdown()
    with started(sys.executable, "-c", BARE) as bare:
        time.sleep(2)
        figures["bare_interpreter_mb"] = resident_mb(bare.pid)
    return {**figures, "records": Recorder.records}


def ten_devices(folder: Path, port: int) -> dict[str, float]:
    """Two minutes of ten devices, in processes beside the agent."""
    devices = ["-m", "bench.devices"]
    lines = [f"{60 * minute},{100 * minute}" for minute in range(61)]
    (folder / "minutes.csv").write_text("\n".join(["instant,1-0:1.8.0*255/Wh", *lines, ""]))
    with started(sys.executable, *devices, stdout=subprocess.PIPE) as served:
        assert served.stdout is not None
        p1, modbus = map(int, served.stdout.readline().split())
        drivers = [
            f'{{ kind = "p1", host = "127.0.0.1", port = {p1} }}',
            f'{{ kind = "modbus", host = "127.0.0.1", port = {modbus}, model = 103 }}',
            *['{ kind = "replay", file = "minutes.csv" }'] * 8,
        ]
        parts = [HEAD.format(port=port), HOME.format(number=10, interval_s=60)]
        parts += [DEVICE.format(id=f"device-{n}", driver=one) for n, one in enumerate(drivers)]
        config = folder / "ten.toml"
        config.write_text('clock = "always"\n' + "".join(parts))
        with started(str(BIN / "emsagent"), "run", "--config", str(config)) as agent:
            time.sleep(SETTLE_S)
            before = cpu_us(psutil.Process(agent.pid))
            time.sleep(TEN_S)
            used = cpu_us(psutil.Process(agent.pid)) - before
            told = {
                "ten_devices_cpu_percent": round(used / TEN_S / 1e4, 2),
                "ten_devices_resident_mb": resident_mb(agent.pid),
            }
        status = subprocess.run(
            [str(BIN / "emsagent"), "status", "--config", str(config)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        counters = json.loads(status.stdout.splitlines()[0])["counters"]
        assert len(counters) == len(drivers), counters
        assert min(counters.values()) >= TEN_S // 60
    return told


def thousand_homes(folder: Path, port: int) -> dict[str, float]:
    """A day of a thousand homes in one process."""
    lines = [f"{DAY_START + quarter * 900},{100 * quarter}" for quarter in range(97)]
    (folder / "day.csv").write_text("\n".join(["instant,1-0:1.8.0*255/Wh", *lines, ""]))
    parts = [HEAD.format(port=port)]
    driver = '{ kind = "csv", file = "day.csv" }'
    for number in range(THOUSAND):
        parts.append(HOME.format(number=f"t{number}", interval_s=900))
        parts.append(DEVICE.format(id=f"t{number}-grid", driver=driver))
    config = folder / "thousand.toml"
    config.write_text("".join(parts))
    day = time.strftime("%Y-%m-%d", time.gmtime(DAY_START))
    command = [str(BIN / "emsagent"), "simulate", "--config", str(config)]
    began, most = time.perf_counter(), 0.0
    with started(*command, "--from", day, "--through", day, stdout=subprocess.DEVNULL) as agent:
        while agent.poll() is None:
            most = max(most, resident_mb(agent.pid))
            time.sleep(0.2)
        assert agent.returncode == 0
    took = time.perf_counter() - began
    return {"thousand_homes_day_s": round(took, 1), "thousand_homes_resident_mb": most}


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
    driver = '{ kind = "replay", file = "meter.csv" }'
    config.write_text(
        HEAD.format(port=port)
        + HOME.format(number=1, interval_s=1)
        + DEVICE.format(id=METER, driver=driver)
    )
    return config


@contextmanager
def started(*command: str, stdout: int | None = None) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that ends with the block."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.DEVNULL
    )
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
