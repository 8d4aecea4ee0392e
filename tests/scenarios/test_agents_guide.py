# SPDX-License-Identifier: Apache-2.0
"""The agent's guide: its commands are run as they stand, from a meter that speaks P1 to a
certificate. The grid operator's part, and the meter, are the test's.

The day is 2026-01-01. The agent's process lives in it: twice, at its beginning and at its end, some
seconds each, with a clock that is shifted when Python starts.
"""

import json
import os
import re
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.test_agents_plan import serving
from tests.unit.emsagent.livedevices import telegram

pytestmark = pytest.mark.timeout(400)
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
DAY, BEGIN, A_DAY = "2026-01-01", 1_767_225_600, 86_400
EARLY_S = 4
SHIFTED = """
import os, sys, time
if "run" in sys.orig_argv and any(one.endswith("emsagent") for one in sys.orig_argv):
    real, offset = time.time, float(os.environ["SHIFT_S"])
    time.time = lambda: real() + offset
"""


@dataclass
class Meter:
    """A P1 meter on the network: a telegram a second, in the time of the day that is lived."""

    port: int
    shift_s: float = 0.0
    drawn: str = "000123.456"

    def telegram(self) -> bytes:
        local = datetime.fromtimestamp(time.time() + self.shift_s, UTC)
        local = local.astimezone(ZoneInfo("Europe/Amsterdam"))
        return telegram(f"{local:%y%m%d%H%M%S}{'S' if local.dst() else 'W'}", self.drawn)


@contextmanager
def metering() -> Iterator[Meter]:
    class Speak(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                while True:
                    self.request.sendall(meter.telegram())
                    time.sleep(0.5)
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Speak) as server:
        meter = Meter(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield meter
        server.shutdown()


def gateway(*words: str) -> str:
    done = subprocess.run(
        [str(BIN / "ped-gateway"), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def offered(network: Network, folder: Path) -> str:
    """The operator registers the connection and offers the meter's claim; the claim's id."""
    told = json.loads((ROOT / "docs/examples/first-meter.json").read_text())
    device = told["documents"]["DistrictA"].pop()
    del device["key"]
    (folder / "registration.json").write_text(json.dumps(told))
    (folder / "device.json").write_text(json.dumps(device))
    named = ("--profile", str(network.profile("DSO")))
    gateway("register", str(folder / "registration.json"), *named)
    said = gateway("claim", "offer", str(folder / "device.json"), "--district", "DistrictA", *named)
    found = json.loads(said)
    (folder / "code.txt").write_text(found["code"])
    return str(found["claim"])


def presented(network: Network, folder: Path, claim: str) -> None:
    named = ("--profile", str(network.profile("DSO")), "--district", "DistrictA")
    paper, code = str(folder / "possession.json"), str(folder / "code.txt")
    gateway("claim", "present", claim, paper, "--code", code, *named)


@dataclass
class Reader:
    """Who follows the guide."""

    folder: Path
    environment: dict[str, str]

    def types(self, block: str) -> str:
        """A block as it stands; what it said."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def runs(self, block: str, meter: Meter, at: int) -> None:
        """The agent until the reading at an instant is on the ledger."""
        meter.shift_s = at - EARLY_S - time.time()
        more = {"SHIFT_S": str(meter.shift_s)}
        before = self.recorded()
        command = ["bash", "-c", f"exec {block}"]
        with (self.folder / "agent.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env={**self.environment, **more}, stderr=log
            )
        try:
            deadline = time.monotonic() + 60
            while self.recorded() == before:
                assert process.poll() is None
                assert time.monotonic() < deadline, (self.folder / "agent.log").read_text()
                time.sleep(0.5)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0

    def recorded(self) -> int:
        command = [str(BIN / "emsagent"), "status", "--config", "agent.toml"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        found = json.loads(done.stdout or "{}").get("records", {})
        return int(found.get("recorded", 0))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_guide_leads_from_a_p1_meter_to_a_certificate(runtime: str, tmp_path: Path) -> None:
    guide = (ROOT / "docs/agent.md").read_text()
    configure, claim_, check, run, status, certificate = re.findall(
        r"```bash\n(.*?)```", guide, re.DOTALL
    )
    with make_network(runtime, tmp_path) as network, metering() as meter:
        network.run("up")
        shim, folder = tmp_path / "shim", tmp_path / "pi"
        shim.mkdir()
        folder.mkdir()
        (shim / "sitecustomize.py").write_text(SHIFTED)
        with serving(network, tmp_path) as url:
            reader = Reader(
                folder,
                {
                    **os.environ,
                    "PATH": f"{BIN}:{os.environ['PATH']}",
                    "PYTHONPATH": str(shim),
                    "GATEWAY": url,
                    "P1_HOST": "127.0.0.1",
                    "P1_PORT": str(meter.port),
                    "CLAIM": offered(network, tmp_path),
                    "DAY": DAY,
                    "SHIFT_S": "0",
                },
            )
            reader.types(configure)
            reader.types(claim_)
            presented(network, folder_of(tmp_path, folder), reader.environment["CLAIM"])
            assert json.loads(reader.types(check))["ok"] is True
            reader.runs(run, meter, BEGIN)
            meter.drawn = "000125.956"
            reader.runs(run, meter, BEGIN + A_DAY)
            told = json.loads(reader.types(status))
            assert told["records"]["recorded"] >= 2
            assert told["alarms"] == []
            named = ("--profile", str(network.profile("DistrictA")), "--district", "DistrictA")
            gateway("close", *named, "--from", DAY, "--through", DAY)
            printed = json.loads(reader.types(certificate))
    assert printed["day"] == DAY
    assert printed["electricity"]["import_wh"] == 2_500


def folder_of(operators: Path, pi: Path) -> Path:
    """The installer has the code, and what the Pi printed."""
    (operators / "possession.json").write_text((pi / "possession.json").read_text())
    return operators
