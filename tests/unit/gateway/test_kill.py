# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of the gateway anywhere: what was acknowledged is on the ledger, and once."""

import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pedchain_gateway.intake.failpoint import VARIABLE, Failpoint

PROCESS = Path(__file__).with_name("gateway_process.py")
FINAL = {"recorded", "duplicate", "rejected", "conflict"}


class Gateway:
    """Starts, kills and starts again one gateway process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10)

    def start(self, failpoint: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROCESS), str(self.folder), str(self.port)],
            env={**os.environ, VARIABLE: failpoint, "PYTHONDONTWRITEBYTECODE": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.client.get("/healthz")
                return
            except httpx2.TransportError:
                time.sleep(0.02)
        raise AssertionError("the gateway did not come up")

    def ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def post(self, records: list[bytes], prefer: str = "") -> list[str] | None:
        """The records' statuses; None if no answer came."""
        try:
            answer = self.client.post(
                "/v1/readings?district=DistrictA",
                content=b"\n".join(records),
                headers={"content-type": "text/plain", "prefer": prefer},
            )
        except httpx2.TransportError:
            return None
        if answer.status_code not in (200, 202):
            return None
        return [result["status"] for result in answer.json()["results"]]

    def until_final(self, records: list[bytes]) -> list[str]:
        """Send the same bytes until every answer is final, as an agent does."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.ended():
                self.start()
            statuses = self.post(records)
            if statuses is not None and set(statuses) <= FINAL:
                return statuses
            time.sleep(0.05)
        raise AssertionError("no final answer came")

    def ledger(self) -> list[bytes]:
        with sqlite3.connect(self.folder / "ledger.sqlite") as db:
            rows = db.execute("SELECT records FROM tx ORDER BY rowid").fetchall()
        db.close()
        return [record for row in rows for record in row[0].split(b"\n")]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path)
    yield made
    made.client.close()
    if made.process is not None:
        made.kill()


@pytest.mark.serial
@pytest.mark.fault(32)
@pytest.mark.parametrize("failpoint", [one for one in Failpoint if one != Failpoint.SPOOLED])
def test_a_kill_at_a_named_point_leaves_one_reading(
    gateway: Gateway, record_of: Any, failpoint: Failpoint
) -> None:
    records = [record_of(counter) for counter in range(1, 6)]
    gateway.start(failpoint)
    assert gateway.post(records) is None
    assert gateway.process is not None
    assert gateway.process.wait(10) == -signal.SIGKILL
    statuses = gateway.until_final(records)
    assert set(statuses) <= {"recorded", "duplicate"}
    assert sorted(gateway.ledger()) == sorted(records)


@pytest.mark.serial
@pytest.mark.fault(32)
@pytest.mark.parametrize("failpoint", [Failpoint.SPOOLED, Failpoint.NOTED, Failpoint.COMMITTED])
def test_what_was_acknowledged_early_survives_a_kill_at_every_named_point(
    gateway: Gateway, record_of: Any, failpoint: Failpoint
) -> None:
    """Once the gateway has said `spooled`, nobody sends the records again."""
    records = [record_of(counter) for counter in range(1, 6)]
    gateway.start(failpoint)
    statuses = gateway.post(records, prefer="respond-async")
    assert statuses in (None, ["spooled"] * 5)
    assert gateway.process is not None
    assert gateway.process.wait(10) == -signal.SIGKILL
    gateway.start()
    deadline = time.monotonic() + 30
    while sorted(gateway.ledger()) != sorted(records):
        assert time.monotonic() < deadline, "what was spooled did not reach the ledger"
        time.sleep(0.05)


@pytest.mark.serial
@pytest.mark.fault(32)
@pytest.mark.parametrize("seed", range(4))
def test_kills_at_random_moments_leave_every_acknowledged_reading_once(
    gateway: Gateway, record_of: Any, seed: int
) -> None:
    """Twenty seeded moments in four runs, each on one state that is carried on."""
    moments = random.Random(seed)
    sent: list[bytes] = []
    for kill in range(5):
        if gateway.process is None or gateway.ended():
            gateway.start()
        records = [record_of(4 * kill + one) for one in range(1, 5)]
        sent += records
        assert gateway.process is not None
        killer = subprocess.Popen(
            [sys.executable, "-S", "-c", "import os,sys,time\n"
             "time.sleep(float(sys.argv[2])); os.kill(int(sys.argv[1]), 9)",
             str(gateway.process.pid), str(moments.uniform(0.0, 0.05))],
        )  # fmt: skip
        acknowledged = gateway.post(records)
        killer.wait(10)
        gateway.process.wait(10)
        if acknowledged is not None and set(acknowledged) <= FINAL:
            assert set(records) <= set(gateway.ledger())
        assert set(gateway.until_final(records)) <= {"recorded", "duplicate"}
    assert sorted(gateway.ledger()) == sorted(sent)
